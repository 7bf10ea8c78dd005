"""Dense activations read by feature: neurons, components and scores of probes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.linking.counting import Block
from bio_interp.provenance import atomic_path

if TYPE_CHECKING:
    from torch import Tensor

_ROWS = 16_384  # transposed at a time
_SAMPLE = 50_000  # residues that quantiles are taken over


def write_by_feature(
    path: Path, rows: Iterable[Tensor], residues: int, features: int
) -> Float[ndarray, "features residues"]:
    """Turn rows of activations over, so that a feature is read in one go; float16.

    Parameters
    ----------
    path
        An ``.npy`` file; one that is there is taken as it is.
    rows
        ``(some residues, features)`` each, `residues` in all.
    residues, features
        Size of the whole.
    """
    if not path.is_file():
        with atomic_path(path) as temporary:
            shape = (features, residues)
            whole = np.lib.format.open_memmap(temporary, "w+", np.float16, shape)
            first, waiting, have = 0, list[ndarray](), 0
            for part in rows:
                waiting.append(part.half().numpy())
                have += len(part)
                if have >= _ROWS:
                    whole[:, first : first + have] = np.concatenate(waiting).T
                    first, waiting, have = first + have, [], 0
            if have:
                whole[:, first : first + have] = np.concatenate(waiting).T
            whole.flush()
    return np.load(path, mmap_mode="r", allow_pickle=False)


class DenseColumns:
    """Dense features, above a level of their own; with `both` signs feature ``i + n`` is ``-i``.

    Parameters
    ----------
    values
        ``(features, residues)``.
    share
        Share of the residues where each is on: those of its highest values. A threshold below
        that is not tried.
    both
        Whether the lowest values are features too.
    """

    def __init__(
        self, values: Float[ndarray, "features residues"], *, share: float, both: bool
    ) -> None:
        self._values, self._share = values, share
        step = max(1, values.shape[1] // _SAMPLE)
        ends = np.empty((values.shape[0], 2), np.float32)
        for i in range(values.shape[0]):  # one column at a time: the file is larger than memory
            some = np.asarray(values[i, ::step], np.float32)
            ends[i] = np.quantile(some, 1 - share), -np.quantile(some, share)
        self._cut = ends.T.ravel() if both else ends[:, 0]

    @property
    def d_sae(self) -> int:
        """Number of features, both signs counted."""
        return len(self._cut)

    @property
    def density(self) -> float:
        """Residues where a feature is on."""
        return self._share * self._values.shape[1]

    def block(self, features: range) -> Block:
        """Read neighbouring features; an activation is the height above the feature's level."""
        counts, index, value = list[int](), list[ndarray](), list[ndarray]()
        for feature in features:
            column = np.asarray(self._values[feature % len(self._values)], np.float32)
            above = (column if feature < len(self._values) else -column) - self._cut[feature]
            on = np.flatnonzero(above > 0)
            counts.append(len(on))
            index.append(on)
            value.append(above[on])
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Block(offsets, np.concatenate(index).astype(np.int64), np.concatenate(value))
