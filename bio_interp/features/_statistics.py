"""Statistics of features over the shards of a store."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.features._shards import FeatureShard


def maxima(shards: Iterable[FeatureShard], d_sae: int) -> Float[ndarray, "d_sae"]:
    """Largest activation of each feature; 0 where it never fires above 0."""
    largest = np.zeros(d_sae, dtype=np.float32)
    for shard in shards:
        np.maximum(largest, shard.maxima, out=largest)
    return largest


def firing_counts(shards: Iterable[FeatureShard], d_sae: int) -> Int[ndarray, "d_sae"]:
    """Count the residues where each feature fires."""
    counts = np.zeros(d_sae, dtype=np.int64)
    for shard in shards:
        counts += np.diff(shard.feature_offsets)
    return counts


def bin_edges(
    shards: Sequence[FeatureShard],
    d_sae: int,
    n_bins: int,
    proteins: Bool[ndarray, "proteins"] | None,
) -> Float[ndarray, "d_sae n_bins"]:
    """Cut each feature's positive activations into bins that hold equally many; see the store."""
    kept = [_rows_of(shard, proteins) for shard in shards]
    edges = np.full((d_sae, n_bins), np.inf, dtype=np.float32)
    for feature in range(d_sae):
        parts = [_positive(shard, feature, rows) for shard, rows in zip(shards, kept, strict=True)]
        ranked = _sort_positive(np.concatenate(parts)) if parts else np.zeros(0)
        if len(ranked):
            edges[feature] = ranked[np.arange(n_bins) * len(ranked) // n_bins]
    return edges


def _rows_of(
    shard: FeatureShard, proteins: Bool[ndarray, "proteins"] | None
) -> Bool[ndarray, "rows"] | None:
    if proteins is None:
        return None
    end = shard.first_protein + shard.entry["proteins"]
    return np.repeat(proteins[shard.first_protein : end], np.diff(shard.offsets))


def _positive(
    shard: FeatureShard, feature: int, rows: Bool[ndarray, "rows"] | None
) -> Float[ndarray, "hits"]:
    start, end = shard.feature_offsets[feature : feature + 2]
    values = shard.feature_values[start:end]
    on = values > 0
    if rows is not None:
        on &= rows[shard.feature_rows[start:end]]
    return values[on]


def _sort_positive(values: Float[ndarray, "hits"]) -> Float[ndarray, "hits"]:
    if values.dtype != np.float16:
        return np.sort(values)
    # the bits of positive floats rank as their values do, and 16-bit integers sort by radix
    return np.sort(values.view(np.uint16), kind="stable").view(np.float16)
