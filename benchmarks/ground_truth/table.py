"""Write the table of docs/ground-truth.md anew from benchmarks/results/ground_truth.json."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks/results/ground_truth.json"
PAGE = ROOT / "docs/ground-truth.md"
BEGIN, END = "<!-- table from ground_truth.json -->\n", "<!-- end of table -->\n"
COLUMNS = {
    "MCC": "mcc",
    "F1": "f1",
    "best F1": "f1_best",
    "absorption": "absorption",
    "splitting": "splitting",
    "FVU": "fvu",
    "L0": "l0",
    "dead": "dead",
}
NAMES = {"ours": "bio_interp", "sae_lens": "SAELens", "dictionary_learning": "dictionary_learning"}


def table(results: dict[str, Any]) -> str:
    """Make a Markdown table: a row a contestant, by architecture; mean and standard deviation."""
    lines = [
        "| architecture | trained by | learning rate | " + " | ".join(COLUMNS) + " |",
        "| --- | --- | --- | " + " | ".join("---" for _ in COLUMNS) + " |",
    ]
    found = results["contestants"]
    split = {name: _split(name) for name in found}
    kinds = list(dict.fromkeys(kind for _, kind in split.values()))
    for name in sorted(found, key=lambda n: kinds.index(split[n][1])):
        who, kind = split[name]
        cells = [_cell(found[name], key) for key in COLUMNS.values()]
        shown = kind.replace("matryoshka_", "matryoshka, ")
        row = [shown, NAMES[who], f"{found[name]['lr']:g}", *cells]
        lines.append("| " + " | ".join(row) + " |")
    return "\n".join(lines) + "\n"


def rewrite(page: str, results: dict[str, Any]) -> str:
    """Put the table between the two marks of a page."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(results)}\n{END}{after}"


def _split(name: str) -> tuple[str, str]:
    who = next(prefix for prefix in NAMES if name.startswith(f"{prefix}_"))
    return who, name.removeprefix(f"{who}_")


def _cell(figures: dict[str, Any], key: str) -> str:
    if key not in figures:
        return "-"
    digits = 2 if key == "l0" else 3
    spread = figures[f"{key}_sd"]
    return f"{figures[key]:.{digits}f}" + ("" if spread is None else f" ± {spread:.{digits}f}")


if __name__ == "__main__":
    PAGE.write_text(rewrite(PAGE.read_text(), json.loads(RESULTS.read_text())))
