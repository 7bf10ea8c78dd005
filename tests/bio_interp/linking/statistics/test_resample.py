import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.errors import MismatchError
from bio_interp.linking.statistics import SUMS, cluster_intervals, paired_intervals


def sums(rows):
    return pl.DataFrame(rows, schema=SUMS, orient="row")


def drawn(rng, *, concepts=4, clusters=40, precision=0.7, recall=0.6):
    """Clusters of which each has up to two runs and two spans of a concept."""
    rows = []
    for concept in range(concepts):
        for cluster in range(clusters):
            runs, spans = rng.integers(0, 3, 2)
            right, found = rng.binomial(runs, precision), rng.binomial(spans, recall)
            rows.append((f"toy:{concept}", cluster, right, runs, found, spans))
    return sums(rows)


def f1(table):
    right, runs, found, spans = (table[c].sum() for c in ("right", "runs", "found", "spans"))
    precision, recall = right / runs, found / spans
    return 2 * precision * recall / (precision + recall)


def test_scores_are_those_of_the_sums():
    table = sums([("a", 1, 3, 4, 1, 2), ("a", 2, 0, 1, 1, 2), ("b", 1, 0, 2, 0, 3)])
    told = cluster_intervals(table).concepts
    assert told["precision"].to_list() == [0.6, 0.0]
    assert told["recall"].to_list() == [0.5, 0.0]
    assert told["f1"].to_list() == [pytest.approx(2 * 0.6 * 0.5 / 1.1), 0.0]
    figures = cluster_intervals(table).figures
    assert figures["value"].to_list() == [pytest.approx(0.3 / 1.1), 1.0]


def test_an_interval_is_the_middle_of_scores_of_clusters_drawn_again():
    table = drawn(np.random.default_rng(0), concepts=1)
    told = cluster_intervals(table, draws=2000).concepts.row(0, named=True)
    rng, scores = np.random.default_rng(7), []
    for _ in range(2000):
        again = table[rng.integers(40, size=40).tolist()]
        scores.append(f1(again))
    low, high = np.quantile(scores, [0.025, 0.975])
    assert told["f1_low"] == pytest.approx(low, abs=0.015)
    assert told["f1_high"] == pytest.approx(high, abs=0.015)


def test_about_95_of_100_intervals_hold_the_true_score():
    rng = np.random.default_rng(1)
    told = cluster_intervals(drawn(rng, concepts=300), draws=300).concepts
    for score, true in (("precision", 0.7), ("recall", 0.6), ("f1", 2 * 0.42 / 1.3)):
        held = (told[f"{score}_low"] <= true) & (told[f"{score}_high"] >= true)
        assert 0.89 <= held.mean() <= 0.99


def test_members_of_one_cluster_are_drawn_together():
    right = np.random.default_rng(2).permutation(20) < 10
    alone = [("a", c, right[c // 10], 1, right[c // 10], 1) for c in range(200)]
    together = [(name, c // 10, *rest) for name, c, *rest in alone]
    narrow, wide = (
        cluster_intervals(sums(rows)).concepts.row(0, named=True) for rows in (alone, together)
    )
    assert narrow["precision"] == wide["precision"] == 0.5
    width = [x["precision_high"] - x["precision_low"] for x in (narrow, wide)]
    assert width[1] == pytest.approx(10**0.5 * width[0], rel=0.2)


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_and_how_a_cluster_is_split_into_them_do_not_matter(random):
    table = drawn(np.random.default_rng(3), concepts=2, clusters=10)
    rows = table.rows()
    halves = [(n, c, *(x / 2 for x in rest)) for n, c, *rest in rows for _ in range(2)]
    random.shuffle(halves)
    again = cluster_intervals(sums(halves), draws=50)
    told = cluster_intervals(table, draws=50)
    np.testing.assert_allclose(
        again.concepts.drop("concept").to_numpy(), told.concepts.drop("concept").to_numpy()
    )


def test_a_draw_without_a_span_says_nothing_and_no_run_at_all_is_no_score():
    table = sums([("a", 1, 1, 1, 1, 1), ("b", 1, 0, 2, 0, 0), ("c", 2, 0, 0, 0, 1)])
    told = cluster_intervals(table, clusters=50).concepts
    assert told.filter(concept="a").select("f1", "f1_low", "f1_high").row(0) == (1.0, 1.0, 1.0)
    assert np.isnan(told.filter(concept="b")["f1"].item())
    assert told.filter(concept="b")["precision"].item() == 0.0
    assert np.isnan(told.filter(concept="c")["precision"].item())
    assert told.filter(concept="c")["f1"].item() == 0.0
    assert cluster_intervals(table, clusters=50).figures["value"].to_list() == [0.5, 1.0]


def test_clusters_that_the_sums_do_not_tell_of_are_drawn_too():
    table = sums([("a", 1, 1, 1, 1, 1)])
    alone, among = (cluster_intervals(table, clusters=n).figures for n in (None, 100))
    assert alone.row(1) == ("concepts_above_half", 1.0, 1.0, 1.0)
    assert among.row(1) == ("concepts_above_half", 1.0, 0.0, 1.0)  # 37 % of draws lack it


def test_nothing_to_resample_gives_empty_tables():
    told = cluster_intervals(sums([]))
    assert told.concepts.is_empty()
    assert told.figures["value"].to_list() == [0.0, 0.0]


def test_fewer_clusters_than_the_sums_tell_of_are_refused():
    with pytest.raises(MismatchError, match="Count all clusters"):
        cluster_intervals(drawn(np.random.default_rng(0)), clusters=39)


def test_the_seed_decides_and_nothing_else():
    table = drawn(np.random.default_rng(4))
    one, same, other = (cluster_intervals(table, draws=100, seed=s).figures for s in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_a_source_differs_from_itself_by_nothing_on_any_draw():
    table = drawn(np.random.default_rng(5))
    told = paired_intervals(table, table)
    assert (told.concepts.select("difference", "low", "high").to_numpy() == 0.0).all()
    assert (told.figures.select("value", "low", "high").to_numpy() == 0.0).all()


def test_pairing_the_clusters_takes_away_what_both_sources_share():
    rng = np.random.default_rng(6)
    ours = drawn(rng, concepts=1, clusters=60)
    # the same, but one run right here is wrong there
    other = ours.with_columns((pl.col("right") - (pl.col("cluster") == 3)).clip(0).alias("right"))
    pair = paired_intervals(ours, other).concepts.row(0, named=True)
    alone = cluster_intervals(ours).concepts.row(0, named=True)
    assert pair["ours"] == alone["f1"]
    assert pair["high"] - pair["low"] < 0.3 * (alone["f1_high"] - alone["f1_low"])


def test_a_concept_that_one_source_lacks_counts_0_there():
    ours = sums(
        [("a", c, 1, 1, 1, 1) for c in range(20)] + [("b", c, 1, 1, 1, 1) for c in range(5)]
    )
    told = paired_intervals(ours, ours.filter(concept="a"), clusters=100)
    assert told.concepts["difference"].to_list() == [0.0, 1.0]
    assert told.concepts["other"].to_list() == [1.0, 0.0]
    assert told.figures["value"].to_list() == [0.5, 1.0]
    back = paired_intervals(ours.filter(concept="a"), ours, clusters=100)
    assert back.figures["value"].to_list() == [-0.5, -1.0]
    assert (back.figures["low"] == -told.figures["high"]).all()
