"""``features.parquet``: how often each feature of an atlas fires, how strongly, and with which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.features import FeatureShard, FeatureStore

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FEATURES: dict[str, Any] = {
    "feature": pl.Int32,
    "density": pl.Float64,
    "of_residues": pl.Int64,
    "proteins": pl.Int32,
    "of_proteins": pl.Int32,
    "maximum": pl.Float32,
    "q50": pl.Float32,
    "q90": pl.Float32,
    "q99": pl.Float32,
    "cofires": pl.List(pl.Int32),
    "cofire_share": pl.List(pl.Float32),
}
COFIRING = 5
FEWEST_SHARED = 10  # residues; two features that share fewer are not said to fire together


def feature_statistics(
    store: FeatureStore, proteins: Bool[ndarray, "proteins"], linked: Sequence[int]
) -> pl.DataFrame:
    """Measure every feature of a store.

    Parameters
    ----------
    store
        Codes of proteins.
    proteins
        Bool mask over ``store.accessions``: measure on these alone.
    linked
        Features whose co-firing is counted.

    Returns
    -------
    DataFrame
        Columns of `FEATURES`, a row a feature: ``density`` (share of ``of_residues`` residues
        where it fires), ``proteins`` of ``of_proteins`` where it fires at all, ``maximum`` and
        quantiles of the activations where it fires (0 where it never does), and ``cofires``: the
        features that overlap most with it, as ``cofire_share``, residues where both fire over
        residues where either does. Empty for features that are not `linked`.
    """
    counts = np.zeros((2, store.d_sae), dtype=np.int64)  # residues, proteins
    maxima = np.zeros(store.d_sae, dtype=np.float32)
    for shard in store.shards():
        residues, bearers, peaks = _of_shard(shard, _mask_of(shard, proteins))
        counts += np.stack([residues, bearers])
        np.maximum(maxima, peaks, out=maxima)
    edges = store.bin_edges(100, proteins=proteins)
    edges[~np.isfinite(edges)] = 0.0
    partners = _partners(store, proteins, linked, counts[0])
    none: tuple[list[int], list[float]] = ([], [])
    total = int(store.lengths[proteins].sum())
    return pl.DataFrame(
        {
            "feature": np.arange(store.d_sae),
            "density": counts[0] / max(total, 1),
            "of_residues": np.full(store.d_sae, total),
            "proteins": counts[1],
            "of_proteins": np.full(store.d_sae, int(proteins.sum())),
            "maximum": maxima,
            **{f"q{q}": edges[:, q] for q in (50, 90, 99)},
            "cofires": [partners.get(f, none)[0] for f in range(store.d_sae)],
            "cofire_share": [partners.get(f, none)[1] for f in range(store.d_sae)],
        },
        schema=FEATURES,
    )


def _mask_of(
    shard: FeatureShard, proteins: Bool[ndarray, "proteins"]
) -> Bool[ndarray, "shard_proteins"]:
    return proteins[shard.first_protein : shard.first_protein + shard.entry["proteins"]]


def _of_shard(
    shard: FeatureShard, kept: Bool[ndarray, "shard_proteins"]
) -> tuple[Int[ndarray, "d_sae"], Int[ndarray, "d_sae"], Float[ndarray, "d_sae"]]:
    """Residues, proteins and largest activation of each feature in the proteins kept."""
    owner = np.repeat(np.arange(len(kept)), np.diff(shard.offsets))  # protein of each row
    protein = owner[shard.feature_rows]
    feature = np.repeat(np.arange(shard.d_sae), np.diff(shard.feature_offsets))
    on = kept[protein] & (shard.feature_values > 0)
    protein, feature = protein[on], feature[on]
    maxima = np.zeros(shard.d_sae, dtype=np.float32)
    np.maximum.at(maxima, feature, shard.feature_values[on].astype(np.float32))
    # entries ascend by feature and row, so a protein's entries of a feature are neighbours
    new = np.ones(len(feature), dtype=bool)
    new[1:] = (np.diff(feature) != 0) | (np.diff(protein) != 0)
    residues = np.bincount(feature, minlength=shard.d_sae)
    return residues, np.bincount(feature[new], minlength=shard.d_sae), maxima


def _partners(
    store: FeatureStore,
    proteins: Bool[ndarray, "proteins"],
    linked: Sequence[int],
    residues: Int[ndarray, "d_sae"],
) -> dict[int, tuple[list[int], list[float]]]:
    """Find the features that overlap most with each linked one, as shares of their union."""
    both = np.zeros((len(linked), store.d_sae))
    for shard in store.shards():
        on = _pattern(shard, _mask_of(shard, proteins))
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
