"""The page on ground truth: its example runs, and its table is what was measured."""

import doctest
import importlib.util
import json
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


def _table_script():
    path = ROOT / "benchmarks/ground_truth/table.py"
    spec = importlib.util.spec_from_file_location("ground_truth_table", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_example_gives_what_it_says(docs) -> None:
    torch.set_num_threads(1)
    failures, tried = doctest.testfile(str(docs / "ground-truth.md"), module_relative=False)
    assert (failures, tried > 5) == (0, True)


def test_the_table_shows_mean_and_deviation_by_architecture() -> None:
    figures = {"lr": 0.01, "mcc": 0.91234, "mcc_sd": 0.01, "l0": 6.0, "l0_sd": None}
    found = {"ours_topk": figures, "ours_relu": figures, "sae_lens_topk": figures}
    lines = _table_script().table({"contestants": found}).splitlines()
    assert [line.split(" | ")[:2] for line in lines[2:]] == [
        ["| topk", "bio_interp"],
        ["| topk", "SAELens"],
        ["| relu", "bio_interp"],
    ]
    assert "| 0.912 ± 0.010 | - |" in lines[2]
    assert "| 6.00 |" in lines[2]


def test_the_table_is_that_of_the_results(docs) -> None:
    script = _table_script()
    if not script.RESULTS.is_file():
        pytest.skip("no full run is kept; benchmarks/ground_truth/run.py makes one")
    page = (docs / "ground-truth.md").read_text()
    assert script.rewrite(page, json.loads(script.RESULTS.read_text())) == page
