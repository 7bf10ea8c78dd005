"""Match positives and negatives in length and composition, and tell how alike they are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import polars as pl
from jaxtyping import Bool, Float
from numpy import ndarray

Match = Literal["composition", "length", "none"]
LETTERS = "ACDEFGHIKLMNPQRSTVWY"
COVARIATES = ("log length", *LETTERS)
CALIPER = 0.2  # standard deviations of the logit of the propensity (Austin 2011)
BALANCE: dict[str, Any] = {
    "covariate": pl.String,
    "before": pl.Float64,
    "after": pl.Float64,
}


def covariates(sequences: Sequence[str]) -> Float[ndarray, "proteins 21"]:
    """Give log length and the shares of the 20 amino acids of each sequence."""
    codes = [np.bincount(np.frombuffer(s.encode(), np.uint8), minlength=128) for s in sequences]
    counts = np.array(codes, dtype=np.float64).reshape(len(sequences), 128)
    letters = counts[:, [ord(letter) for letter in LETTERS]]
    length = counts.sum(1, keepdims=True)
    return np.hstack([np.log(length), letters / length])


def match_rows(
    table: Float[ndarray, "rows covariates"], positive: Bool[ndarray, "rows"]
) -> Bool[ndarray, "rows"]:
    """Keep pairs of a positive and a negative that are as likely to be positive.

    The propensity is a ridge logistic regression on the standardised covariates. Positives, those
    hardest to match first, take the nearest negative not yet taken, within `CALIPER`; a row
    without a partner is dropped.

    References
    ----------
    Rosenbaum and Rubin, Biometrika 70:41 (1983); Austin, Pharmaceutical Statistics 10:150 (2011).
    """
    logit = _propensity(table, positive)
    spread = np.sqrt((logit[positive].var() + logit[~positive].var()) / 2)
    free = [(float(logit[i]), int(i)) for i in np.flatnonzero(~positive)]
    free.sort()
    keep = np.zeros(len(logit), dtype=bool)
    hardest = np.flatnonzero(positive)
    for row in hardest[np.argsort(-logit[hardest], kind="stable")]:
        near = _nearest(free, float(logit[row]))
        if near is not None and abs(free[near][0] - logit[row]) <= CALIPER * spread:
            keep[[int(row), free.pop(near)[1]]] = True
    return keep


def balance(
    table: Float[ndarray, "rows 21"], positive: Bool[ndarray, "rows"], kept: Bool[ndarray, "rows"]
) -> pl.DataFrame:
    """Compare both sides before and after matching: columns `BALANCE`.

    Differences of means over the pooled standard deviation; below 0.1 is called balanced (Austin,
    Statistics in Medicine 28:3083, 2009).
    """
    before = standardised_difference(table[positive], table[~positive])
    after = standardised_difference(table[positive & kept], table[~positive & kept])
    return pl.DataFrame({"covariate": COVARIATES, "before": before, "after": after}, schema=BALANCE)


def standardised_difference(
    one: Float[ndarray, "rows columns"], other: Float[ndarray, "others columns"]
) -> Float[ndarray, "columns"]:
    """Difference of the means over the root of the mean variance; 0 where nothing varies.

    Examples
    --------
    >>> standardised_difference(np.array([[1.0], [3.0]]), np.array([[0.0], [2.0]])).tolist()
    [1.0]
    """
    if not (len(one) and len(other)):
        return np.full(one.shape[1], np.nan)
    spread = np.sqrt((one.var(0) + other.var(0)) / 2)
    apart = one.mean(0) - other.mean(0)
    return np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 1e-12)


def _propensity(
    table: Float[ndarray, "rows covariates"], positive: Bool[ndarray, "rows"]
) -> Float[ndarray, "rows"]:
    from sklearn.linear_model import LogisticRegression

    spread = table.std(0)
    scaled = (table - table.mean(0)) / np.where(spread > 1e-12, spread, 1.0)
    model = LogisticRegression(C=1.0, max_iter=1000).fit(scaled, positive)
    return np.asarray(model.decision_function(scaled), dtype=np.float64)


def _nearest(free: list[tuple[float, int]], logit: float) -> int | None:
    """Place of the nearest value in a sorted list."""
    if not free:
        return None
    right = bisect_left(free, (logit, -1))
    sides = [at for at in (right - 1, right) if 0 <= at < len(free)]
    return min(sides, key=lambda at: abs(free[at][0] - logit))
