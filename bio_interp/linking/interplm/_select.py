"""Pairs chosen on the valid fold, reported on test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from bio_interp.linking.interplm._metrics import Tally, figures, rows_at

_PAIR = ["feature", "concept"]
_FIGURES = ["threshold", "precision", "recall", "recall_per_domain", "f1", "f1_per_domain"]


def chosen(tally: Tally, *, good_f1: float, first_feature: int = 0) -> pl.DataFrame:
    """Choose pairs among some features: those above `good_f1`, and each concept's best.

    Parameters
    ----------
    tally
        Counts of the features on valid.
    good_f1
        Pairs above this F1 are kept besides the best.
    first_feature
        Number of the first feature.

    Returns
    -------
    DataFrame
        A row a pair, at its threshold of highest ``f1_per_domain`` (of these the highest ``f1``, of
        these the lowest threshold); columns of `table`. Pairs without TP are not there.
    """
    found = figures(tally)
    best = found.f1_per_domain.max(-1)  # (features, concepts)
    f1 = np.where(found.f1_per_domain == best[..., None], found.f1, -1.0)
    threshold = f1.argmax(-1)
    keep = best > good_f1
    if len(best):
        top = np.where(best == best.max(0), f1.max(-1), -1.0).argmax(0)  # (concepts,)
        keep[top, np.arange(best.shape[1])] = True
    feature, concept = np.nonzero(keep & (best > 0))
    return rows_at(tally, found, (feature, concept, threshold[feature, concept]), first_feature)


def best_of_each(pairs: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """Keep the row of highest ``f1_per_domain``, then ``f1``, of each group.

    Ties go to the lower feature, then to the lower threshold.
    """
    order = ["f1_per_domain", "f1", "feature", "threshold"]
    ranked = pairs.sort(order, descending=[True, True, False, False])
    return ranked.unique(by, keep="first", maintain_order=True).sort(by)


def at_pairs(tally: Tally, pairs: pl.DataFrame, *, first_feature: int = 0) -> pl.DataFrame:
    """List counts and figures of some pairs at every threshold; other features' are left out.

    Parameters
    ----------
    tally
        Counts of some features on test.
    pairs
        ``feature`` and ``concept`` of the pairs.
    first_feature
        Number of the first feature.
    """
    last = first_feature + len(tally.tp) - 1
    here = pairs.select(_PAIR).filter(pl.col("feature").is_between(first_feature, last))
    feature, concept = (here[name].to_numpy() for name in _PAIR)
    part = tally.of_pairs(feature - first_feature, concept)
    pair, threshold = np.nonzero(np.ones(part.tp.shape[1:], dtype=bool))
    rows = rows_at(part, figures(part), (np.zeros_like(pair), pair, threshold))
    return rows.with_columns(
        feature=pl.Series(feature[pair], dtype=pl.Int32),
        concept=pl.Series(concept[pair], dtype=pl.Int32),
    )


@dataclass(frozen=True)
class Report:
    """What InterPLM reports: of each concept the best feature, and all good pairs.

    Attributes
    ----------
    best
        A row a concept that has positives on both folds: ``concept`` (id), ``name`` (InterPLM's),
        ``level``, ``feature`` (null where none has a TP on valid); ``instances`` and ``residues``
        of each fold; and ``threshold`` (a share of the largest activation), ``precision``,
        ``recall``, ``recall_per_domain``, ``f1`` and ``f1_per_domain`` of each fold, after
        ``valid_`` and ``test_``. What has no TP on test has 0 there.
    pairs
        A row a pair above the F1 of good pairs on valid, with the same columns.
    good_f1
        Where good begins.
    """

    best: pl.DataFrame
    pairs: pl.DataFrame
    good_f1: float

    def figures(self) -> dict[str, Any]:
        """Sum up: the mean F1 on test, and the good pairs that are good on test too."""
        good = self.pairs.filter(pl.col("test_f1_per_domain") > self.good_f1)
        mean: Any = self.best["test_f1_per_domain"].mean()
        return {
            "concepts": self.best.height,
            "mean_test_f1": 0.0 if mean is None else float(mean),
            "concepts_with_a_good_pair": good["concept"].n_unique(),
            "features_in_a_good_pair": good["feature"].n_unique(),
            "good_pairs": good.height,
        }


def report_of(
    valid: pl.DataFrame, test: pl.DataFrame, concepts: pl.DataFrame, *, good_f1: float, again: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Put the pairs chosen on valid beside what they reach on test.

    Parameters
    ----------
    valid
        What `chosen` gave, of all features.
    test
        What `at_pairs` gave for these pairs.
    concepts
        A row a concept; ``index`` numbers them.
    good_f1
        Where good begins.
    again
        Whether the best threshold on test is reported instead of the one chosen on valid.

    Returns
    -------
    best, pairs
        A row a concept, and a row a good pair; thresholds are indices.
    """
    if again:
        test = best_of_each(test.filter(pl.col("tp") > 0), _PAIR)
        keys = on = _PAIR
    else:
        keys, on = [*_PAIR, "valid_threshold"], [*_PAIR, "test_threshold"]
    ours, theirs = _of_fold(valid, "valid"), _of_fold(test, "test")
    pairs = ours.join(theirs, left_on=keys, right_on=on, how="left", coalesce=False)
    pairs = pairs.drop("feature_right", "concept_right").rename({"concept": "index"})
    reached = [f"test_{name}" for name in _FIGURES if name != "threshold"]
    pairs = pairs.with_columns(pl.col(reached).fill_null(0.0))
    tops = best_of_each(valid, ["concept"]).select(pl.col("concept").alias("index"), "feature")
    best = concepts.join(tops.join(pairs, on=["index", "feature"]), on="index", how="left")
    good = concepts.join(pairs.filter(pl.col("valid_f1_per_domain") > good_f1), on="index")
    return best.with_columns(pl.col(reached).fill_null(0.0)), good


def _of_fold(frame: pl.DataFrame, fold: str) -> pl.DataFrame:
    return frame.select(*_PAIR, *(pl.col(name).alias(f"{fold}_{name}") for name in _FIGURES))
