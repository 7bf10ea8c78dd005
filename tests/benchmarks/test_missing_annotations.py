"""The judge of the benchmark: what is hidden, what is new in time, what is right."""

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
OLD = """protein_id,feature,isoform_id,start,end,note
P1,METAL,,10,,Zinc; catalytic
P1,NP_BIND,,20,27,ATP
P1,CA_BIND,,40,51,
P1,REGION,,60,70,Substrate binding
P1,REGION,,80,90,Interaction with ACT1
P1,MOD_RES,,95,,Phosphoserine
"""
NEW = """protein_id,feature,isoform_id,start,end,note,evidence
P1,BINDING,,10,,Zn(2+),ECO:0000269
P1,BINDING,,20,27,ATP,ECO:0000255
P1,BINDING,,42,,Ca(2+),ECO:0000269
P1,BINDING,,65,,substrate,ECO:0000269
P1,BINDING,,85,,substrate,ECO:0000269
P1,MOD_RES,,95,,Phosphoserine; by CK1,ECO:0000269
P1,MOD_RES,,96,,Phosphoserine,ECO:0000255
P1,HELIX,,1,9,,ECO:0007829
P2,BINDING,,5,,substrate,ECO:0000269
"""


@pytest.fixture(scope="module")
def bench():
    """The modules of the benchmark, by name."""
    before, known = list(sys.path), set(sys.modules)
    sys.path[:0] = [str(FOLDER / "missing_annotations"), str(FOLDER)]
    try:
        import _data
        import _score

        yield {"data": _data, "score": _score}
    finally:
        sys.path[:] = before
        for name in ("_data", "_score", "_harness"):
            if name not in known:
                sys.modules.pop(name, None)


@pytest.fixture
def tables(tmp_path):
    from bio_interp.annotations import collect

    found = []
    for name, text in (("old", OLD), ("new", NEW)):
        path = tmp_path / f"{name}.csv"
        path.write_text(text)
        found.append(collect([path]))
    return found


def test_what_was_renamed_between_releases_is_not_new(bench, tables):
    rows = bench["data"].added_since(*tables, ["P1"])
    own = rows.filter(pl.col("concept") == pl.col("kind"))
    assert own.sort("start").select("start", "kind", "level").rows() == [
        (85, "uniprot:BINDING", "experimental"),  # a region of interaction was no binding site
        (96, "uniprot:MOD_RES", "sequence_model"),
    ]


def test_hiding_takes_every_copy_and_leaves_that_somebody_looked(bench, tables):
    table = tables[0]
    hidden = bench["data"].without(table, ["P1"])
    kinds = dict(table.concepts.select("concept", "kind").iter_rows())
    assert {kinds[c] for c in hidden.rows["concept"]} == {"uniprot:REGION"}
    assert hidden.coverage.equals(table.coverage)
    assert bench["data"].without(table, ["P9"]).rows.height == table.rows.height


@pytest.mark.parametrize(("start", "end", "right"), [
    (10, 20, True), (10, 15, False), (15, 16, False), (1, 20, True), (1, 19, False), (11, 40, True),
])  # fmt: skip
def test_a_span_is_right_by_half_of_it_and_a_quarter_of_the_truth(bench, start, end, right):
    # the truth is 11 to 50, 40 residues; 1 to 20 has half of itself and 10 of them
    score = bench["score"]
    place = score.Place("P", start, end, "c")
    assert score.is_right(place, 11, 50, site=False) == right


@pytest.mark.parametrize(("start", "end", "right"), [
    (5, 5, True), (4, 6, True), (5, 8, False), (6, 6, False),
])  # fmt: skip
def test_a_site_is_right_where_a_short_call_holds_it(bench, start, end, right):
    score = bench["score"]
    assert score.is_right(score.Place("P", start, end, "c"), 5, 5, site=True) == right


def judged(score, places):
    frame = pl.DataFrame(
        [
            ("P1", "u:A", 10, 19, "u:A", "experimental"),
            ("P1", "u:A/x", 10, 19, "u:A", "experimental"),
            ("P2", "u:A", 30, 39, "u:A", "unknown"),
            ("P3", "u:A", 1, 9, "u:A", "sequence_model"),
        ],
        schema=["accession", "concept", "start", "end", "kind", "level"],
        orient="row",
    )
    truth = score.Truth.of(frame, set())
    clusters = {"P1": "a", "P2": "b", "P3": "c"}
    return score.judge([score.Place(*p) for p in places], truth, {"u:A"}, clusters)


def test_a_kind_and_its_subkind_are_one_annotation_to_find(bench):
    ranked = judged(bench["score"], [("P1", 10, 19, "u:A"), ("P1", 10, 19, "u:A/x")])
    assert ranked.at(None, np.ones(3)) == (1.0, 0.5)


def test_what_only_a_sequence_model_says_counts_neither_way(bench):
    ranked = judged(bench["score"], [("P3", 1, 9, "u:A"), ("P1", 90, 99, "u:A")])
    assert len(ranked.right) == 1
    assert ranked.at(None, np.ones(3)) == (0.0, 0.0)


def test_the_top_of_a_list_counts_a_cluster_as_often_as_it_was_drawn(bench):
    ranked = judged(bench["score"], [("P1", 10, 19, "u:A"), ("P2", 90, 99, "u:A")])
    assert ranked.at(1, np.ones(3))[0] == 1.0
    assert ranked.at(None, np.ones(3)) == (0.5, 0.5)
    assert ranked.at(None, np.array([3, 1, 0])) == (0.75, 0.75)  # three times right, once wrong
    assert ranked.at(2, np.array([1, 1, 0])) == (0.5, 0.5)
    assert ranked.at(2, np.array([0, 2, 0])) == (0.0, 0.0)
