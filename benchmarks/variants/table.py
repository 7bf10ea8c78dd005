"""Write the tables of docs/howto-variants.md anew from benchmarks/results/variants.json."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks/results/variants.json"
PAGE = ROOT / "docs/howto-variants.md"
BEGIN, END = "<!-- tables from variants.json -->\n", "<!-- end of tables -->\n"
COLUMNS = {
    "SAE": "sae",
    "neurons": "neurons",
    "one-hot": "one_hot",
    "likelihood": "likelihood",
    "SAE + one-hot": "sae+one_hot",
    "neurons + one-hot": "neurons+one_hot",
}
DATA = {"avgfp": "avGFP", "pab1": "Pab1", "gb1": "GB1"}


def tables(results: dict[str, Any]) -> str:
    """Make a Markdown table an atlas: a row for a data set, kind of folds and number of labels."""
    parts: list[str] = []
    for atlas in ("unirep", "reference"):
        if isinstance(results.get(atlas), dict):
            parts.append(f"Atlas `{atlas}`:\n\n{_table(results[atlas])}")
    return "\n".join(parts)


def rewrite(page: str, results: dict[str, Any]) -> str:
    """Put the tables between the two marks of a page."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables(results)}\n{END}{after}"


def _table(found: dict[str, Any]) -> str:
    titles = ["data", "folds", "labels", *COLUMNS, "SAE minus neurons"]
    lines = ["| " + " | ".join(titles) + " |", "| " + " | ".join("---" for _ in titles) + " |"]
    for name, title in DATA.items():
        for folds in ("random", "position"):
            for labels, figures in found[name][folds].items():
                lines.append("| " + " | ".join([title, folds, labels, *_cells(figures)]) + " |")
    return "\n".join(lines) + "\n"


def _cells(figures: dict[str, Any]) -> list[str]:
    cells = [_cell(figures["spearman"][key]) for key in COLUMNS.values()]
    mean, low, high = figures["difference"]["sae - neurons"]
    return [*cells, f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"]


def _cell(interval: list[float]) -> str:
    mean, low, high = interval
    return f"{mean:.2f} ± {(high - low) / 2:.2f}"


if __name__ == "__main__":
    PAGE.write_text(rewrite(PAGE.read_text(), json.loads(RESULTS.read_text())))
