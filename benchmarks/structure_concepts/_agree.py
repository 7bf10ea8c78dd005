"""Counts of residues on whose state two sources agree."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np


class Tally:
    """Pairs of states, ours and theirs; ours may be unknown."""

    def __init__(self) -> None:
        self.pairs: Counter[tuple[str | None, str]] = Counter()

    def add(self, ours: Sequence[str | None], theirs: str) -> None:
        self.pairs.update(zip(ours, theirs, strict=True))

    def figures(self) -> dict[str, Any]:
        total = self.pairs.total()
        same = sum(n for (ours, theirs), n in self.pairs.items() if ours == theirs)
        unknown = sum(n for (ours, _), n in self.pairs.items() if ours is None)
        return {
            "residues": total,
            "unknown": unknown,
            "agreement": round(same / (total - unknown), 4),
            "helix": self._of("H"),
            "strand": self._of("E"),
        }

    def _of(self, state: str) -> dict[str, float]:
        both = self.pairs[state, state]
        found = sum(n for (ours, _), n in self.pairs.items() if ours == state)
        true = sum(n for (ours, theirs), n in self.pairs.items() if theirs == state and ours)
        return {"precision": round(both / found, 4), "recall": round(both / true, 4)}


def surface_agreement(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Compare surfaces in square angstrom."""
    ours, theirs = np.array(pairs).T
    return {
        "surfaces": len(pairs),
        "surface_mean_difference": round(float(np.abs(ours - theirs).mean()), 2),
        "surface_correlation": round(float(np.corrcoef(ours, theirs)[0, 1]), 4),
    }
