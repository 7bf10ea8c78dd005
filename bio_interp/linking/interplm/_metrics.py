"""InterPLM's figures of a feature, concept and threshold, from counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.linking.interplm._defects import Defects
from bio_interp.linking.interplm._rules import Rules


@dataclass(frozen=True)
class Tally:
    """What was counted of some features; a last axis of thresholds.

    Attributes
    ----------
    tp, fp
        Residues where the feature is on inside, and outside, of the concept.
    spans
        Instances of the concept with at least one residue where the feature is on.
    positives, instances
        Residues and instances of each concept.
    residue_level
        Concepts whose recall is counted over residues.
    """

    tp: Float[ndarray, "features concepts thresholds"]
    fp: Float[ndarray, "features concepts thresholds"]
    spans: Float[ndarray, "features concepts thresholds"]
    positives: Int[ndarray, "concepts"]
    instances: Int[ndarray, "concepts"]
    residue_level: Bool[ndarray, "concepts"]

    def of_pairs(self, feature: Int[ndarray, "pairs"], concept: Int[ndarray, "pairs"]) -> Tally:
        """Take some pairs alone: their axis stands where concepts stood, beside one feature."""
        return Tally(
            tp=self.tp[feature, concept][None],
            fp=self.fp[feature, concept][None],
            spans=self.spans[feature, concept][None],
            positives=self.positives[concept],
            instances=self.instances[concept],
            residue_level=self.residue_level[concept],
        )


@dataclass(frozen=True)
class Figures:
    """InterPLM's figures, each ``(features, concepts, thresholds)``; 0 where TP is 0.

    Attributes
    ----------
    precision, recall
        Over residues.
    recall_per_domain
        Over instances hit by at least one residue; over residues where that is the concept's level.
    f1
        Harmonic mean of `precision` and `recall`.
    f1_per_domain
        Harmonic mean of `precision` and `recall_per_domain`: what InterPLM reports.
    """

    precision: Float[ndarray, "features concepts thresholds"]
    recall: Float[ndarray, "features concepts thresholds"]
    recall_per_domain: Float[ndarray, "features concepts thresholds"]
    f1: Float[ndarray, "features concepts thresholds"]
    f1_per_domain: Float[ndarray, "features concepts thresholds"]


def figures(tally: Tally) -> Figures:
    """Score what was counted, by InterPLM's definition.

    One residue finds a whole instance, and residues of it that are missed cost no recall: with
    instances, this F1 is generous.

    Examples
    --------
    A feature is on in 10 residues of 3 of 10 domains, and in 5 residues elsewhere:

    >>> import numpy as np
    >>> one = lambda x: np.full((1, 1, 1), float(x))
    >>> level = np.array([False])
    >>> tally = Tally(one(10), one(5), one(3), np.array([100]), np.array([10]), level)
    >>> found = figures(tally)
    >>> [round(float(x[0, 0, 0]), 3) for x in (found.precision, found.f1, found.f1_per_domain)]
    [0.667, 0.174, 0.414]
    """
    tp = tally.tp.astype(np.float64)
    precision = _share(tp, tp + tally.fp)
    recall = _share(tp, tally.positives[:, None])
    by_instance = _share(tally.spans, tally.instances[:, None])
    by_domain = np.where(tally.residue_level[:, None], recall, by_instance)
    return Figures(
        precision, recall, by_domain, _harmonic(precision, recall), _harmonic(precision, by_domain)
    )


def _harmonic(a: Float[ndarray, "..."], b: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
    return _share(2 * a * b, a + b)


def _share(part: Float[ndarray, "..."], whole: ndarray) -> Float[ndarray, "..."]:
    """Divide; 0 where there is nothing to have a share of."""
    none = np.zeros(part.shape, dtype=np.float64)
    return np.divide(part, whole, out=none, where=whole > 0)


def table(tally: Tally, *, first_feature: int = 0) -> pl.DataFrame:
    """List the figures as InterPLM writes them: a row a feature, concept and threshold with TP.

    Parameters
    ----------
    tally
        Counts of some features.
    first_feature
        Number of the first of them.

    Returns
    -------
    DataFrame
        ``feature, concept, threshold`` as indices, the `Figures`, and the counts ``tp, fp,
        tp_per_domain``. In the order of concepts, then features, then thresholds.
    """
    concept, feature, threshold = np.nonzero(np.moveaxis(tally.tp, 0, 1))
    return rows_at(tally, figures(tally), (feature, concept, threshold), first_feature)


def rows_at(
    tally: Tally,
    found: Figures,
    at: tuple[Int[ndarray, "rows"], Int[ndarray, "rows"], Int[ndarray, "rows"]],
    first_feature: int = 0,
) -> pl.DataFrame:
    """List counts and figures at some places, as `table` does."""
    columns = {name: getattr(found, name)[at] for name in Figures.__dataclass_fields__}
    return pl.DataFrame(
        {
            "feature": (at[0] + first_feature).astype(np.int32),
            "concept": at[1].astype(np.int32),
            "threshold": at[2].astype(np.int32),
            **columns,
            "tp": tally.tp[at].astype(np.int64),
            "fp": tally.fp[at].astype(np.int64),
            "tp_per_domain": tally.spans[at].astype(np.int64),
        }
    )


def lower_edges(
    maxima: Float[ndarray, "d_sae"], rules: Rules | None = None, defects: Defects | None = None
) -> Float[ndarray, "d_sae thresholds"]:
    """Turn shares of the largest activation into lower edges of bins.

    InterPLM's thresholds are strict, edges are not: an edge is the next float32 above.

    Parameters
    ----------
    maxima
        Largest activation of each feature over a sample; 0 where it did not fire, and then it is
        taken as it is: its threshold 0.5 cuts at 0.5.
    rules
        The protocol's numbers.
    defects
        `raw_thresholds` and `zero_maxima` act here.
    """
    rules, defects = rules or Rules(), defects or Defects()
    scale = np.asarray(maxima, dtype=np.float32)
    if defects.raw_thresholds:
        scale = np.ones_like(scale)
    never = np.float32(0.0 if defects.zero_maxima else 1.0)
    scale = np.where(scale > 0, scale, never)
    shares = np.array(rules.thresholds, dtype=np.float32)
    return np.nextafter(scale[:, None] * shares, np.float32(np.inf))
