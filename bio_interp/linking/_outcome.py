"""What a choice does on another fold, with nothing chosen anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.linking._choose import MATCHES, Choice
from bio_interp.linking._fold import Fold
from bio_interp.linking._labels import Labels
from bio_interp.linking._runs import Match, Runs, Score, Trial, overlap
from bio_interp.linking.statistics import SUMS


@dataclass(frozen=True)
class Outcome:
    """What was predicted and what is true, one by one; each thing is of one protein.

    The things are those that the link type speaks of: runs and spans, residues, or proteins.

    Attributes
    ----------
    predicted, true
        Protein of each predicted, and of each true, thing.
    right, found
        Whether each prediction is right; whether each true thing is found.
    """

    predicted: Int[ndarray, "predicted"]
    right: Bool[ndarray, "predicted"]
    true: Int[ndarray, "true"]
    found: Bool[ndarray, "true"]

    def score(self, weights: Float[ndarray, "proteins"]) -> Score:
        """Weigh every thing by its protein; nothing predicted, or nothing true, gives 0."""
        told, there = weights[self.predicted], weights[self.true]
        p = float(told[self.right].sum()) / max(float(told.sum()), 1e-9)
        r = float(there[self.found].sum()) / max(float(there.sum()), 1e-9)
        return Score(p, r, 2 * p * r / max(p + r, 1e-12), len(told), len(there))

    def by_cluster(self, labels: Labels) -> dict[str, ndarray]:
        """Sum the weights of what is right, predicted, found and true in each cluster: `SUMS`."""
        told, there = labels.weights[self.predicted], labels.weights[self.true]
        columns = {
            "right": (self.predicted, told * self.right),
            "runs": (self.predicted, told),
            "found": (self.true, there * self.found),
            "spans": (self.true, there),
        }
        size = int(labels.clusters.max(initial=-1)) + 1
        sums = {
            name: np.bincount(labels.clusters[protein], weight, size)
            for name, (protein, weight) in columns.items()
        }
        some = np.flatnonzero((sums["runs"] > 0) | (sums["spans"] > 0))
        return {"cluster": some, **{name: column[some] for name, column in sums.items()}}


def outcome(choice: Choice, view: Fold) -> Outcome:
    """Look at what a choice predicts on a fold."""
    if choice.kind == "family_marker":
        return _proteins(choice, view)
    if choice.kind == "residue":
        return _residues(choice, view)
    if choice.kind == "interplm":
        trial = view.trial(_fired(choice, view), choice.concept)
        return _matched(trial, (trial.pairs.run, trial.pairs.span))
    runs = view.runs(choice.feature, choice.threshold, choice.concept)
    trial = view.trial(runs, choice.concept)
    return _matched(trial, MATCHES[choice.kind](trial))


def rescore(choice: Choice, view: Fold) -> Score:
    """Score a choice on another fold, with nothing chosen anew."""
    return outcome(choice, view).score(view.labels.weights)


def cluster_sums(choices: Sequence[Choice], view: Fold) -> pl.DataFrame:
    """List what intervals are made of: `SUMS`, a row a choice's concept and cluster."""
    schema = dict(SUMS)
    frames = [pl.DataFrame(schema=schema)]
    for choice in choices:
        columns = outcome(choice, view).by_cluster(view.labels)
        concept = [view.labels.concepts["concept"][choice.concept]] * len(columns["cluster"])
        frames.append(pl.DataFrame({"concept": concept, **columns}, schema_overrides=schema))
    return pl.concat(frames)


def _matched(trial: Trial, match: Match) -> Outcome:
    right, found = np.zeros(len(trial.runs), bool), np.zeros(len(trial.spans), bool)
    right[match[0]], found[match[1]] = True, True
    return Outcome(trial.runs.protein, right, trial.spans.protein, found)


def _fired(choice: Choice, view: Fold) -> Runs:
    """Single residues where the feature is on and the concept is known."""
    index, protein, value = view.hits(choice.feature)
    on = value >= choice.threshold
    runs = Runs(index[on], index[on] + 1, protein[on], value[on])
    return view.known(runs, choice.concept)


def _residues(choice: Choice, view: Fold) -> Outcome:
    fired, spans = _fired(choice, view), view.spans_of(choice.concept).merged()
    pairs = overlap(fired, spans)
    right = np.zeros(len(fired), bool)
    right[pairs.run] = True
    length = spans.end - spans.start
    true = np.repeat(spans.protein, length)
    first = np.repeat(spans.start - np.cumsum(length) + length, length)
    found = np.isin(first + np.arange(len(true)), fired.start, assume_unique=True)
    return Outcome(fired.protein, right, true, found)


def _proteins(choice: Choice, view: Fold) -> Outcome:
    fired = np.unique(_fired(choice, view).protein)
    bearing = np.unique(view.spans_of(choice.concept).protein)
    return Outcome(fired, np.isin(fired, bearing), bearing, np.isin(bearing, fired))
