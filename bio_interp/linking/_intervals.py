"""Stretches of residues along one axis of all proteins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray


@dataclass(frozen=True)
class Intervals:
    """Stretches of residues, each of one protein, sorted by start.

    Attributes
    ----------
    start, end
        0-based index of the first residue, and of the one after the last, along all proteins.
    label
        Index of the concept (or coverage class) of each stretch.
    protein
        Index of the protein of each stretch.
    """

    start: Int[ndarray, "spans"]
    end: Int[ndarray, "spans"]
    label: Int[ndarray, "spans"]
    protein: Int[ndarray, "spans"]

    def __len__(self) -> int:
        return len(self.start)

    def where(self, keep: Bool[ndarray, "spans"]) -> Intervals:
        """Keep some of the stretches."""
        return Intervals(self.start[keep], self.end[keep], self.label[keep], self.protein[keep])

    def mask(self, residues: int) -> Bool[ndarray, "residues"]:
        """Mark the residues that any stretch holds."""
        steps = np.zeros(residues + 1, dtype=np.int32)
        np.add.at(steps, self.start, 1)
        np.add.at(steps, self.end, -1)
        return np.cumsum(steps[:-1]) > 0

    def merged(self) -> Intervals:
        """Join the stretches of one label that overlap, so that a residue counts once."""
        order = np.lexsort((self.start, self.label))
        start, end, label = self.start[order], self.end[order], self.label[order]
        if not len(start):
            return self
        # a label's stretches are shifted past those of the label before, so one pass serves all
        shift = label * (int(end.max()) + 1)
        reach = np.maximum.accumulate(end + shift)
        first = np.ones(len(start), dtype=bool)
        first[1:] = (start + shift)[1:] >= reach[:-1]
        at = np.flatnonzero(first)
        last = np.append(at[1:], len(start)) - 1
        joined = Intervals(start[at], reach[last] - shift[at], label[at], self.protein[order][at])
        return joined.where(np.argsort(joined.start, kind="stable"))

    def without(self, other: Intervals) -> Intervals:
        """Cut out what `other` holds under the same label; both merged."""
        pieces: list[tuple[int, int, int, int]] = []
        cuts: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for start, end, label, protein in other.rows():
            cuts.setdefault((label, protein), []).append((start, end))
        for start, end, label, protein in self.rows():
            for left, right in cuts.get((label, protein), ()):
                if start < left < end:
                    pieces.append((start, left, label, protein))
                if left < end and right > start:
                    start = max(start, right)
            if start < end:
                pieces.append((start, end, label, protein))
        array = np.array(sorted(pieces), dtype=np.int64).reshape(-1, 4)
        return Intervals(array[:, 0], array[:, 1], array[:, 2], array[:, 3])

    def inside(self, mask: Bool[ndarray, "residues"]) -> Intervals:
        """Cut away the residues that `mask` does not mark."""
        length = self.end - self.start
        span = np.repeat(np.arange(len(self)), length)
        index = np.arange(len(span)) + np.repeat(self.start - np.cumsum(length) + length, length)
        kept = mask[index]
        span, index = span[kept], index[kept]
        first = np.ones(len(span), dtype=bool)
        first[1:] = (np.diff(span) != 0) | (np.diff(index) != 1)
        at = np.flatnonzero(first)
        last = (np.append(at[1:], len(span)) - 1)[: len(at)]  # none of none
        own = span[at]
        cut = Intervals(index[at], index[last] + 1, self.label[own], self.protein[own])
        return cut.where(np.argsort(cut.start, kind="stable"))

    @classmethod
    def joined(cls, parts: Sequence[Intervals]) -> Intervals:
        """Put several together, sorted by start."""
        columns = [
            np.concatenate([vars(part)[name] for part in parts])
            for name in ("start", "end", "label", "protein")
        ]
        order = np.argsort(columns[0], kind="stable")
        return cls(*(column[order] for column in columns))

    def rows(self) -> list[tuple[int, int, int, int]]:
        """List ``(start, end, label, protein)``."""
        columns = (x.tolist() for x in (self.start, self.end, self.label, self.protein))
        return list(zip(*columns, strict=True))
