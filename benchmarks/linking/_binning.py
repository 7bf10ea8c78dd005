"""What bins cost: AUROC and average precision on 32 bins against every activation its own."""

from typing import Any

import numpy as np
from _ours import MatrixColumns, instances_of
from _synthetic import FOLD, labels_of
from scipy.sparse import csr_matrix
from sklearn.metrics import average_precision_score, roc_auc_score

from bio_interp.linking.counting import Truth, bin_edges, count, totals


def binning(features: csr_matrix, labels: csr_matrix, offsets: np.ndarray, seed: int) -> Any:
    """Let feature i fire more on concept i, and score it both ways.

    Returns
    -------
    dict
        Mean and largest difference, binned minus unbinned; and the largest difference from
        scikit-learn on the same bins, which is rounding.
    """
    dense, bears = features.toarray(), labels.toarray() > 0
    rng, concepts = np.random.default_rng(seed), bears.shape[1]
    for concept in range(concepts):
        on = bears[:, concept] & (rng.random(len(bears)) < 0.02 * (concept + 1))
        dense[on, concept] += rng.random(on.sum()).astype(np.float32) * 2
    columns = MatrixColumns(csr_matrix(dense[:, :concepts]))
    laid = labels_of(offsets, instances_of(labels, offsets), concepts)
    edges = bin_edges(columns, laid.residue_mask(laid.proteins_of(FOLD)))
    truth = Truth.of(totals(laid, FOLD), laid.coverage_class, "cpu")
    found = np.zeros((2, concepts))
    for block, counts in count(columns, laid, edges, fold=FOLD):
        own = np.arange(block.start, block.stop)
        for i, score in enumerate((truth.auroc(counts), truth.average_precision(counts))):
            found[i, own] = score.numpy()[own - block.start, own]
    score = dense[:, :concepts]
    bins = (score[:, :, None] >= edges[None]).sum(-1)
    plain, binned = (
        np.array(
            [
                [measure(bears[:, c], values[:, c]) for c in range(concepts)]
                for measure in (roc_auc_score, average_precision_score)
            ]
        )
        for values in (score, bins)
    )
    figures: dict[str, Any] = {"bins": edges.shape[1], "pairs": concepts}
    for i, name in enumerate(("auroc", "average_precision")):
        difference = found[i] - plain[i]
        figures[name] = {
            "mean": round(float(plain[i].mean()), 4),
            "mean_difference": float(difference.mean()),
            "largest_difference": float(np.abs(difference).max()),
            "largest_from_scikit_learn_on_bins": float(np.abs(found[i] - binned[i]).max()),
        }
    return figures
