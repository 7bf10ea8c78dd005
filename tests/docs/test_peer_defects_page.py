"""The page of peers' defects names tests and switches that exist."""

import ast
import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from bio_interp.annotations import AnnotationTable
from bio_interp.features import FeatureStore
from bio_interp.linking.interplm import Defects

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/peer-defects.md").read_text()
TABLE = PAGE[: PAGE.index("## What each does")]
ROWS = [line.strip("| ").split(" | ") for line in TABLE.splitlines() if line.startswith("| B")]


def test_every_defect_has_a_row():
    assert [row[0] for row in ROWS] == [f"B{n}" for n in range(1, 20)]


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`([\w/]+\.py::\w+)`", PAGE))))
def test_a_test_that_the_page_names_is_there(named):
    file, name = named.split("::")
    tree = ast.parse((ROOT / "tests/bio_interp" / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_defect_has_a_test():
    without = [row[0] for row in ROWS if ".py::" not in row[-1]]
    assert without == ["B4"]  # tested as B3


def test_every_switch_is_in_the_table():
    rows = [line.split(" | ") for line in TABLE.splitlines() if line.startswith("| ")]
    assert set(re.findall(r"`([a-z_]+)`", " ".join(row[4] for row in rows))) == set(
        Defects.__dataclass_fields__
    )


def test_the_code_of_the_page_runs(blocks, tmp_path, capsys):
    store = FeatureStore.create(tmp_path, d_sae=2, settings={})
    with store.writer() as writer:
        for accession in ("A", "B"):
            writer.add(accession, csr_matrix(np.eye(40, 2, dtype=np.float32)))
    rows = [
        {"accession": a, "start": i, "end": i, "concept": "uniprot:HELIX"}
        for a in ("A", "B")
        for i in range(1, 21)
    ]
    concept = {"concept": "uniprot:HELIX", "name": "Helix", "kind": "uniprot:HELIX"}
    names = {
        "store": store,
        "annotations": AnnotationTable.from_records(rows, [], [concept]),
        "folds": {"A": "valid", "B": "test"},
        "maxima": np.ones(2, np.float32),
    }
    (code,) = blocks("peer-defects.md", "python")
    exec(compile(code, "peer-defects.md", "exec"), names)
    honest, theirs = capsys.readouterr().out.splitlines()
    assert "'concepts': 1" in honest
    assert "'concepts': 1" in theirs


def test_the_effects_are_those_of_the_kept_result():
    path = ROOT / "benchmarks/results/linking.json"
    if not path.is_file():
        pytest.skip("no full run is kept; benchmarks/linking/run.py makes one")
    for name, found in json.loads(path.read_text())["defects"].items():
        row = [found["concepts"], f"{found['mean_test_f1']:.3f}"]
        row += [found["concepts_with_a_good_pair"], found["features_in_a_good_pair"]]
        assert f"| {name} | {' | '.join(map(str, row))} |" in PAGE
