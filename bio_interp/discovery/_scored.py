"""Choose on one half, score on the other: features, baselines, and labels without meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.discovery._comparison import Comparison
from bio_interp.discovery._probes import probe_scores
from bio_interp.discovery._read import Evidence
from bio_interp.linking.statistics import benjamini_hochberg

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

SCORES: dict[str, Any] = {
    "kind": pl.String,
    "what": pl.String,
    "known": pl.String,
    "value": pl.String,
    "higher_in": pl.String,
    "select_auroc": pl.Float64,
    "test_auroc": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "test_ap": pl.Float64,
    "effect": pl.Float64,
    "fires_positive": pl.Float64,
    "fires_negative": pl.Float64,
    "p": pl.Float64,
    "q": pl.Float64,
    "p_max": pl.Float64,
}
_95 = 1.959964  # standard errors


@dataclass(frozen=True)
class Halves:
    """A comparison and its two halves of clusters; `select` marks the rows chosen on."""

    whole: Comparison
    select: Bool[ndarray, "rows"]

    def of(self, rows: Int[ndarray, "some"]) -> Halves:
        """Keep some rows."""
        mask = np.zeros(len(self.select), dtype=bool)
        mask[rows] = True
        return Halves(self.whole.where(mask), self.select[rows])

    @property
    def parts(self) -> tuple[Comparison, Comparison]:
        """The half to choose on, and the half to score on."""
        return self.whole.where(self.select), self.whole.where(~self.select)


def score_features(
    evidence: Evidence, halves: Halves, *, features: int, permutations: int, seed: int
) -> tuple[list[dict[str, Any]], float]:
    """Score the features that separate best on the half to choose on.

    Of each feature the better of its values is taken.

    Returns
    -------
    rows
        Of `SCORES`; ``what`` is the number of the feature.
    limit
        95 % of labellings without meaning give no feature at all a higher AUROC, either way.
    """
    select, test = halves.parts
    codes: Any = evidence.codes
    chosen_on, scored_on = codes.tocsr()[halves.select], codes.tocsr()[~halves.select]
    told = select.auroc(chosen_on.tocsc())  # (values * d_sae,)
    columns = _best_columns(told, len(evidence.values), features)
    sign = np.where(told[columns] >= 0.5, 1.0, -1.0)
    scored: csc_matrix = scored_on.tocsc()
    ranks = test.ranks(scored)
    found = ranks.auroc(test.positive[None])[0][columns]
    p, p_max, limit = _null(ranks, test, columns, sign, found, permutations=permutations, seed=seed)
    d_sae = codes.shape[1] // len(evidence.values)
    rows = [
        {
            "kind": "feature",
            "what": str(column % d_sae),
            "value": evidence.values[column // d_sae],
            "p": p[i],
            "p_max": p_max[i],
            **_row(test, scored[:, [column]].toarray()[:, 0], sign[i], told[column], found[i]),
        }
        for i, column in enumerate(columns)
    ]
    return _with_q(rows), limit


def score_baselines(evidence: Evidence, halves: Halves) -> list[dict[str, Any]]:
    """Score what needs no feature: the best neuron, and probes; rows of `SCORES`."""
    some = halves.of(evidence.sampled)
    select, test = some.parts
    rows = [_best_neuron(evidence, some)]
    codes: Any = evidence.codes
    for name, table in (
        ("all features, logistic", codes.tocsr()[evidence.sampled]),
        ("dense probe, logistic", evidence.dense),
        ("k-mers, logistic", evidence.kmers),
        (_PLAIN[some.whole.level], evidence.plain),
    ):
        whole = some.whole
        scores = probe_scores(table, whole.positive, whole.row_shares, whole.cluster, some.select)
        on_select, on_test = (
            float(half.auroc(_column(scores[rows_of]))[0])
            for half, rows_of in ((select, some.select), (test, ~some.select))
        )
        row = _row(test, scores[~some.select], 1.0, on_select, on_test)
        rows.append({"kind": "baseline", "what": name, "value": "", **row})
    for row in rows:
        row |= {"fires_positive": None, "fires_negative": None}
    return rows


_PLAIN = {
    "protein": "length and composition, logistic",
    "residue": "place and amino acid, logistic",
}


def _best_neuron(evidence: Evidence, halves: Halves) -> dict[str, Any]:
    """Choose the neuron of the highest AUROC, of either sign, as features are chosen."""
    from scipy.sparse import csc_matrix

    select, test = halves.parts
    shifted = evidence.neurons - evidence.neurons.min(0)
    told = select.auroc(csc_matrix(shifted[halves.select]))
    (column,) = _best_columns(told, len(evidence.neuron_values), 1)
    sign = 1.0 if told[column] >= 0.5 else -1.0
    scores = shifted[~halves.select, column].astype(np.float64)
    found = test.auroc(_column(scores))[0]
    width = shifted.shape[1] // len(evidence.neuron_values)
    name, value = f"neuron {column % width}", evidence.neuron_values[column // width]
    row = _row(test, scores, sign, told[column], found)
    return {"kind": "baseline", "what": name, "value": value, **row}


def _best_columns(told: Float[ndarray, "columns"], blocks: int, most: int) -> list[int]:
    """Rank features by how far their better value is from one half; those at one half are out."""
    apart = np.abs(told - 0.5).reshape(blocks, -1)
    block = apart.argmax(0)
    best = apart.max(0)
    ranked = np.argsort(-best, kind="stable")[:most]
    return [int(block[f] * apart.shape[1] + f) for f in ranked if best[f] > 0]


def _row(
    test: Comparison, scores: Float[ndarray, "rows"], sign: float, told: float, found: float
) -> dict[str, Any]:
    """Describe one column on the half to score on; AUROC is of the side where it was higher."""
    from sklearn.metrics import average_precision_score

    share, positive = test.row_shares, test.positive
    oriented = float(found if sign > 0 else 1 - found)
    margin = _95 * test.error(scores)
    high, low = (np.average(scores[side], weights=share[side]) for side in (positive, ~positive))
    spread = np.sqrt(
        np.mean(
            [
                np.average((scores[side] - mean) ** 2, weights=share[side])
                for side, mean in ((positive, high), (~positive, low))
            ]
        )
    )
    return {
        "higher_in": "positives" if sign > 0 else "negatives",
        "select_auroc": float(told if sign > 0 else 1 - told),
        "test_auroc": oriented,
        "low": max(oriented - margin, 0.0),
        "high": min(oriented + margin, 1.0),
        "test_ap": float(average_precision_score(positive, sign * scores, sample_weight=share)),
        "effect": _effect(float(high - low), float(spread)),
        "fires_positive": float(np.average(scores[positive] > 0, weights=share[positive])),
        "fires_negative": float(np.average(scores[~positive] > 0, weights=share[~positive])),
    }


def _effect(apart: float, spread: float) -> float | None:
    """Give Cohen's d; None where neither side varies and the means differ."""
    if spread > 0:
        return apart / spread
    return None if apart else 0.0


