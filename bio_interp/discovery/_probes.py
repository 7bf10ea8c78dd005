"""Logistic probes: what can be told from rows of numbers, chosen on one half, used on the other."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)  # C of the ridge
_FOLDS = 3


def probe_scores(
    rows: Float[ndarray, "rows columns"] | csr_matrix,
    positive: Bool[ndarray, "rows"],
    weights: Float[ndarray, "rows"],
    cluster: Int[ndarray, "rows"],
    train: Bool[ndarray, "rows"],
) -> Float[ndarray, "rows"]:
    """Fit a ridge logistic regression on the rows to train on, and score all rows.

    Columns are scaled to the spread that they have there. The ridge is the one of the highest
    AUROC in cross-validation over clusters.
    """
    spread, centre = _spread(rows[train])
    scaled = _scaled(rows, spread, centre)
    own, label = cluster[train], positive[train]
    part: Any = scaled[train]
    weight = weights[train] / weights[train].mean()
    best = max(_STRENGTHS, key=lambda c: _validated(part, label, weight, own, c))
    return _fit(part, label, weight, best).decision_function(scaled)


def _spread(train: Any) -> tuple[Float[ndarray, "columns"], Float[ndarray, "columns"] | None]:
    """Spread and centre of columns; sparse ones are not moved, so that they stay sparse."""
    from scipy.sparse import issparse

    if issparse(train):
        square = np.asarray(train.multiply(train).mean(axis=0)).ravel()
        spread = np.sqrt(np.maximum(square - np.asarray(train.mean(axis=0)).ravel() ** 2, 0.0))
        return np.where(spread > 1e-9, spread, 1.0), None
    spread = train.std(0)
    return np.where(spread > 1e-9, spread, 1.0), train.mean(0)


def _scaled(rows: Any, spread: Float[ndarray, "columns"], centre: ndarray | None) -> Any:
    return rows.multiply(1 / spread).tocsr() if centre is None else (rows - centre) / spread


def _validated(
    rows: Any,
    positive: Bool[ndarray, "rows"],
    weights: Float[ndarray, "rows"],
    cluster: Int[ndarray, "rows"],
    strength: float,
) -> float:
    from sklearn.metrics import roc_auc_score

    fold = np.unique(cluster, return_inverse=True)[1] % _FOLDS
    scores = list[float]()
    for held in range(_FOLDS):
        inner, outer = fold != held, fold == held
        if all(len(np.unique(positive[side])) == 2 for side in (inner, outer)):
            model = _fit(rows[inner], positive[inner], weights[inner], strength)
            told = model.decision_function(rows[outer])
            scores.append(roc_auc_score(positive[outer], told, sample_weight=weights[outer]))
    return float(np.mean(scores)) if scores else 0.0


def _fit(
    rows: Any, positive: Bool[ndarray, "rows"], weights: Float[ndarray, "rows"], strength: float
) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # ranks settle long before the last digits of the coefficients
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=strength, max_iter=200, tol=1e-3)
        return model.fit(rows, positive, sample_weight=weights)
