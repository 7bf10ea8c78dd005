"""AUROC by ranks is scikit-learn's; its error is DeLong's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_matrix
from sklearn.metrics import roc_auc_score

from bio_interp.discovery._ranks import rank_scores, standard_error


@given(st.integers(0, 10_000), st.integers(4, 40), st.booleans())
@settings(max_examples=15, deadline=None)
def test_auroc_of_all_columns_is_that_of_scikit_learn_with_ties_and_weights(seed, rows, weighted):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 4, (rows, 6)) * (rng.random((rows, 6)) < 0.6) / 2
    labels = rng.permutation(np.arange(rows) < max(1, rows // 3))
    weights = rng.random(rows) + 0.1 if weighted else np.ones(rows)
    ranks = rank_scores(csc_matrix(values), labels, weights, np.zeros(rows, int), np.ones(1))
    ours = ranks.auroc(labels[None])[0]
    theirs = [roc_auc_score(labels, column, sample_weight=weights) for column in values.T]
    assert ours == pytest.approx(theirs, abs=1e-11)


def test_one_ranking_serves_every_labelling():
    rng = np.random.default_rng(1)
    values = rng.integers(0, 5, (30, 4)).astype(float)
    labels = np.array([rng.permutation(np.arange(30) < 12) for _ in range(20)])
    ranks = rank_scores(csc_matrix(values), labels[0], np.ones(30), np.zeros(30, int), np.ones(1))
    theirs = [[roc_auc_score(y, column) for column in values.T] for y in labels]
    assert ranks.auroc(labels) == pytest.approx(np.array(theirs), abs=1e-11)


def test_rows_are_compared_within_their_group_only():
    rng = np.random.default_rng(2)
    group = np.repeat([0, 1, 2], [10, 15, 20])
    values = rng.integers(0, 4, (45, 5)) + 10.0 * group[:, None]  # groups differ by far
    values[rng.random((45, 5)) < 0.3] = 0
    labels = rng.random(45) < 0.5
    shares = np.array([0.5, 0.3, 0.2])
    ours = rank_scores(csc_matrix(values), labels, np.ones(45), group, shares).auroc(labels[None])
    of_group = [
        [roc_auc_score(labels[group == g], values[group == g, c]) for g in range(3)]
        for c in range(5)
    ]
    assert ours[0] == pytest.approx(np.array(of_group) @ shares, abs=1e-11)


def test_standard_error_is_delongs_by_hand():
    # placements 1 and 3/4 of the positives, 0 and 1/4 of the negatives; variance 1/32 each
    scores, labels = np.array([2.0, 1.0, 0.0, 1.0]), np.array([True, True, False, False])
    error = standard_error(scores, labels, np.ones(4), np.arange(4))
    assert error == pytest.approx(np.sqrt(1 / 64 + 1 / 64))


def test_members_of_a_cluster_add_nothing_to_the_certainty():
    rng = np.random.default_rng(3)
    scores, labels = rng.random(20), np.arange(20) < 10
    alone = standard_error(scores, labels, np.ones(20), np.arange(20))
    copies = np.repeat(np.arange(20), 5)
    many = standard_error(scores[copies], labels[copies], np.full(100, 0.2), copies)
    assert many == pytest.approx(alone)