def _null(
    ranks: Any,
    test: Comparison,
    columns: list[int],
    sign: Float[ndarray, "chosen"],
    found: Float[ndarray, "chosen"],
    *,
    permutations: int,
    seed: int,
) -> tuple[Float[ndarray, "chosen"], Float[ndarray, "chosen"], float]:
    """Compare with labels without meaning: p of each, p of the best of all, its 95 % limit."""
    observed = sign * (found - 0.5)
    as_high, highest = np.zeros(len(columns)), list[float]()
    for labels in test.shuffles(permutations, np.random.default_rng(seed)):
        apart = ranks.auroc(labels) - 0.5  # (block, columns)
        as_high += (sign * apart[:, columns] >= observed - 1e-12).sum(0)
        highest += np.abs(apart).max(1).tolist()
    most = np.array(highest)
    best = (most[:, None] >= observed - 1e-12).sum(0)
    limit = 0.5 + float(np.quantile(most, 0.95))
    return (1 + as_high) / (1 + permutations), (1 + best) / (1 + permutations), limit


def _with_q(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the false-discovery rate over the features scored (Benjamini and Hochberg 1995)."""
    q = benjamini_hochberg(np.array([row["p"] for row in rows]))
    return [{**row, "q": float(x)} for row, x in zip(rows, q, strict=True)]


def _column(scores: Float[ndarray, "rows"]) -> csc_matrix:
    """Make one column of ranks; the zero is moved to the smallest score."""
    from scipy.sparse import csc_matrix

    return csc_matrix((scores - scores.min())[:, None])
