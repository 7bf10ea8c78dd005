"""The section on Pfam families."""

from typing import Any

from _page_rows import Found, header, line

_NAMES = {
    "ours": "SAE of 8,192 features",
    "matryoshka": "Matryoshka SAE of 4,096 features",
    "sketch": "sketch: TopK, 4,096 features, 1 M residues",
}
_SOURCES = {"sae": "SAE", "neurons": "neurons", "kmers": "words", "permuted": "permuted labels"}
_SCORES = ("family_marker", "locator", "delineator", "residue", "interplm")


def pfam_section(results: Found) -> str:
    """Tables of both questions, and whether the goals were reached."""
    found = results.get("pfam", {})
    if "universe" not in found:
        return ""
    lines = ["## Pfam families, UniRep-1900\n", _intro(found), *_universe(found["universe"])]
    if "strict" in found:
        lines += _strict(found["strict"])
    return "\n".join(lines)


def _intro(found: Found) -> str:
    universe = found["universe"]
    return (
        "The labels are the hits of a profile search (Pfam at its gathering thresholds), which is "
        "the better tool for finding families; the question is what the language model's features "
        f"know of them.\n\n**Members only.** {universe['families']} families with 60 proteins of "
        "up to 450 residues each. A quarter of the proteins "
        f"({universe['test_proteins']:,}) was seen neither by the SAEs nor by the choice, which "
        "was made on half of all. The sketch is an SAE as one would train it in an afternoon: "
        "TopK, 4,096 features, k = 32, two passes over 1 million residues. Ours has 8,192 "
        "features, BatchTopK, two passes over 1.7 million residues of fit and calibrate "
        "clusters; another has 4,096 in nested prefixes of 256, 1,024 and 4,096 (Matryoshka), and "
        "four passes over the same residues.\n"
    )


def _universe(universe: Found) -> list[str]:
    told = universe["all_families"]
    lines = [*header("source", "*interplm* span-F1 > 0.5", "mean", "residue F1 > 0.5", "mean")]
    for name in (*_NAMES, "neurons"):
        if f"{name}_residue" not in told:
            continue
        cells = [_NAMES.get(name, "neurons, both signs")]
        for score in ("interplm", "residue"):
            row = told[f"{name}_{score}"]
            cells += [f"{row['above_half']} of {row['families']}", f"{row['mean_f1']:.3f}"]
        lines.append(line(*cells))
    return [*lines, "", _ratios(told), ""]


def _ratios(told: dict[str, Any]) -> str:
    said = list[str]()
    named = {"ours": "8,192 features", "matryoshka": "Matryoshka"}
    for score, name in (("interplm", "*interplm* span-F1"), ("residue", "residue F1")):
        sketch = told[f"sketch_{score}"]
        for key in named.keys() & {k.removesuffix(f"_{score}") for k in told}:
            ours = told[f"{key}_{score}"]
            ratio = ours["above_half"] / max(1, sketch["above_half"])
            mean = ours["mean_f1"] / max(1e-9, sketch["mean_f1"])
            times = f"{ratio:.2f} times as many families, {mean:.2f} times the mean"
            said.append(f"{name}, {named[key]}: {times}")
    return (
        f"Against the sketch: {'; '.join(sorted(said))}. The goal was 1.25 times in each: twice "
        "the features, 1.7 times the residues, nested prefixes and twice the passes did not reach "
        "it."
    )


def _strict(strict: Found) -> list[str]:
    facts = strict["ours"]["facts"]
    lines = [
        f"**Strict.** All families and groups, on the folds of the frozen split: "
        f"{facts['select']['proteins']:,} proteins to choose on, {facts['test']['proteins']:,} "
        f"({facts['test']['clusters']:,} clusters) to report on, false positives over all that "
        f"were scanned; {facts['testable']} of {facts['concepts']} concepts have 15 test "
        "clusters.\n",
        *header("source", *(f"{score}: F1 > 0.5 (mean)" for score in _SCORES)),
    ]
    rows = [(_NAMES[run], run, "sae") for run in _NAMES if run in strict]
    rows += [(name, "ours", source) for source, name in _SOURCES.items() if source != "sae"]
    for name, run, source in rows:
        found = {
            row["score"]: row
            for row in strict[run]["summary"]
            if row["source"] == source and row["protocol"] == "strict"
        }
        cells = [f"{found[s]['above_half']} ({found[s]['mean_f1']:.3f})" for s in _SCORES]
        lines.append(line(name, *cells))
    seen = (
        "The sketch was trained on proteins of all folds, these test clusters too, and ours was "
        "not: the comparison favours the sketch."
    )
    return [*lines, "", _less_neurons(strict["ours"]["sae_minus"]), "", seen, ""]


def _less_neurons(minus: list[Found]) -> str:
    said = [
        f"{row['score']} {row['mean_f1']:+.3f} ({row['mean_f1_low']:+.3f} to "
        f"{row['mean_f1_high']:+.3f})"
        for row in minus
        if row["source"] == "neurons"
    ]
    told = ", ".join(said)
    return f"The SAE's mean F1 less that of the neurons, on the same resampled clusters: {told}."
