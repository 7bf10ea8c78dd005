"""Some of the features, or some of the residues, of other columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from bio_interp.linking.counting import Block, Columns


class SomeFeatures:
    """Features of other columns by number; the same may come twice."""

    def __init__(self, columns: Columns, features: Sequence[int]) -> None:
        self._columns, self._features = columns, list(features)

    @property
    def d_sae(self) -> int:
        """Number of features taken."""
        return len(self._features)

    @property
    def density(self) -> float:
        """As in the whole."""
        return self._columns.density

    def block(self, features: range) -> Block:
        """Read features that need not be neighbours."""
        wanted = (self._features[i] for i in features)
        return _joined([self._columns.block(range(f, f + 1)) for f in wanted])


class SomeResidues:
    """All features on some residues, held in memory; the axis stays that of the whole."""

    def __init__(self, columns: Columns, residues: Bool[ndarray, "residues"]) -> None:
        blocks = list[Block]()
        for feature in range(columns.d_sae):
            block = columns.block(range(feature, feature + 1))
            on = residues[block.index]
            blocks.append(Block(np.array([0, int(on.sum())]), block.index[on], block.value[on]))
        self._whole = _joined(blocks)

    @property
    def d_sae(self) -> int:
        """Number of features."""
        return len(self._whole.offsets) - 1

    @property
    def density(self) -> float:
        """Mean entries a feature."""
        return len(self._whole.index) / max(1, self.d_sae)

    def block(self, features: range) -> Block:
        """Read neighbouring features."""
        bounds = self._whole.offsets[features.start : features.stop + 1]
        entries = slice(bounds[0], bounds[-1])
        whole = self._whole
        return Block(bounds - bounds[0], whole.index[entries], whole.value[entries])


def _joined(blocks: Sequence[Block]) -> Block:
    counts = [np.diff(block.offsets) for block in blocks]
    offsets = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    index = np.concatenate([block.index for block in blocks])
    return Block(offsets, index, np.concatenate([block.value for block in blocks]))
