"""Runs of residues in a protein.

Public positions are 1-based and inclusive (``start``, ``end``), as in UniProt and GFF3. Arrays are
0-based and called ``index``.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A run of residues in one protein, 1-based and inclusive at both ends."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start + 1

    def overlap(self, other: "Span") -> int:
        """Count the residues that both spans hold."""
        return max(0, min(self.end, other.end) - max(self.start, other.start) + 1)


def runs(on: Bool[ndarray, "residues"], *, max_gap: int = 0) -> Int[ndarray, "runs 2"]:
    """Find the runs of residues that are on, joining runs `max_gap` or fewer residues apart.

    Returns
    -------
    ndarray
        One row ``(start, end)`` a run, 1-based and inclusive, in sequence order; shape ``(0, 2)``
        where nothing is on.

    Examples
    --------
    >>> runs(np.array([0, 1, 1, 0, 1], dtype=bool)).tolist()
    [[2, 3], [5, 5]]
    >>> runs(np.array([0, 1, 1, 0, 1], dtype=bool), max_gap=1).tolist()
    [[2, 5]]
    """
    index = np.flatnonzero(on)
    if not len(index):
        return np.zeros((0, 2), dtype=np.int64)
    breaks = np.flatnonzero(np.diff(index) > max_gap + 1)
    starts = index[np.concatenate([[0], breaks + 1])]
    ends = index[np.concatenate([breaks, [len(index) - 1]])]
    return np.stack([starts, ends], axis=1) + 1  # (runs, 2)
