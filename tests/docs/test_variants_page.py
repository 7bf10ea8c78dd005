"""The page on variants: its example and columns are those of the command, its tables measured."""

import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest

from bio_interp.cli._app import run
from bio_interp.variants import EFFECTS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def script():
    path = ROOT / "benchmarks/variants/table.py"
    spec = importlib.util.spec_from_file_location("variants_table", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_prints_what_the_page_shows(blocks, capsys):
    (shown,) = blocks("howto-variants.md", "console")
    command, *wanted = shown.splitlines()
    assert run([*shlex.split(command.removeprefix("$ bio-interp ")), "-q"]) == 0
    printed = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    head, *rows = [re.split(" {2,}", line) for line in wanted]
    assert head == printed[0]
    for row, cells in zip(rows, printed[1:], strict=True):
        assert row[:5] == cells[:5]
        numbers = [[float(cell) for cell in some[5:]] for some in (row, cells)]
        assert numbers[0] == pytest.approx(numbers[1], abs=0.02)  # processors round differently


def test_every_column_of_the_table_is_explained(docs):
    text = (docs / "howto-variants.md").read_text().partition("| column |")[2].partition("\n\n")[0]
    first = (line.split("|")[1] for line in text.splitlines() if line.startswith("|"))
    assert [c for cell in first for c in re.findall(r"`(\w+)`", cell)] == list(EFFECTS)


def test_a_row_shows_means_with_half_the_interval_and_the_paired_difference(script):
    one = {"spearman": {key: [0.5, 0.4, 0.6] for key in script.COLUMNS.values()}}
    one["difference"] = {"sae - neurons": [-0.0123, -0.02, 0.004]}
    found = {name: {"random": {"24": one}, "position": {}} for name in script.DATA}
    lines = script.tables({"unirep": found, "reference": "not measured"}).splitlines()
    assert lines[0] == "Atlas `unirep`:"
    cells = " | ".join(["0.50 ± 0.10"] * 6)
    assert lines[4] == f"| avGFP | random | 24 | {cells} | -0.012 (-0.020 to +0.004) |"
    assert len(lines) == 4 + 3


def test_the_tables_are_those_of_the_results(docs, script):
    if not script.RESULTS.is_file():
        pytest.skip("no full run is kept; benchmarks/variants/run.py makes one")
    page = (docs / "howto-variants.md").read_text()
    assert script.rewrite(page, json.loads(script.RESULTS.read_text())) == page
