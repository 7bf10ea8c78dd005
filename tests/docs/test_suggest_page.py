"""The page about missing annotations: its example runs, its figures are those measured."""

import json
import re
import shlex
from pathlib import Path

import pytest

from bio_interp.cache import is_cached
from bio_interp.cli._app import run

TITLES = {
    "suggest": "suggest",
    "best_hit": "best hit, by identity",
    "best_hit_by_score": "best hit, by score",
    "prevalence": "commonest concept",
    "prevalence_by_residues": "commonest by residues",
    "random": "random",
}
RESULT = Path(__file__).parents[2] / "benchmarks/results/missing_annotations.json"


def test_the_example_prints_what_the_page_shows(blocks, docs, tmp_path, monkeypatch, capsys):
    if not is_cached("unirep"):
        pytest.skip("the weights of unirep are not in the cache")
    (shown,) = blocks("howto-suggest.md", "console")
    table = blocks("howto-suggest.md", "text")[0]
    known = tmp_path / "known.csv"
    known.write_text(table)
    command, _, output = shown.removeprefix("$ bio-interp ").partition("\n")
    words = [str(known) if word == "known.csv" else word for word in shlex.split(command)]
    monkeypatch.chdir(docs.parent)
    assert run([*words, "--quiet"]) == 0
    assert _told(capsys.readouterr().out) == _told(output)
    assert len(_told(output)) == 3


def _told(text: str) -> list[tuple[str, ...]]:
    """Take protein, concept and neighbour: none of them hangs on the processor."""
    rows = [re.split(r" {2,}", line.strip()) for line in text.splitlines()[1:]]
    return sorted((row[1], row[4], row[6]) for row in rows)


@pytest.mark.parametrize("check", ["hiding", "in_time"])
def test_the_figures_are_those_of_the_benchmark(docs, check):
    text = (docs / "howto-suggest.md").read_text()
    measured = json.loads(RESULT.read_text())[check]
    section = text.partition(f"<!-- {check} -->")[2].partition("<!-- end -->")[0]
    rows = {
        cells[0].strip(): [c.strip() for c in cells[1:]]
        for line in section.splitlines()
        if line.startswith("| ") and (cells := line.strip("| ").split("|"))
    }
    for name, title in TITLES.items():
        for kinds, start in (("curated", 0), ("backed", 3)):
            figures = measured[kinds][name]
            for offset, what in enumerate(("precision_at_50", "precision_at_200", "recall_at_200")):
                low, high = figures[f"{what}_interval"]
                wanted = f"{figures[what]:.2f} ({low:.2f}-{high:.2f})"
                assert rows[title][start + offset] == wanted, (name, kinds, what)
