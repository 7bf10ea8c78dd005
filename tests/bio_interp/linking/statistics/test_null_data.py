"""On features that know nothing no p-value is too small; a feature that knows is found."""

import numpy as np
import pytest

from bio_interp.linking.statistics import (
    benjamini_hochberg,
    claim_p,
    cluster_tail,
    null_maxima,
    one_per_cluster,
    permute_labels,
)

from .conftest import best_f1, firing, lay, long_spans, positive_mask

CLUSTERS, SIZE, LENGTH = 150, 2, 90


@pytest.fixture(scope="module")
def unlinked():
    """Clusters of two alike proteins with long spans, and features that fire in runs anywhere."""
    rng = np.random.default_rng(0)
    lengths = np.full(CLUSTERS, LENGTH)
    one = positive_mask(lay(lengths, long_spans(rng, lengths, 40, 0.15), concepts=40))
    return twice(one), twice(firing(rng, lengths, 80, 0.15))


def twice(mask):
    """Lay every protein of a mask along the axis two times, as a cluster has two members."""
    rows = mask.reshape(len(mask), CLUSTERS, 1, LENGTH)
    return np.broadcast_to(rows, (len(mask), CLUSTERS, SIZE, LENGTH)).reshape(len(mask), -1)


def common(a, b):
    return a.astype(int) @ b.astype(int).T


def clusters_with(mask):
    return mask.reshape(len(mask), CLUSTERS, -1).any(2)


def test_tails_over_clusters_are_uniform_or_larger_where_nothing_is_linked(unlinked):
    concepts, features = (clusters_with(mask) for mask in unlinked)
    both = common(features, concepts)
    counts = features.sum(1)[:, None], concepts.sum(1)
    p = cluster_tail(both, *counts, CLUSTERS, min_overlap=1)
    for level in (0.01, 0.05, 0.1, 0.3, 0.5, 0.8):
        # 3,200 pairs that share rows: twice the binomial noise
        assert (p <= level).mean() <= level + 4 * np.sqrt(level * (1 - level) / p.size)
    # and not by being useless: the half step of a count is all that is lost
    below = cluster_tail(np.minimum(both + 1, np.minimum(*counts)), *counts, CLUSTERS)
    middle = (p + below) / 2
    assert 0.03 < (middle <= 0.05).mean() < 0.08
    assert (benjamini_hochberg(p) < 0.05).mean() <= 0.001


def test_tails_over_residues_are_wildly_off_on_the_same_data(unlinked):
    concepts, features = unlinked
    counts = features.sum(1)[:, None], concepts.sum(1)
    p = cluster_tail(common(features, concepts), *counts, concepts.shape[1], min_overlap=1)
    assert (p < 0.05).mean() > 0.2
    assert (benjamini_hochberg(p) < 0.05).mean() > 0.2


@pytest.fixture(scope="module")
def shifted():
    """Maxima of 239 permutations of one set of labels, in proteins of many lengths."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(30, 110, 80)
    labels = lay(lengths, long_spans(rng, lengths, 10, 0.25), concepts=10)
    return null_maxima(best_f1(firing(rng, lengths, 40, 0.25)), labels, draws=239, seed=1)


def test_at_most_5_percent_of_shifted_labels_are_claimed(shifted):
    observed, null = shifted[:40], shifted[40:]
    p = np.stack([claim_p(row, null) for row in observed])
    assert (p <= 0.2).mean() == pytest.approx(0.2, abs=0.08)
    assert (p <= 0.05).mean() <= 0.08
    q = np.stack([benjamini_hochberg(row) for row in p])
    assert (q < 0.05).mean() <= 0.05
    assert (q < 0.05).any(1).mean() <= 0.1


def test_claims_are_uniform_where_features_know_nothing():
    told = []
    for seed in range(4):
        rng = np.random.default_rng([7, seed])
        lengths = rng.integers(30, 110, 60)
        labels = lay(lengths, long_spans(rng, lengths, 15, 0.25), concepts=15)
        best = best_f1(firing(rng, lengths, 25, 0.25))
        told.append(claim_p(best(labels), null_maxima(best, labels, draws=59, seed=seed)))
    p = np.concatenate(told)
    assert (p <= 0.05).mean() <= 0.1
    assert 0.3 < (p <= 0.5).mean() < 0.7
    assert not (np.stack([benjamini_hochberg(x) for x in told]) < 0.05).any()


def test_a_planted_link_is_claimed_and_its_neighbours_are_not():
    rng = np.random.default_rng(5)
    lengths = rng.integers(60, 140, 60)
    labels = lay(lengths, long_spans(rng, lengths, 8, 0.3), concepts=8)
    on = firing(rng, lengths, 30, 0.3)
    true = positive_mask(labels)[4]
    on[11] = (true & (rng.random(len(true)) < 0.5)) | (rng.random(len(true)) < 0.05)
    best = best_f1(on)
    p = claim_p(best(labels), null_maxima(best, labels, draws=199))
    assert p[4] == 1 / 200
    assert np.flatnonzero(benjamini_hochberg(p) < 0.05).tolist() == [4]


def test_relatives_must_be_thinned_or_chance_is_claimed():
    """Ten clusters of ten alike proteins: what one has by chance all ten have."""
    told = {"all": [], "one per cluster": []}
    for seed in range(8):
        rng = np.random.default_rng([9, seed])
        lengths = np.full(10, 40)
        spans = positive_mask(lay(lengths, long_spans(rng, lengths, 6, 0.5), concepts=6))
        on = firing(rng, lengths, 3, 0.5)
        labels = lay(
            np.full(100, 40),
            [row for c in range(6) for row in alike(spans[c].reshape(10, 40), c)],
            concepts=6,
            clusters=np.repeat(np.arange(10), 10),
        )
        best = best_f1(np.repeat(on.reshape(3, 10, 40), 10, axis=1).reshape(3, -1))
        for name, chosen in (("all", labels), ("one per cluster", one_per_cluster(labels, rng))):
            told[name] += claim_p(best(chosen), null_maxima(best, chosen, draws=39)).tolist()
    assert np.mean(np.array(told["all"]) <= 0.05) > 0.2
    assert np.mean(np.array(told["one per cluster"]) <= 0.05) <= 0.1


def alike(mask, concept):
    """Spans of ten proteins that have what the one of the mask has."""
    for cluster, row in enumerate(mask):
        if row.any():
            start, end = np.flatnonzero(row)[[0, -1]]
            for member in range(10 * cluster, 10 * cluster + 10):
                yield 40 * member + int(start), 40 * member + int(end) + 1, concept, member


def test_p_values_count_the_null_that_reaches_the_score():
    null = np.array([[0.1, 0.5, 0.5], [0.2, 0.6, np.nan], [0.3, 0.7, 0.1]])
    p = claim_p(np.array([0.2, 0.8, np.nan]), null)
    np.testing.assert_array_equal(p, [3 / 4, 1 / 4, np.nan])
    assert claim_p(np.array([0.2, 0.8, 0.6]), null)[2] == 2 / 4


def test_each_draw_has_its_own_stream():
    rng = np.random.default_rng(0)
    labels = lay([50] * 10, long_spans(rng, np.full(10, 50), 2, 0.5), concepts=2)
    best = best_f1(firing(rng, np.full(10, 50), 3, 0.5))
    null = null_maxima(best, labels, draws=5, seed=4)
    np.testing.assert_array_equal(null[:3], null_maxima(best, labels, draws=3, seed=4))
    alone = best(permute_labels(labels, np.random.default_rng([4, 2])))
    np.testing.assert_array_equal(null[2], alone)
