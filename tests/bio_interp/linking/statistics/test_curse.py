import numpy as np
import pytest

from bio_interp.errors import MismatchError
from bio_interp.linking.statistics import best_score, winners_curse

CONCEPTS, CANDIDATES, CLUSTERS, TRUE = 40, 60, 25, 0.62


def candidates(rng, clusters=CLUSTERS, spread=0.03):
    """Sums of candidates that are about equally good, one run and one span a cluster."""
    chance = np.clip(rng.normal(TRUE, spread, (CANDIDATES, 1)), 0, 1)
    hit = rng.random((CANDIDATES, clusters)) < chance
    one = np.ones_like(hit)
    return np.stack([hit, one, hit, one], axis=-1).astype(float), chance[:, 0]


@pytest.fixture(scope="module")
def chosen():
    """Naive, debiased and true score, and the score on a next fold, of each concept's best."""
    rng, rows = np.random.default_rng(0), []
    for concept in range(CONCEPTS):
        sums, chance = candidates(rng)
        best = best_score(sums, seed=concept)
        again = (rng.random(CLUSTERS) < chance[best.candidate]).mean()
        rows.append((best.naive, best.debiased, chance[best.candidate], again))
    return np.array(rows).T


def test_a_naive_choice_falls_on_the_next_fold(chosen):
    naive, _, _, test = chosen
    told = winners_curse([f"toy:{i}" for i in range(CONCEPTS)], naive, test)
    assert told.select > 0.74
    assert told.test < 0.68
    assert told.drop > 0.08
    assert told.drop == pytest.approx(told.table["drop"].mean())


def test_the_estimate_without_luck_is_nearer_to_the_truth(chosen):
    naive, debiased, true, _ = chosen
    assert (naive - true).mean() > 0.12
    assert 0 <= (debiased - true).mean() < 0.6 * (naive - true).mean()


def test_there_is_no_curse_without_a_choice():
    rng = np.random.default_rng(1)
    told = [best_score(candidates(rng)[0][:1], seed=s) for s in range(20)]
    assert abs(np.mean([b.optimism for b in told])) < 0.01
    assert {b.candidate for b in told} == {0}


def test_the_curse_lifts_with_more_clusters():
    rng = np.random.default_rng(2)
    few, many = (best_score(candidates(rng, clusters=n)[0]).optimism for n in (25, 400))
    assert many < few / 2


def test_the_best_candidate_is_that_of_the_highest_f1():
    sums = np.array([[[1, 2, 1, 1]] * 5, [[1, 1, 1, 1]] * 5, [[0, 0, 0, 1]] * 5], dtype=float)
    best = best_score(sums)
    assert (best.candidate, best.naive, best.optimism, best.debiased) == (1, 1.0, 0.0, 1.0)


def test_the_table_lists_the_largest_drops_first_and_a_failure_counts_0():
    told = winners_curse(
        ["a", "b", "c"],
        np.array([0.8, 0.6, 0.7]),
        np.array([0.7, np.nan, 0.9]),
        np.array([0.75, 0.3, 0.8]),
    )
    assert told.table.columns == ["concept", "select", "calibrate", "test", "drop"]
    assert told.table["concept"].to_list() == ["b", "a", "c"]
    assert told.table["drop"].to_list() == pytest.approx([0.6, 0.1, -0.2])
    means = told.select, told.calibrate, told.test, told.drop
    assert means == pytest.approx((0.7, 1.85 / 3, 1.6 / 3, 0.5 / 3))
    assert winners_curse(["a"], np.array([0.8]), np.array([0.7])).calibrate is None


def test_scores_of_other_concepts_are_refused():
    with pytest.raises(MismatchError, match="on test for each of 2"):
        winners_curse(["a", "b"], np.ones(2), np.ones(3))
