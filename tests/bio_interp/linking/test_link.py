"""The strict protocol on planted features: what is there is found, what is not is not."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_matrix

from bio_interp.annotations import AnnotationTable
from bio_interp.features import FeatureStore
from bio_interp.linking import LinkTable, link
from bio_interp.sequences import Split

FOLDS = ("select", "calibrate", "test")
FEATURES = 12
PER_FOLD = 40
LENGTH = 60


def plant(folder: Path, seed: int = 0) -> tuple[FeatureStore, AnnotationTable, Split]:
    """Feature 3 covers the spans of `toy:A`, feature 5 marks site `toy:S`, the rest is noise."""
    rng = np.random.default_rng(seed)
    store = FeatureStore.create(folder / "codes", d_sae=FEATURES, settings={"seed": seed})
    rows, coverage, members = [], [], {}
    with store.writer(shard_proteins=50) as writer:
        for fold in FOLDS:
            for i in range(PER_FOLD):
                name = f"{fold}{i:03d}"
                members[name] = (name, fold)
                dense = rng.random((LENGTH, FEATURES)) * (rng.random((LENGTH, FEATURES)) < 0.05)
                dense[:, [3, 5]] *= 0.3
                if i % 2 == 0:
                    start = int(rng.integers(1, 30))
                    dense[start + 1 : start + 19, 3] = 1 + rng.random(18)
                    rows.append(row(name, start, start + 19, "toy:A"))
                if i % 3 == 0:
                    at = int(rng.integers(1, LENGTH))
                    dense[at - 1, 5] = 2 + rng.random()
                    rows.append(row(name, at, at, "toy:S"))
                coverage.append(
                    {
                        "accession": name,
                        "start": 1,
                        "end": LENGTH,
                        "kind": "toy",
                        "state": "looked",
                        "source": "toy",
                    }
                )
                writer.add(name, csr_matrix(dense.astype(np.float32)))
    concepts = [concept("toy:A", "span"), concept("toy:S", "residue")]
    return store, AnnotationTable.from_records(rows, coverage, concepts), Split(members, {})


def row(accession: str, start: int, end: int, concept: str) -> dict[str, object]:
    return {
        "accession": accession,
        "start": start,
        "end": end,
        "concept": concept,
        "evidence": "",
        "source": "toy",
    }


def concept(name: str, level: str) -> dict[str, object]:
    return {
        "concept": name,
        "name": name,
        "kind": "toy",
        "level": level,
        "world": "closed",
        "source": "toy",
        "release": "1",
        "members": [],
        "xrefs": [],
    }


@pytest.fixture(scope="module")
def linked(tmp_path_factory) -> tuple[LinkTable, pl.DataFrame]:
    return link(*plant(tmp_path_factory.mktemp("planted")))


def test_planted_features_are_linked_to_their_concepts(linked):
    table, _ = linked
    best = {(c, t): f for c, t, f in table.links.select("concept", "link_type", "feature").rows()}
    for kind in ("delineator", "locator", "interplm", "family_marker"):
        assert best["toy:A", kind] == 3
        assert best["toy:S", kind] == 5
    assert table.links.filter(pl.col("link_type") == "delineator")["test_f1"].min() > 0.9


def test_calls_on_test_are_right_and_priced_so(linked):
    table, calls = linked
    strong = calls.filter(pl.col("strength") > 0.7)
    assert strong.height >= 30
    assert strong["right"].mean() > 0.8
    assert set(calls["concept"]) == {"toy:A", "toy:S"}
    top = table.calibration.group_by("concept").agg(pl.col("precision").max(), pl.col("low").max())
    assert top["precision"].min() > 0.85
    assert (table.calibration["low"] <= table.calibration["precision"]).all()


def test_shuffled_labels_make_no_confident_calls(tmp_path):
    store, table, split = plant(tmp_path)
    rng = np.random.default_rng(1)
    start = rng.integers(1, 40, table.rows.height).astype(np.int32)
    width = (table.rows["end"] - table.rows["start"]).to_numpy()
    shuffled = table.rows.with_columns(
        accession=pl.Series(rng.permutation(table.rows["accession"].to_numpy())),
        start=pl.Series(start),
        end=pl.Series(start + width).cast(pl.Int32),
    )
    result, _ = link(store, AnnotationTable(shuffled, table.coverage, table.concepts), split)
    assert result.links.filter(pl.col("link_type") == "delineator")["test_f1"].max() < 0.5
    assert result.calibration["low"].max() < 0.8
