"""InterPLM's published way of counting, restated: the brute force that ours is held against.

Features come in pieces of 250 columns. For each threshold the piece is binarised, and for each
concept multiplied with the concept's column: once for true positives, once for false ones, and once
with the numbers of its instances, of which a Python set a feature keeps the distinct ones. The cost
is that of the original (`interplm/analysis/concepts/compare_activations.py` at 5f4cbf9).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

CHUNK = 250


@dataclass(frozen=True)
class BruteCounts:
    """Counts, each ``(features, concepts, thresholds)``."""

    tp: np.ndarray
    fp: np.ndarray
    spans: np.ndarray


def brute_force(
    features: csr_matrix,
    labels: csr_matrix,
    thresholds: Sequence[float],
    residue_level: Sequence[bool],
) -> BruteCounts:
    """Count every feature, concept and threshold.

    `labels` holds the number of the instance, from 1, where a residue has the concept. Instances
    are not counted for concepts of residue level.
    """
    shape = (features.shape[1], labels.shape[1], len(thresholds))
    found = BruteCounts(*(np.zeros(shape) for _ in range(3)))
    columns = csc_matrix(labels)
    for start in range(0, shape[0], CHUNK):
        piece = slice(start, start + CHUNK)
        _count_piece(
            found, piece, csr_matrix(features[:, piece]), columns, (thresholds, residue_level)
        )
    return found


def _count_piece(
    found: BruteCounts,
    piece: slice,
    features: csr_matrix,
    labels: csc_matrix,
    how: tuple[Sequence[float], Sequence[bool]],
) -> None:
    for t, threshold in enumerate(how[0]):
        on = features.copy()
        on.data = (on.data > threshold).astype(int)
        on.eliminate_zeros()
        for concept, residue_level in enumerate(how[1]):
            label = labels[:, concept]
            inside = on.multiply(label > 0)
            found.tp[piece, concept, t] = np.asarray(inside.sum(axis=0)).ravel()
            outside = on.multiply(label != 0).multiply(-1) + on
            found.fp[piece, concept, t] = np.asarray(outside.sum(axis=0)).ravel()
            if not residue_level:
                found.spans[piece, concept, t] = _distinct(csc_matrix(on.multiply(label)))


def _distinct(instances: csc_matrix) -> list[int]:
    """Count the different numbers in each column."""
    numbers = (instances.getcol(column).data for column in range(instances.shape[1]))
    return [len(set(of_column)) - (0 in of_column) for of_column in numbers]
