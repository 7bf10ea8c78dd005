"""Which features of a store fire on the same residues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

from bio_interp.features import FeatureShard, FeatureStore

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

COFIRING = 5
FEWEST_SHARED = 10  # residues; two features that share fewer are not said to fire together


def partners(
    store: FeatureStore,
    proteins: Bool[ndarray, "proteins"],
    linked: Sequence[int],
    residues: Int[ndarray, "d_sae"],
) -> dict[int, tuple[list[int], list[float]]]:
    """Find the features that overlap most with each linked one, as shares of their union.

    Parameters
    ----------
    store
        Codes of proteins.
    proteins
        Which of them are looked at.
    linked
        Features whose partners are wanted.
    residues
        How many residues of these proteins each feature fires on.
    """
    both = np.zeros((len(linked), store.d_sae))
    for shard in store.shards():
        end = shard.first_protein + shard.entry["proteins"]
        on = _pattern(shard, proteins[shard.first_protein : end])
        both += (on[:, list(linked)].T @ on).toarray()
    found: dict[int, tuple[list[int], list[float]]] = {}
    for feature, shared in zip(linked, both, strict=True):
        share = shared / np.maximum(residues[feature] + residues - shared, 1)
        share[feature] = 0.0
        share[shared < FEWEST_SHARED] = 0.0
        top = [int(f) for f in np.argsort(-share, kind="stable")[:COFIRING] if share[f] > 0]
        found[feature] = top, [float(share[f]) for f in top]
    return found


def _pattern(shard: FeatureShard, kept: Bool[ndarray, "shard_proteins"]) -> csr_matrix:
    """Where features fire, ``(rows, d_sae)`` of ones; rows of proteins not kept are empty."""
    from scipy.sparse import csr_matrix

    rows = np.repeat(kept, np.diff(shard.offsets))
    on = np.repeat(rows, np.diff(shard.indptr)) & (shard.values > 0)
    indptr = np.concatenate([[0], np.cumsum(on)])[shard.indptr]
    columns = shard.features[on].astype(np.int32)
    shape = (len(rows), shard.d_sae)
    return csr_matrix((np.ones(len(columns), dtype=np.float32), columns, indptr), shape=shape)
