"""Choose how the calls of each concept are made, on one fold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.linking._calls import MOST_FIRING, CallRule
from bio_interp.linking._choose import screened
from bio_interp.linking._fold import Fold
from bio_interp.linking._runs import MAX_GAP, Runs, Trial, join, right, run_of

if TYPE_CHECKING:
    from bio_interp.linking.counting import Scan

SIZES = (1, 2, 4, 8, 16)  # features of a set
SHORTEST = (1, 4, 8, 12, 20, 30, 45, 60)  # residues of a call

Thresholds = Mapping[int, float]


@dataclass(frozen=True)
class _Draft:
    """A rule without its weights, and what its calls look like where it was chosen."""

    thresholds: Thresholds
    shortest: int
    f1: float


@dataclass(frozen=True)
class _Told:
    """What is known of the calls of a rule on the fold where it was chosen.

    Attributes
    ----------
    evidence
        ``(calls, 3)``: log length over the median length of the true spans, share of features
        that fire, mean number that fire at a residue.
    good, weight
        Which calls are right; how many proteins each one stands for.
    median
        Median length of the true spans, in residues.
    """

    evidence: Float[ndarray, "calls 3"]
    good: Bool[ndarray, "calls"]
    weight: Float[ndarray, "calls"]
    median: float

    @property
    def log_odds(self) -> float:
        """Log-odds that a call is right, one right and one wrong call added."""
        good = float((self.weight * self.good).sum())
        return float(np.log((good + 0.5) / (float(self.weight.sum()) - good + 0.5)))


def choose_rules(found: Scan, view: Fold) -> dict[int, CallRule]:
    """Choose the rule of every concept that has one, by the F1 of its calls.

    A set holds the features of a given residue precision that cover most of the concept's
    residues; such sets of several precisions and sizes, and the best features alone, are tried
    with several least lengths. One logistic regression over the calls of all concepts then says
    how far length, the share of features and how densely they fire tell right calls from wrong.

    Returns
    -------
    dict
        Rules by the number of the concept in ``view.labels``.
    """
    drafts: dict[int, _Draft] = {}
    for concept in range(view.labels.concepts.height):
        if best := _best(found, view, concept):
            drafts[concept] = best
    told = {concept: _tell(view, concept, draft) for concept, draft in drafts.items()}
    weights = _fit(list(told.values()))
    return {
        concept: CallRule(draft.thresholds, draft.shortest, _weights(told[concept], weights))
        for concept, draft in drafts.items()
    }


def _best(found: Scan, view: Fold, concept: int) -> _Draft | None:
    best = None
    lengths = (1,) if view.labels.is_site[concept] else SHORTEST
    for thresholds in _candidates(found, concept):
        trial = _trial(view, concept, thresholds)
        for shortest, f1 in zip(lengths, _scores(trial, lengths), strict=True):
            if f1 > (best.f1 if best else 0.0):
                best = _Draft(thresholds, shortest, f1)
    return best


def _candidates(found: Scan, concept: int) -> Iterator[Thresholds]:
    seen: set[tuple[tuple[int, float], ...]] = set()
    for level in range(len(found.covers.f1)):
        ranked = found.precise(concept, level, max(SIZES))
        for size in SIZES:
            chosen = tuple(ranked[:size])
            if chosen and chosen not in seen:
                seen.add(chosen)
                yield dict(chosen)
    for feature in screened(found, concept):
        cuts = found.edges[feature]
        for threshold in np.unique(cuts[np.isfinite(cuts)])[::3]:
            yield {feature: float(threshold)}


def _trial(view: Fold, concept: int, thresholds: Thresholds) -> Trial:
    """Lay the runs of any of the features beside the true spans."""
    hits = [_on(view, feature, threshold) for feature, threshold in thresholds.items()]
    index, protein = (np.concatenate(parts) for parts in zip(*hits, strict=True))
    index, first = np.unique(index, return_index=True)
    gap = 0 if view.labels.is_site[concept] else MAX_GAP
    runs = join(index, protein[first], np.zeros(len(index)), max_gap=gap)
    return view.trial(view.known(runs, concept), concept)


def _on(
    view: Fold, feature: int, threshold: float
) -> tuple[Int[ndarray, "hits"], Int[ndarray, "hits"]]:
    index, protein, value = view.hits(feature)
    on = value >= np.float32(threshold)
    return index[on], protein[on]


def _scores(trial: Trial, lengths: Sequence[int]) -> Iterator[float]:
    """F1 of the calls that are long enough, for several least lengths."""
    good = right(trial.runs, trial.pairs, site=trial.site)
    long_enough = trial.runs.end - trial.runs.start
    finds = good[trial.pairs.run] & (trial.pairs.of_span >= (1.0 if trial.site else 0.25))
    runs, spans = trial.weights[trial.runs.protein], trial.weights[trial.spans.protein]
    for length in lengths:
        kept = long_enough >= length
        found = np.unique(trial.pairs.span[finds & kept[trial.pairs.run]])
        precision = float(runs[kept & good].sum()) / max(float(runs[kept].sum()), 1e-9)
        recall = float(spans[found].sum()) / max(float(spans.sum()), 1e-9)
        yield 2 * precision * recall / max(precision + recall, 1e-12)


def _tell(view: Fold, concept: int, draft: _Draft) -> _Told:
    trial = _trial(view, concept, draft.thresholds)
    runs = trial.runs.where(trial.runs.end - trial.runs.start >= draft.shortest)
    trial = view.trial(runs, concept)
    length = runs.end - runs.start
    share, firing = _firing(view, draft.thresholds, runs)
    median = float(np.median(trial.spans.end - trial.spans.start))
    return _Told(
        np.stack([np.log(length / median), share, firing], axis=1),
        right(runs, trial.pairs, site=trial.site),
        trial.weights[runs.protein],
        median,
    )


def _firing(
    view: Fold, thresholds: Thresholds, runs: Runs
) -> tuple[Float[ndarray, "runs"], Float[ndarray, "runs"]]:
    """Share of the features that fire in each run, and how many fire at a residue of it."""
    share, firing = np.zeros(len(runs)), np.zeros(len(runs))
    for feature, threshold in thresholds.items():
        index, _ = _on(view, feature, threshold)
        times = np.bincount(run_of(index, runs), minlength=len(runs) + 1)[:-1]
        share += (times > 0) / len(thresholds)
        firing += times / (runs.end - runs.start)
    return share, np.minimum(firing, MOST_FIRING)


def _fit(told: Sequence[_Told]) -> Float[ndarray, "5"]:
    """Fit the weights of a constant, the rule's own log-odds and the evidence of a call."""
    from sklearn.linear_model import LogisticRegression

    known = [t for t in told if len(t.good)]
    flat = np.array([0.0, 1.0, 0.0, 0.0, 0.0])
    if not known:
        return flat
    good = np.concatenate([t.good for t in known])
    if good.all() or not good.any():
        return flat
    own = np.concatenate([np.full(len(t.good), t.log_odds) for t in known])
    evidence = np.column_stack([own, np.concatenate([t.evidence for t in known])])
    weight = np.concatenate([t.weight for t in known])
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(evidence, good, sample_weight=weight)
    return np.concatenate([fitted.intercept_, fitted.coef_[0]])


def _weights(told: _Told, fitted: Float[ndarray, "5"]) -> tuple[float, float, float, float]:
    """Weights of one rule: its own log-odds and median length go into the constant."""
    constant, own, length, share, firing = (float(w) for w in fitted)
    constant += own * told.log_odds - length * float(np.log(told.median))
    return constant, length, share, firing
