"""Activations by feature along one axis of residues: what is counted."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

if TYPE_CHECKING:
    from bio_interp.features import FeatureStore


@dataclass(frozen=True)
class Block:
    """Where each of some neighbouring features fires.

    Attributes
    ----------
    offsets
        First entry of each feature, and the number of entries at the end.
    index
        0-based residue of each entry along the axis, ascending within a feature.
    value
        Activation of each entry, float32, above 0.
    """

    offsets: Int[ndarray, "features_plus_1"]
    index: Int[ndarray, "entries"]
    value: Float[ndarray, "entries"]


class Columns(Protocol):
    """Activations of many features along one axis of residues, read by feature.

    `StoreColumns` reads the codes of a store. Whatever else gives these three can be counted,
    linked and benchmarked just the same.
    """

    @property
    def d_sae(self) -> int:
        """Number of features."""
        ...

    @property
    def density(self) -> float:
        """Entries a feature, about; sets how many features are read at a time."""
        ...

    def block(self, features: range) -> Block:
        """Read neighbouring features; several threads may ask at once."""
        ...


class StoreColumns:
    """The codes of a `FeatureStore`; the axis is that of its residues, protein after protein."""

    def __init__(self, store: FeatureStore) -> None:
        self._store, self._lock = store, Lock()
        lengths = [entry["residues"] for entry in store.entries]
        self._first = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)

    @property
    def d_sae(self) -> int:
        """Number of features."""
        return self._store.d_sae

    @property
    def density(self) -> float:
        """Mean entries a feature."""
        return sum(entry["nonzeros"] for entry in self._store.entries) / max(1, self.d_sae)

    def block(self, features: range) -> Block:
        """Read neighbouring features of all shards."""
        with self._lock:  # the store closes shards that it has not used for long
            shards = list(self._store.shards())
        counts, index, value = list[ndarray](), list[ndarray](), list[ndarray]()
        for shard, first in zip(shards, self._first[:-1], strict=True):
            bounds = shard.feature_offsets[features.start : features.stop + 1]
            entries = slice(bounds[0], bounds[-1])
            counts.append(np.diff(bounds))
            index.append(shard.feature_rows[entries].astype(np.int64) + first)
            value.append(shard.feature_values[entries].astype(np.float32))
        return _joined(np.array(counts).reshape(-1, len(features)), index, value)


def _joined(
    counts: Int[ndarray, "shards features"], index: list[ndarray], value: list[ndarray]
) -> Block:
    """Put the entries of each feature together, shard after shard; leave out those below 0."""
    rows = np.concatenate([np.zeros(0, np.int64), *index])
    values = np.concatenate([np.zeros(0, np.float32), *value])
    numbers = np.arange(counts.shape[1])
    feature = np.concatenate([np.zeros(0, np.int64), *(np.repeat(numbers, c) for c in counts)])
    if len(counts) > 1 and counts.shape[1] > 1:
        order = np.argsort(feature, kind="stable")
        feature, rows, values = feature[order], rows[order], values[order]
    if len(values) and values.min() <= 0:
        on = values > 0
        feature, rows, values = feature[on], rows[on], values[on]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(feature, minlength=len(numbers)))])
    return Block(offsets.astype(np.int64), rows, values)
