"""Write docs/known-annotations.md and its pictures anew from the results."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _page_pfam import pfam_section
from _page_rows import (
    LEVELS,
    MODELS,
    SCORES,
    SOURCES,
    Found,
    all_concepts,
    capital,
    guess,
    header,
    interval,
    is_first,
    line,
    listed,
    marked,
    mean,
    measured,
    minus,
    models,
    number,
    picture,
    residue_rows,
    summary,
    titled,
)
from _page_words import ALONE, EVIDENCE, HEAD, READING, TWIN, WHY

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks/results/known_annotations.json"
PAGE = ROOT / "docs/known-annotations.md"
PICTURES = ROOT / "docs/_static"


def page(results: Found) -> str:
    """Make the page: one function a section."""
    return "\n".join(part for section in SECTIONS if (part := section(results)))


def head(results: Found) -> str:
    """Say what was compared, on what, and how to do it again."""
    machine = results["machine"]
    made = f"{machine['processor']}, {machine['threads']} thread(s), {results['date'][:10]}"
    return HEAD.format(command=results["command"], made=made)


def reading(results: Found) -> str:
    """Say what the columns are."""
    return READING.format(least=15, null=results["settings"]["null"])


def overview(results: Found) -> str:
    """Table of the differences of the SAE from each baseline, by model and set."""
    others = [name for name in SOURCES if name != "sae"]
    lines = [
        "## In short\n",
        "The SAE's mean residue F1 on test, less that of each other source, with 95 % intervals "
        "over clusters. **Bold**: the interval is above zero, the SAE is better. *Italics*: it is "
        "below zero, the SAE is worse. Where the last column is not bold, the features that were "
        "chosen tell no more of the labels than others, chosen for permuted labels, tell of "
        "those.\n",
    ]
    for model in models(results):
        lines += [f"{capital(MODELS[model])}:\n", *header("set", *(SOURCES[s] for s in others))]
        for name, figures in measured(results, model):
            cells = [marked(minus(results, model, name, other, "residue")) for other in others]
            lines.append(line(titled(name, figures), *cells))
        lines.append("")
    lines += [picture(results, "minus"), picture(results, "f1")]
    return "\n".join(lines)


def why(results: Found) -> str:
    """Name the sets where the SAE does not beat the neurons, and the reason."""
    lines = ["## Where the SAE does not beat the neurons\n"]
    for model in models(results):
        won, lost = list[str](), list[str]()
        for name, figures in measured(results, model):
            one = minus(results, model, name, "neurons", "residue")
            won += [titled(name, figures)] if one and one["mean_f1_low"] > 0 else []
            lost += [titled(name, figures)] if one and one["mean_f1_low"] <= 0 else []
        lines += [_balance(results, model, won, lost), *_by_score(results, model)]
    return "\n".join([*lines, WHY])


def _by_score(results: Found, model: str) -> list[str]:
    """Table of the SAE less the neurons by every score."""
    lines = [*header("SAE minus neurons", *SCORES)]
    for name, figures in measured(results, model):
        rows = (minus(results, model, name, "neurons", score) for score in SCORES)
        lines.append(line(titled(name, figures), *map(marked, rows)))
    return [*lines, ""]


def _balance(results: Found, model: str, won: Sequence[str], lost: Sequence[str]) -> str:
    words = [f"**{capital(MODELS[model])}.** The SAE beats the neurons (residue F1) in "]
    words.append(f"{len(won)} of {len(won) + len(lost)} sets" + listed(won) + ".")
    if lost:
        words.append(f" It does not in {len(lost)}{listed(lost)}.")
    means = {
        (source, key): mean(c[key] for c in all_concepts(results, model, source))
        for source in ("sae", "neurons")
        for key in ("precision", "recall")
    }
    words.append(
        " Over all testable concepts of all sets the feature chosen has a mean precision of "
        f"{means['sae', 'precision']:.2f} and a recall of {means['sae', 'recall']:.2f}; the neuron "
        f"chosen {means['neurons', 'precision']:.2f} and {means['neurons', 'recall']:.2f}.\n"
    )
    return "".join(words)


def sets(results: Found) -> str:
    """One table a set and model: every source, with intervals."""
    lines = ["## Every set\n"]
    names = dict.fromkeys(n for m in models(results) for n, _ in measured(results, m))
    for name in names:
        for model in models(results):
            figures = results["residue_sets"][model].get(name, {})
            if "summary" in figures:
                lines += _one_set(results, model, name, figures)
        lines += [_concepts(results, name), ""]
    return "\n".join(lines)


def _one_set(results: Found, model: str, name: str, figures: Found) -> list[str]:
    lines = [f"### {capital(titled(name, figures))}\n"] if is_first(results, model, name) else []
    facts = figures["facts"]
    lines.append(
        f"{capital(MODELS[model])}: {facts['select']['proteins']:,} proteins "
        f"({facts['select']['clusters']:,} clusters) to choose on, {facts['test']['proteins']:,} "
        f"({facts['test']['clusters']:,}) to report on; {facts['testable']} of "
        f"{facts['concepts']} concepts testable.\n"
    )
    lines += header("source", "F1 > 0.5", "residue F1", "AUROC", "locator F1", "delineator F1")
    for source, shown in SOURCES.items():
        rows = {s: summary(results, model, name, source, s) for s in SCORES}
        if all(row and row["concepts"] for row in rows.values()):
            lines.append(line(shown, *_cells(rows)))
    guesses = [guess(c) for c in residue_rows(results, model, name, "sae").values()]
    above = str(sum(g > 0.5 for g in guesses))
    lines.append(line("every residue, a guess", above, f"{mean(guesses):.3f}", "0.500", "-", "-"))
    return [*lines, ""]


def _cells(rows: dict[str, Found]) -> Iterator[str]:
    one = rows["residue"]
    yield f"{one['above_half']} ({one['above_half_low']:.0f} to {one['above_half_high']:.0f})"
    yield interval(one, "mean_f1")
    yield f"{one['auroc']:.3f}" if one["auroc"] is not None else "-"
    yield interval(rows["locator"], "mean_f1")
    yield interval(rows["delineator"], "mean_f1")


def _concepts(results: Found, name: str) -> str:
    """Show the concepts of a set: those of highest F1 of the SAE, ten at most a model."""
    lines = [*header("concept", "model", "SAE", "neurons", "twin", "precision of the SAE",
                      "prevalence", "every residue", "q")]  # fmt: skip
    for model in models(results):
        own = residue_rows(results, model, name, "sae")
        best = sorted(own.values(), key=lambda c: -c["f1"])[:10]
        for one in best:
            others = [
                residue_rows(results, model, name, source).get(one["concept"], {}).get("f1")
                for source in ("neurons", "twin")
            ]
            f1 = f"{one['f1']:.2f} ({one['low']:.2f} to {one['high']:.2f})"
            rest = [number(x) for x in (*others, one["precision"], one["prevalence"], guess(one))]
            label = f"`{one['concept']}`"
            lines.append(line(label, model, f1, *rest, number(one["q"], 3)))
    return "\n".join(lines) if len(lines) > 2 else "No concept is testable.\n"


def twin(results: Found) -> str:
    """Say how the twins were made."""
    if not results.get("twin"):
        return ""
    lines = [TWIN]
    for model, figures in results["twin"].items():
        facts = figures["facts"]
        lines.append(
            f"- {capital(MODELS[model])}: {facts['rows']:,} rows of {facts['residues']:,} "
            f"residues (the atlas's SAE: {facts['rows_of_the_atlas']:,} rows), {facts['d_sae']:,} "
            f"features, k {facts['k']}, FVU {facts['fvu']:.3f} on rows it was trained on."
        )
    return "\n".join(lines) + "\n"


def exposure(results: Found) -> str:
    """Table of where the proteins of each set went, and what has seen them."""
    model = models(results)[0]
    lines = [ALONE, *header("set", "proteins", "relatives trained on: not used", "several folds: "
                             "not used", "fold of relatives", "no relatives, dealt")]  # fmt: skip
    for name, figures in measured(results, model):
        pool = figures["pool"]
        if "select" in pool or name in LEVELS:
            continue
        groups = [
            sum(count for why, count in pool.items() if why.startswith(start))
            for start in ("fit", "mixed", "relative", "alone")
        ]
        lines.append(
            line(titled(name, figures), f"{sum(pool.values()):,}", *map("{:,}".format, groups))
        )
    lines.append("")
    for name in models(results):
        said = measured(results, name)[0][1]["exposure"]
        lines.append(f"- {capital(MODELS[name])}: {said}.")
    return "\n".join(lines) + "\n"


def left_out(results: Found) -> str:
    """Say which sets have no figures, and why."""
    lines = ["## Not in the tables\n"]
    for model, found in results["residue_sets"].items():
        here = {name for name, _ in measured(results, model)}
        few = [titled(n, f) for n, f in found.items() if n not in here]
        gone = [n.replace("_", " ") for n in results["settings"]["sets"] if n not in found]
        if few:
            lines.append(
                f"- {capital(MODELS[model])}, too few clusters bear a label: {'; '.join(few)}."
            )
        if gone:
            lines.append(f"- {capital(MODELS[model])}, not run: {'; '.join(gone)}.")
        if model not in results.get("twin", {}):
            lines.append(f"- {capital(MODELS[model])}: its twin was not run.")
    return "\n".join(lines) + "\n" if len(lines) > 1 else ""


def evidence(results: Found) -> str:
    """Table of what each level of evidence leaves of the UniProt features."""
    model = models(results)[0]
    figures = results["residue_sets"][model].get("uniprot", {})
    if "evidence" not in figures:
        return ""
    lines = [EVIDENCE, *header("at least", "annotations in test", "concepts", "testable")]
    for row in figures["evidence"]:
        cells = (f"{row[key]:,}" for key in ("positives", "concepts", "testable"))
        lines.append(line(row["level"].replace("_", " "), *cells))
    return "\n".join(lines) + "\n"


SECTIONS: list[Callable[[Found], str]] = [
    head, overview, why, reading, exposure, pfam_section, sets, evidence, twin, left_out,
]  # fmt: skip


if __name__ == "__main__":
    from _pictures import draw_pictures

    found = json.loads(RESULTS.read_text())
    PAGE.write_text(page(found))
    draw_pictures(found, PICTURES)
