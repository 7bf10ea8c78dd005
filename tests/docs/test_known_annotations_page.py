"""The page on known annotations says what the kept results say."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks/known_annotations"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("known_annotations_page", FOLDER / "page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in ("_page_pfam", "_page_rows", "_page_words", "_pictures"):
        sys.modules.pop(name, None)


def _row(source, score="residue", f1=0.3):
    ends = {f"{key}_{end}": f1 for key in ("mean_f1", "above_half") for end in ("low", "high")}
    shown = {"source": source, "score": score, "concepts": 2, "above_half": 0, "mean_f1": f1}
    return {**shown, "auroc": 0.6, **ends}


def _minus(source, low, high):
    ends = {"mean_f1_low": low, "mean_f1_high": high}
    return {"source": source, "score": "residue", "mean_f1": (low + high) / 2, **ends}


def _concept(source, f1):
    ends = {"low": f1 - 0.1, "high": f1 + 0.1, "q": 0.01}
    figures = {"f1": f1, "precision": 0.5, "recall": 0.25, "prevalence": 0.2, **ends}
    return {"source": source, "score": "residue", "concept": "toy:A", **figures}


@pytest.fixture
def results():
    scores = ("residue", "locator", "delineator")
    fold = {"proteins": 30, "clusters": 20, "residues": 900}
    one = {
        "title": "toy labels",
        "exposure": "unseen",
        "pool": {"fit": 5, "alone test": 1_234},
        "facts": {"testable": 2, "concepts": 2, "select": fold, "test": fold},
        "summary": [_row(s, score) for s in ("sae", "neurons") for score in scores],
        "sae_minus": [_minus("neurons", -0.2, -0.1), _minus("random", 0.1, 0.2)],
        "concepts": [_concept("sae", 0.41), _concept("neurons", 0.52)],
    }
    lost = {"title": "no labels", "not_measured": "none of 5 concepts"}
    machine = {"processor": "toy", "threads": 1}
    sets = {"reference": {"toy": one, "lost": lost}}
    head = {"command": "python run.py", "machine": machine, "date": "2026-01-01"}
    return {
        **head,
        "settings": {"null": 199, "sets": ["toy", "lost", "other_set"]},
        "residue_sets": sets,
    }


def test_the_page_is_that_of_the_results(script) -> None:
    if not script.RESULTS.is_file():
        pytest.skip("no full run is kept; benchmarks/known_annotations/run.py makes one")
    found = json.loads(script.RESULTS.read_text())
    assert script.PAGE.read_text() == script.page(found)
    for name in ("minus", "f1"):
        assert (script.PICTURES / f"known-annotations-{name}.png").is_file()


def test_a_difference_is_bold_where_the_sae_is_better_and_slanted_where_worse(
    script, results
) -> None:
    text = script.page(results)
    assert "*-0.150 (-0.200 to -0.100)*" in text
    assert "**+0.150 (+0.100 to +0.200)**" in text


def test_a_set_that_the_neurons_win_is_named(script, results) -> None:
    text = script.why(results)
    assert "beats the neurons (residue F1) in 0 of 1 sets. It does not in 1 (toy labels)" in text
    assert "precision of 0.50 and a recall of 0.25" in text


def test_sets_without_a_testable_concept_are_left_out_of_the_tables(script, results) -> None:
    text = script.page(results)
    assert "Toy labels" in text
    assert "1,234" in text
    before, _, behind = text.partition("## Not in the tables")
    assert "no labels" not in before.lower()
    assert "too few clusters bear a label: no labels" in behind
    assert "not run: other set" in behind
    assert "its twin was not run" in behind


def test_the_pictures_show_every_set(script, results, tmp_path) -> None:
    from _pictures import draw_pictures

    draw_pictures(results, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        "known-annotations-f1.png",
        "known-annotations-minus.png",
    }


def test_families_are_told_beside_the_sketch(script, results):
    assert "## Pfam" not in script.page(results)
    told = {
        f"{name}_{score}": {"above_half": half, "families": 9, "mean_f1": 0.1 * half}
        for name, half in (("ours", 5), ("sketch", 4), ("neurons", 2))
        for score in ("interplm", "residue")
    }
    universe = {"all_families": told, "families": 9, "residues": 1000, "test_proteins": 12}
    section = script.page({**results, "pfam": {"universe": universe}})
    assert "| neurons, both signs | 2 of 9 | 0.200 | 2 of 9 | 0.200 |" in section
    assert "1.25 times as many families, 1.25 times the mean" in section
