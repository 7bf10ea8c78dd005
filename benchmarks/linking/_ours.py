"""Ours from the brute force's own inputs: two sparse matrices."""

from collections.abc import Sequence

import numpy as np
from _interplm import BruteCounts
from _synthetic import FOLD, labels_of
from scipy.sparse import csc_matrix, csr_matrix

from bio_interp.linking import Intervals
from bio_interp.linking.counting import Block, count
from bio_interp.linking.interplm import Rules, lower_edges


class MatrixColumns:
    """Activations of a sparse matrix ``(residues, features)``, by feature."""

    def __init__(self, matrix: csr_matrix) -> None:
        self._columns = csc_matrix(matrix)
        self._columns.sort_indices()

    @property
    def d_sae(self) -> int:
        """Number of features."""
        return int(self._columns.shape[1])

    @property
    def density(self) -> float:
        """Mean entries a feature."""
        return self._columns.nnz / max(1, self.d_sae)

    def block(self, features: range) -> Block:
        """Read neighbouring features."""
        offsets = self._columns.indptr[features.start : features.stop + 1].astype(np.int64)
        entries = slice(offsets[0], offsets[-1])
        index = self._columns.indices[entries].astype(np.int64)
        return Block(offsets - offsets[0], index, self._columns.data[entries])


def one_pass(
    features: csr_matrix,
    labels: csr_matrix,
    thresholds: Sequence[float],
    offsets: np.ndarray,
) -> BruteCounts:
    """Count what `brute_force` counts; `offsets` are the first residues of proteins."""
    rules = Rules(thresholds=tuple(thresholds))
    edges = lower_edges(np.ones(features.shape[1], np.float32), rules)
    laid = labels_of(offsets, instances_of(labels, offsets), labels.shape[1])
    blocks = [counts for _, counts in count(MatrixColumns(features), laid, edges, fold=FOLD)]
    hits, spans, fired = (
        np.concatenate([getattr(block, name).numpy() for block in blocks])
        for name in ("hits", "spans", "fired")
    )
    return BruteCounts(hits, fired[:, :1] - hits, spans)


def instances_of(labels: csr_matrix, offsets: np.ndarray) -> Intervals:
    """Find the runs of residues with the same number in each column of a matrix of labels."""
    columns = csc_matrix(labels)
    columns.sort_indices()
    concept = np.repeat(np.arange(columns.shape[1]), np.diff(columns.indptr))
    row, number = columns.indices.astype(np.int64), columns.data.astype(np.int64)
    first = np.ones(len(row), dtype=bool)
    first[1:] = (np.diff(row) != 1) | (np.diff(number) != 0) | (np.diff(concept) != 0)
    at = np.flatnonzero(first)
    end = row[np.append(at[1:], len(row)) - 1] + 1
    protein = np.searchsorted(offsets, row[at], side="right") - 1
    spans = Intervals(row[at], end, concept[at], protein)
    return spans.where(np.argsort(spans.start, kind="stable"))
