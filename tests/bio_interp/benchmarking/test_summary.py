"""Sums over concepts, also of those that nothing was chosen for."""

import polars as pl
import pytest

from bio_interp.benchmarking import BENCH, Measured, compare, summarise

CLUSTERS = range(5, 25)  # of test; smaller numbers are clusters of select


def _measured(name: str, concepts: tuple[str, ...], found: tuple[str, ...]) -> Measured:
    """Both concepts are borne by all clusters of test; only those `found` have a choice."""
    rows = [
        {"source": name, "score": "residue", "concept": c, "select_f1": 0.5,
         "f1": 1.0 if c in found else 0.0, "test_clusters": len(CLUSTERS)}
        for c in concepts
    ]  # fmt: skip
    sums = [(c, cluster, 4.0, 4.0, 4.0, 4.0) for c in found for cluster in CLUSTERS]
    schema = ["concept", "cluster", "right", "runs", "found", "spans"]
    types = dict.fromkeys(schema, pl.Float64) | {"concept": pl.String, "cluster": pl.Int64}
    frame = pl.DataFrame(sums, schema=types, orient="row")
    return Measured(name, pl.DataFrame(rows, schema=BENCH), {"residue": frame}, {})


def test_a_concept_without_a_choice_counts_nothing_and_adds_no_cluster() -> None:
    ours = _measured("sae", ("a", "b"), ("a",))
    (row,) = summarise([ours], len(CLUSTERS)).to_dicts()
    assert (row["concepts"], row["above_half"]) == (2, 1)
    assert row["mean_f1"] == pytest.approx(0.5)


def test_a_source_that_chose_nothing_is_compared_all_the_same() -> None:
    ours, none = _measured("sae", ("a", "b"), ("a",)), _measured("pca", ("a", "b"), ())
    (row,) = compare(ours, [none], len(CLUSTERS)).to_dicts()
    assert row["mean_f1"] == pytest.approx(0.5)
    (row,) = compare(none, [ours], len(CLUSTERS)).to_dicts()
    assert row["mean_f1"] == pytest.approx(-0.5)
