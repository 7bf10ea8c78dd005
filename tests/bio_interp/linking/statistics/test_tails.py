from fractions import Fraction
from math import comb, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, hypergeom

from bio_interp.errors import MismatchError
from bio_interp.linking.statistics import (
    benjamini_hochberg,
    cluster_tail,
    matched_total,
    size_strata,
)


@st.composite
def counts(draw, most=60):
    total = draw(st.integers(1, most))
    fired, bearing = draw(st.integers(0, total)), draw(st.integers(0, total))
    both = draw(st.integers(max(0, fired + bearing - total), min(fired, bearing)))
    return both, fired, bearing, total


def exact(both, fired, bearing, total):
    ways = sum(
        comb(bearing, x) * comb(total - bearing, fired - x)
        for x in range(both, min(fired, bearing) + 1)
    )
    return Fraction(ways, comb(total, fired))


@given(counts())
def test_a_tail_is_the_sum_of_exact_probabilities(case):
    p = cluster_tail(*case, min_overlap=0)
    assert p == pytest.approx(float(exact(*case)), rel=1e-11)


@given(counts(), st.integers(1, 5))
def test_a_tail_is_the_same_from_both_sides_and_falls_with_the_overlap(case, more):
    both, fired, bearing, total = case
    p = cluster_tail(both, fired, bearing, total, min_overlap=0)
    assert p == pytest.approx(cluster_tail(both, bearing, fired, total, min_overlap=0), rel=1e-11)
    if both + more <= min(fired, bearing):
        assert cluster_tail(both + more, fired, bearing, total, min_overlap=0) < p


@pytest.mark.parametrize("total", [50, 700, 5_000, 60_000])
def test_tails_are_those_of_scipy_near_the_mean_and_far_from_it(total):
    rng = np.random.default_rng(total)
    fired, bearing = rng.integers(1, total // 2, (2, 60))
    mean = fired * bearing / total
    wanted = np.round(mean + rng.normal(0, 5, 60) * (1 + np.sqrt(mean))).astype(int)
    both = np.clip(wanted, np.maximum(0, fired + bearing - total), np.minimum(fired, bearing))
    told = cluster_tail(both, fired, bearing, total, min_overlap=0)
    reference = hypergeom.sf(both - 1, total, fired, bearing)
    assert (reference < 1e-12).any()
    assert (both < mean).any()
    np.testing.assert_allclose(told, reference, rtol=1e-9)


def test_a_tail_too_small_for_a_float_has_its_logarithm():
    case = (900, 1000, 950, 5000)
    value = exact(*case)
    wanted = log(value.numerator) - log(value.denominator)
    assert wanted < -1000
    assert cluster_tail(*case, log=True) == pytest.approx(wanted, rel=1e-12)
    assert cluster_tail(*case) == 0.0


def test_pairs_that_meet_in_few_clusters_are_never_claimed():
    both = np.arange(6)
    p = cluster_tail(both, 6, 6, 1000, min_overlap=4)
    assert (p[:4] == 1.0).all()
    np.testing.assert_array_equal(p[4:], cluster_tail(both[4:], 6, 6, 1000, min_overlap=0))


def test_a_table_of_pairs_is_the_pairs_one_by_one_whatever_chunk_they_fall_into():
    rng = np.random.default_rng(0)
    fired, bearing = rng.integers(1, 40, (400, 1)), rng.integers(1, 40, 300)
    both = rng.integers(0, np.minimum(fired, bearing) + 1)  # 120,000 pairs, two chunks
    table = cluster_tail(both, fired, bearing, 100)
    for row, column in rng.integers(0, (400, 300), (50, 2)):
        alone = cluster_tail(both[row, column], fired[row, 0], bearing[column], 100)
        assert table[row, column] == pytest.approx(alone, rel=1e-11)
    assert cluster_tail(both[:0], fired[:0], bearing, 100).shape == (0, 300)


@pytest.mark.parametrize("case", [(4, 3, 5, 10), (-1, 3, 5, 10), (3, 11, 5, 10), (1, 3, 12, 10)])
def test_counts_that_cannot_be_are_refused(case):
    with pytest.raises(MismatchError, match="in common of"):
        cluster_tail(*case)


@given(st.lists(st.floats(0, 1) | st.just(1.0) | st.just(float("nan")), max_size=40))
def test_q_values_are_those_of_scipy_over_what_was_tested(values):
    p = np.array(values, dtype=float)
    told = ~np.isnan(p)
    q = benjamini_hochberg(p)
    assert np.isnan(q[~told]).all()
    if told.any():
        np.testing.assert_allclose(q[told], false_discovery_control(p[told]), 1e-12, 1e-300)


def test_q_values_keep_the_shape_and_the_p_values():
    p = np.array([[0.001, 1.0], [np.nan, 0.04]])
    before = p.copy()
    np.testing.assert_allclose(benjamini_hochberg(p), [[0.003, 1.0], [np.nan, 0.06]])
    np.testing.assert_array_equal(p, before)


def test_strata_hold_clusters_of_similar_size_and_as_many_each():
    sizes = np.random.default_rng(0).permutation(100)
    strata = size_strata(sizes, strata=4)
    assert np.bincount(strata).tolist() == [25] * 4
    assert all(sizes[strata == s].max() < sizes[strata == s + 1].min() for s in range(3))


def test_one_stratum_gives_the_number_of_clusters_and_strata_what_they_would_meet_by_chance():
    assert matched_total(np.array([7]), np.array([[5], [0]]), np.array([90])).tolist() == [90, 90]
    # 8 of 10 large and 2 of 90 small clusters are hit, 5 large and 1 small bear: 4 + 1/45 meet
    fired, bearing, clusters = np.array([[8, 2]]), np.array([[5, 1]]), np.array([10, 90])
    assert matched_total(fired, bearing, clusters).item() == int(10 * 6 / (4 + 2 / 90)) == 14


def test_large_clusters_that_have_more_of_everything_are_not_taken_for_links():
    rng = np.random.default_rng(1)
    sizes = np.clip(rng.lognormal(5.3, 0.6, 800), 60, 1500)
    fired, bearing = (
        rng.random((n, 800)) < 1 - np.exp(-(10 ** rng.uniform(-4.5, -2.6, (n, 1))) * sizes)
        for n in (150, 60)
    )
    strata = np.eye(10, dtype=int)[size_strata(sizes)]
    total = matched_total((fired @ strata)[:, None], bearing @ strata, strata.sum(0))
    both = fired.astype(int) @ bearing.T.astype(int)
    counts = both, fired.sum(1)[:, None], bearing.sum(1)
    plain, matched = (cluster_tail(*counts, t, min_overlap=1) for t in (800, total))
    assert (plain < 0.05).mean() > 0.15  # this is why
    assert (matched < 0.05).mean() <= 0.05
    assert (matched < 0.01).mean() <= 0.01
