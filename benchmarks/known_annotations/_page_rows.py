"""Find figures of this benchmark by model, set, source and score, and show them."""

from collections.abc import Iterable, Sequence
from typing import Any

MODELS = {"reference": "the reference model", "unirep": "UniRep-1900"}
SOURCES = {
    "sae": "SAE of the atlas",
    "neurons": "neurons, both signs",
    "pca": "principal components, both signs",
    "random": "random directions",
    "kmers": "letters and words",
    "twin": "SAE of the twin",
    "permuted": "SAE, permuted labels",
}
SCORES = ("residue", "locator", "delineator")
LEVELS = {
    "uniprot": "all evidence",
    "uniprot_curator": "a curator's statement or better",
    "uniprot_experimental": "experiment or structure",
}
Found = dict[str, Any]


def measured(results: Found, model: str) -> list[tuple[str, Found]]:
    """List the sets of a model that have a testable concept."""
    every = results["residue_sets"].get(model, {}).items()
    return [(name, f) for name, f in every if f.get("facts", {}).get("testable")]


def models(results: Found) -> list[str]:
    """List the models that were measured on any set."""
    return [model for model in results["residue_sets"] if measured(results, model)]


def titled(name: str, figures: Found) -> str:
    """Give the title of a set, with its level of evidence."""
    return figures["title"] + (f", {LEVELS[name]}" if name in LEVELS else "")


def capital(text: str) -> str:
    """Begin a line with a capital letter, and leave the rest as it is."""
    return text[0].upper() + text[1:]


def summary(results: Found, model: str, name: str, source: str, score: str) -> Found | None:
    """Find a row of a summary; the twin's are in a part of their own."""
    found = _part(results, model, name, source).get("summary", [])
    return next((r for r in found if (r["source"], r["score"]) == (source, score)), None)


def minus(results: Found, model: str, name: str, source: str, score: str) -> Found | None:
    """Find the SAE's difference from a source."""
    found = _part(results, model, name, source).get("sae_minus", [])
    return next((r for r in found if (r["source"], r["score"]) == (source, score)), None)


def residue_rows(results: Found, model: str, name: str, source: str) -> dict[str, Found]:
    """Find the residue scores of a source by concept."""
    found = _part(results, model, name, source).get("concepts", [])
    return {r["concept"]: r for r in found if (r["source"], r["score"]) == (source, "residue")}


def guess(row: Found) -> float:
    """Give the residue F1 of calling every residue: precision is the prevalence, recall 1."""
    return 2 * row["prevalence"] / (1 + row["prevalence"])


def all_concepts(results: Found, model: str, source: str) -> list[Found]:
    """List the residue scores of a source over all sets."""
    names = [name for name, _ in measured(results, model)]
    return [row for n in names for row in residue_rows(results, model, n, source).values()]


def _part(results: Found, model: str, name: str, source: str) -> Found:
    if source == "twin":
        return results.get("twin", {}).get(model, {}).get("sets", {}).get(name, {})
    return results["residue_sets"][model].get(name, {})


def is_first(results: Found, model: str, name: str) -> bool:
    having = (m for m in models(results) if name in dict(measured(results, m)))
    return next(having, None) == model


def marked(one: Found | None) -> str:
    """Show a difference with its interval; bold above zero, italics below."""
    if one is None:
        return "-"
    text = f"{one['mean_f1']:+.3f} ({one['mean_f1_low']:+.3f} to {one['mean_f1_high']:+.3f})"
    if one["mean_f1_low"] > 0:
        return f"**{text}**"
    return f"*{text}*" if one["mean_f1_high"] < 0 else text


def interval(row: Found, key: str) -> str:
    """Show a figure with its interval."""
    return f"{row[key]:.3f} ({row[f'{key}_low']:.3f} to {row[f'{key}_high']:.3f})"


def number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / max(1, len(known))


def listed(names: Sequence[str]) -> str:
    return f" ({'; '.join(names)})" if names else ""


def header(*cells: str) -> list[str]:
    return [line(*cells), "| " + " | ".join("---" for _ in cells) + " |"]


def line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def picture(results: Found, name: str) -> str:
    says = {
        "minus": "The SAE's mean residue F1 less that of each baseline, by set, with intervals",
        "f1": "Mean residue F1 of every source, by set",
    }[name]
    return f"![{says}](_static/known-annotations-{name}.png)\n"
