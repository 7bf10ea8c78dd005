"""Scores of counts, against numbers by hand and against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from bio_interp.linking.counting import Truth, bin_edges, count, scan, totals


def prepared(columns, labels):
    inside = labels.residue_mask(labels.proteins_of("select"))
    edges = bin_edges(columns, inside, np.arange(5) / 5)
    truth = Truth.of(totals(labels, "select"), labels.coverage_class, "cpu")
    return columns, labels, edges, truth


def known_residues(labels, concept):
    """Mark the residues of select where a concept is known, and those that bear it."""
    spans = labels.positives.where(labels.positives.label == concept)
    looked = labels.looked.where(labels.looked.label == labels.coverage_class[concept])
    unknown = labels.unknowns.where(labels.unknowns.label == concept)
    known = looked.mask(labels.residues) & ~unknown.mask(labels.residues)
    known &= labels.residue_mask(labels.proteins_of("select"))
    return known, spans.mask(labels.residues)


@pytest.mark.parametrize("seed", range(8))
def test_auroc_and_average_precision_equal_scikit_learn_on_the_bins(world, seed):
    columns, labels, edges, truth = prepared(*world(seed))
    protein = np.repeat(np.arange(len(labels.folds)), np.diff(labels.offsets))
    weight = labels.weights[protein]
    for features, counts in count(columns, labels, edges, fold="select"):
        roc, ap = truth.auroc(counts), truth.average_precision(counts)
        for i, feature in enumerate(features):
            score = (columns.rows[:, [feature]] >= edges[feature]).sum(1)
            for concept in range(3):
                known, bears = known_residues(labels, concept)
                told = (bears[known], score[known])
                by = {"sample_weight": weight[known]}
                assert roc[i, concept] == pytest.approx(roc_auc_score(*told, **by), abs=1e-9)
                expected = average_precision_score(*told, **by)
                assert ap[i, concept] == pytest.approx(expected, abs=1e-9)


def test_f1_by_hand(world, dense):
    """Two proteins of 10: the concept is at 1-5 and 8-10 of the first; on at 4-6, 8, and 15."""
    _, labels = world(0, concepts=1, proteins=2, weighted=False)
    spans = type(labels.positives)
    offsets = np.array([0, 10, 20])
    labels = type(labels)(
        **{
            **vars(labels),
            "offsets": offsets,
            "clusters": np.array([0, 1]),
            "folds": np.array(["select", "select"]),
            "positives": spans(*map(np.array, ([0, 7], [5, 10], [0, 0], [0, 0]))),
            "unknowns": spans(*(np.zeros(0, int),) * 4),
            "looked": spans(*map(np.array, ([0, 10], [10, 20], [0, 0], [0, 1]))),
        }
    )
    rows = np.zeros((20, 1))
    rows[[3, 4, 5, 7, 14]] = 1.0
    (_, counts), *_ = count(dense(rows), labels, np.ones((1, 1), np.float32), fold="select")
    truth = Truth.of(totals(labels, "select"), labels.coverage_class, "cpu")
    scores = truth.scores(counts)
    assert scores.interplm.item() == pytest.approx(2 * 0.6 * 1 / 1.6)  # 3 of 5 right, 2 of 2 spans
    assert scores.residue.item() == pytest.approx(2 * 0.6 * (3 / 8) / (0.6 + 3 / 8))
    assert scores.marker.item() == pytest.approx(2 * 0.5 * 1 / 1.5)  # fires in both proteins
    # 3 of 8 positives and 2 of 12 negatives are on
    assert truth.auroc(counts).item() == pytest.approx(0.5 + (3 / 8 - 2 / 12) / 2)


def test_a_scan_keeps_the_best_threshold_of_every_pair(world):
    columns, labels, edges, truth = prepared(*world(4))
    found = scan(columns, labels, edges, fold="select")
    for features, counts in count(columns, labels, edges, fold="select"):
        for name, values in vars(truth.scores(counts)).items():
            for i, feature in enumerate(features):
                best = values[i].max(-1)
                assert np.allclose(found.best[name].f1[:, feature], best.values.numpy())
                assert np.array_equal(found.best[name].bin[:, feature], best.indices.numpy())
    counted = torch.cat([c.clusters for _, c in count(columns, labels, edges, fold="select")])
    chosen = torch.from_numpy(found.best["marker"].bin.astype(np.int64)).T[..., None]
    assert np.array_equal(found.both, counted.gather(-1, chosen)[..., 0].T.numpy())
    assert (found.both <= found.fired).all()
