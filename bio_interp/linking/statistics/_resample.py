"""Intervals of scores by resampling clusters, for one source or for two on the same clusters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float
from numpy import ndarray

from bio_interp.errors import MismatchError

SUMS: dict[str, Any] = {
    "concept": pl.String,
    "cluster": pl.Int64,
    "right": pl.Float64,
    "runs": pl.Float64,
    "found": pl.Float64,
    "spans": pl.Float64,
}
CHUNK = 64  # draws at once
SCORES = ("precision", "recall", "f1")
HALF = 0.5


@dataclass(frozen=True)
class ClusterIntervals:
    """Scores with the middle 95 % of what they are on resampled clusters.

    Attributes
    ----------
    concepts
        One row a concept, sorted: ``concept`` and, for each of ``precision``, ``recall`` and
        ``f1``, the value and its ``_low`` and ``_high``. NaN where there is nothing to divide by.
        For two sources: ``concept, ours, other, difference, low, high`` of F1.
    figures
        Two rows, ``mean_f1`` (over the concepts) and ``concepts_above_half`` (of F1 above 0.5):
        ``figure, value, low, high``. For two sources, ours minus the other's.
    """

    concepts: pl.DataFrame
    figures: pl.DataFrame


def cluster_intervals(
    sums: pl.DataFrame, *, clusters: int | None = None, draws: int = 1000, seed: int = 0
) -> ClusterIntervals:
    """Give 95 % intervals of precision, recall and F1, resampling whole clusters.

    Parameters
    ----------
    sums
        Columns of `SUMS`: for a concept and a cluster, how many predicted runs are right, of how
        many, and how many true spans are found, of how many. Rows that are all 0 may be left out;
        rows of the same concept and cluster are added up.
    clusters
        Clusters of the fold, with those of which `sums` says nothing; only those in `sums` if None.
    draws, seed
        Resamples, and what they are drawn with.

    Returns
    -------
    ClusterIntervals
        Percentile intervals (Efron & Tibshirani 1993, chapter 13). A draw that holds no span of a
        concept says nothing of its recall and F1, and is left out of them.

    Examples
    --------
    >>> rows = [("pfam:A", c, 1.0, 1.0 + c % 2, 1.0, 1.0) for c in range(40)]
    >>> told = cluster_intervals(pl.DataFrame(rows, schema=SUMS, orient="row"))
    >>> told.concepts.select(pl.col("^precision.*$").round(2)).row(0)
    (0.67, 0.61, 0.74)
    """
    names = sorted(set(sums["concept"]))
    (scores,), (drawn,) = _resampled([sums], names, clusters, draws, seed)
    columns: dict[str, Any] = {"concept": pl.Series(names, dtype=pl.String)}
    for i, score in enumerate(SCORES):
        low, high = _middle(drawn[i])
        columns |= {score: scores[i, :, 0], f"{score}_low": low, f"{score}_high": high}
    return ClusterIntervals(pl.DataFrame(columns), _figures(_summary(scores), _summary(drawn)))


def paired_intervals(
    ours: pl.DataFrame,
    other: pl.DataFrame,
    *,
    clusters: int | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> ClusterIntervals:
    """Give 95 % intervals of F1 of ours minus the other's, on the same resampled clusters.

    Parameters
    ----------
    ours, other
        Columns of `SUMS`, over the same clusters. A concept that one of them lacks has F1 = 0
        there.
    clusters, draws, seed
        As in `cluster_intervals`.
    """
    names = sorted({*ours["concept"], *other["concept"]})
    pair, drawn_pair = _resampled([ours, other], names, clusters, draws, seed)
    (a, b), (drawn_a, drawn_b) = ([x[2] for x in scores] for scores in (pair, drawn_pair))
    low, high = _middle(drawn_a - drawn_b)
    columns = {
        "concept": pl.Series(names, dtype=pl.String),
        "ours": a[:, 0],
        "other": b[:, 0],
        "difference": (a - b)[:, 0],
        "low": low,
        "high": high,
    }
    value, drawn = (
        _summary(x, minus=y) for x, y in ((pair[0], pair[1]), (drawn_pair[0], drawn_pair[1]))
    )
    return ClusterIntervals(pl.DataFrame(columns), _figures(value, drawn))


def cluster_weights(clusters: int, draws: int, seed: int) -> Iterator[Float[ndarray, "some all"]]:
    """Say how often each of `clusters` clusters is drawn, a chunk of draws at a time."""
    random = np.random.default_rng(seed)
    for first in range(0, draws, CHUNK):
        some = min(CHUNK, draws - first)
        drawn = random.integers(clusters, size=(some, clusters))
        drawn += clusters * np.arange(some)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=some * clusters)
        yield counts.reshape(some, clusters).astype(float)


def score(
    right: Float[ndarray, "..."],
    runs: Float[ndarray, "..."],
    found: Float[ndarray, "..."],
    spans: Float[ndarray, "..."],
) -> tuple[Float[ndarray, "..."], Float[ndarray, "..."], Float[ndarray, "..."]]:
    """Compute precision, recall and F1; NaN where they divide by 0, but F1 = 0 without a run."""
    precision, recall = _ratio(right, runs), _ratio(found, spans)
    both = np.nan_to_num(precision) + recall
    f1 = 2 * np.nan_to_num(precision) * recall / np.where(both == 0, 1.0, both)
    return precision, recall, f1


def _ratio(part: Float[ndarray, "..."], whole: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)


def _resampled(
    sources: Sequence[pl.DataFrame], names: list[str], clusters: int | None, draws: int, seed: int
) -> tuple[list[Float[ndarray, "3 concepts 1"]], list[Float[ndarray, "3 concepts draws"]]]:
    """Scores of each source as they are, and on draws of clusters that all sources share."""
    from scipy.sparse import vstack

    known = pl.concat([s["cluster"] for s in sources]).unique().sort()
    total = _total(known.len(), clusters)
    matrix = vstack([_matrix(s, names, known) for s in sources]).tocsr()
    holds = [set[str](s["concept"]) for s in sources]
    lacks = np.array([[name not in held for name in names] for held in holds], dtype=bool)

    def scores(weights: Float[ndarray, "some clusters"]) -> Float[ndarray, "sources 3 names some"]:
        # clusters that no source tells of are drawn too, and add nothing
        sums = matrix @ np.ascontiguousarray(weights[:, : known.len()].T)
        four = sums.reshape(len(sources), 4, len(names), len(weights))
        return _told(four, lacks)

    once = scores(np.ones((1, total)))
    parts = [scores(weights) for weights in cluster_weights(total, draws, seed)]
    return list(once), list(np.concatenate(parts, axis=-1))


def _told(
    sums: Float[ndarray, "sources 4 names some"], lacks: Bool[ndarray, "sources names"]
) -> Float[ndarray, "sources 3 names some"]:
    told = np.stack(score(*np.moveaxis(sums, 1, 0)), axis=1)
    told[:, 2][lacks] = 0.0
    return told


def _total(known: int, clusters: int | None) -> int:
    if clusters is not None and clusters < known:
        raise MismatchError(
            "as many clusters as the sums tell of, or more",
            f"{clusters} clusters, and sums of {known}",
            "Count all clusters of the fold.",
        )
    return max(clusters or known, 1)


def _matrix(sums: pl.DataFrame, names: list[str], clusters: pl.Series) -> Any:
    """Sparse ``(4 * concepts, clusters)``: right runs of all concepts, then runs, and so on."""
    from scipy.sparse import coo_matrix

    row = _number(sums["concept"], pl.Series(names, dtype=pl.String))
    column = _number(sums["cluster"], clusters)
    values = np.concatenate([sums[name].to_numpy() for name in ("right", "runs", "found", "spans")])
    rows = np.concatenate([row + i * len(names) for i in range(4)])
    shape = (4 * len(names), len(clusters))
    return coo_matrix((values, (rows, np.tile(column, 4))), shape=shape)


def _number(values: pl.Series, known: pl.Series) -> ndarray:
    return values.replace_strict(known, np.arange(len(known)), return_dtype=pl.Int64).to_numpy()


def _summary(
    scores: Float[ndarray, "3 concepts draws"],
    minus: Float[ndarray, "3 concepts draws"] | None = None,
) -> Float[ndarray, "2 draws"]:
    """Mean F1 over the concepts that a draw tells of, and how many have more than a half."""
    f1 = scores[2]
    other = np.zeros_like(f1) if minus is None else minus[2]
    told = np.isfinite(f1 - other)
    mean = np.where(told, f1 - other, 0.0).sum(0) / np.maximum(told.sum(0), 1)
    return np.stack([mean, (f1 > HALF).sum(0) - (other > HALF).sum(0)])


def _figures(value: Float[ndarray, "2 1"], drawn: Float[ndarray, "2 draws"]) -> pl.DataFrame:
    low, high = _middle(drawn)
    names = ["mean_f1", "concepts_above_half"]
    return pl.DataFrame({"figure": names, "value": value[:, 0], "low": low, "high": high})


def _middle(drawn: Float[ndarray, "rows draws"]) -> tuple[ndarray, ndarray]:
    """Quantiles 2.5 % and 97.5 % of each row, NaN left out."""
    ordered = np.sort(drawn, axis=1)  # NaN last
    last = np.maximum((~np.isnan(ordered)).sum(1) - 1, 0)
    row = np.arange(len(ordered))

    def quantile(q: float) -> Float[ndarray, "rows"]:
        at = q * last
        below = np.floor(at).astype(int)
        left, right = ordered[row, below], ordered[row, np.minimum(below + 1, last)]
        return left + (at - below) * (right - left)

    return quantile(0.025), quantile(0.975)
