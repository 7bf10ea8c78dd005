"""How often calls of a given strength are right: monotone curves, one a concept, shrunk.

Calls of the calibrate fold are put into strata of strength. In stratum ``s`` a class of concepts
(all Pfam families, say) has a precision ``p_s``, fitted monotone; a concept with ``k`` right of
``n`` calls there has the posterior ``Beta(m p_s + k, m (1 - p_s) + n - k)``. The weight ``m`` says
how much concepts of a class differ there; it is fitted by maximum marginal likelihood
(beta-binomial empirical Bayes; Casella 1985, The American Statistician 39:83), and is no more than
the number of other concepts seen in the stratum. A homology cluster counts as one call of a concept
in a stratum, since its members are right or wrong together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float
from numpy import ndarray

WEIGHTS = np.geomspace(1.0, 300.0, 40)
# quantiles of strength that bound the strata: most calls are weak, so the top is cut finer
CUTS = (0.5, 0.7, 0.8, 0.88, 0.93, 0.96, 0.98, 0.99)

CALIBRATION: dict[str, Any] = {
    "concept": pl.String,
    "strength": pl.Float64,
    "precision": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "n": pl.Int32,
    "clusters": pl.Int32,
}


def calibrate(calls: pl.DataFrame, concepts: pl.DataFrame) -> pl.DataFrame:
    """Fit the precision of calls by concept and strength.

    Parameters
    ----------
    calls
        Calls of the calibrate fold: ``concept``, ``strength``, ``right``, ``cluster``, ``weight``
        (how many proteins the called one stands for).
    concepts
        Concepts that may be called: ``concept`` and ``group`` (the class that shares a curve).

    Returns
    -------
    DataFrame
        Columns of `CALIBRATION`, a row a concept and stratum: a call of at least ``strength`` (and
        below the next row's) is right with probability ``precision``; ``low`` and ``high`` bound
        it with 95 %; ``n`` calls of this concept in ``clusters`` clusters stand behind it.
    """
    frames = [
        _calibrate_group(
            calls.filter(pl.col("concept").is_in(set(members["concept"]))), list(members["concept"])
        )
        for _, members in concepts.group_by("group", maintain_order=True)
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=CALIBRATION)


def look_up(
    curve: Sequence[tuple[float, float, float, float, int]], strength: float
) -> tuple[float, float, float, int]:
    """Read ``(precision, low, high, n)`` off rows ``(strength, precision, low, high, n)``."""
    at = 0
    for i, row in enumerate(curve):
        if strength >= row[0]:
            at = i
    return curve[at][1:]


def _calibrate_group(calls: pl.DataFrame, concepts: list[str]) -> pl.DataFrame:
    strengths = calls["strength"].to_numpy()
    inner = np.quantile(strengths, CUTS) if len(strengths) else []
    lower = np.unique(np.concatenate([[0.0], inner]))
    stratum = np.searchsorted(lower, strengths, side="right") - 1
    counted = calls.with_columns(pl.Series("stratum", stratum, dtype=pl.Int64))
    n, k, calls_n = _tables(counted, concepts, len(lower))
    prior = _monotone((k.sum(0) + 0.5) / (n.sum(0) + 1.0), n.sum(0) + 1.0)
    weight = np.array([_fit_weight(n[:, s], k[:, s], p) for s, p in enumerate(prior)])
    seen = n > 0
    # how concepts differ is known from as many as were seen: a prior from 3 others weighs 3
    m = np.minimum(weight, seen.sum(0) - seen + 0.5)  # (concepts, strata)
    return _posterior(concepts, lower, m * prior + k, m * (1 - prior) + n - k, n, calls_n)


def _tables(
    counted: pl.DataFrame, concepts: list[str], strata: int
) -> tuple[Float[ndarray, "concepts strata"], ...]:
    """Clusters, right clusters and calls of each concept and stratum."""
    number = {c: i for i, c in enumerate(concepts)}
    n, k, calls = (np.zeros((len(concepts), strata)) for _ in range(3))
    clusters = counted.group_by("concept", "stratum", "cluster", maintain_order=True).agg(
        (pl.col("right") * pl.col("weight")).sum() / pl.col("weight").sum(),
        pl.col("weight").max().clip(1.0),
        pl.len(),
    )
    for concept, stratum, _, right, weight, size in clusters.iter_rows():
        n[number[concept], stratum] += weight
        k[number[concept], stratum] += weight * right
        calls[number[concept], stratum] += size
    return n, k, calls


def _monotone(
    values: Float[ndarray, "strata"], weights: Float[ndarray, "strata"]
) -> Float[ndarray, "strata"]:
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(values, weights=weights).x)


def _fit_weight(
    n: Float[ndarray, "concepts"], k: Float[ndarray, "concepts"], prior: float
) -> float:
    """Maximise the beta-binomial likelihood of a stratum's concepts over the prior's weight."""
    from scipy.special import betaln

    kk, nn = k[n > 0], n[n > 0]

    def likelihood(m: float) -> float:
        a, b = m * prior, m * (1 - prior)
        return float((betaln(a + kk, b + nn - kk) - betaln(a, b)).sum())

    return float(max(WEIGHTS, key=likelihood)) if len(nn) else float(WEIGHTS[0])


def _posterior(
    concepts: list[str],
    lower: Float[ndarray, "strata"],
    a: Float[ndarray, "concepts strata"],
    b: Float[ndarray, "concepts strata"],
    n: Float[ndarray, "concepts strata"],
    calls: Float[ndarray, "concepts strata"],
) -> pl.DataFrame:
    from scipy.stats import beta

    mean = np.stack([_monotone(r, w) for r, w in zip(a / (a + b), a + b, strict=True)])
    low = np.maximum.accumulate(beta.ppf(0.025, a, b), axis=1)
    high = np.maximum.accumulate(beta.ppf(0.975, a, b), axis=1)
    strata = len(lower)
    return pl.DataFrame(
        {
            "concept": np.repeat(concepts, strata),
            "strength": np.tile(lower, len(concepts)),
            "precision": mean.ravel(),
            "low": np.minimum(low, mean).ravel(),
            "high": np.maximum(high, mean).ravel(),
            "n": calls.ravel().astype(np.int32),
            "clusters": n.ravel().astype(np.int32),
        },
        schema=CALIBRATION,
    )
