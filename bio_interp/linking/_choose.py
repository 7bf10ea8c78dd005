"""Choose features and thresholds for concepts, on one fold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.linking._counts import Counts
from bio_interp.linking._fold import Fold
from bio_interp.linking._runs import (
    Runs,
    Score,
    Trial,
    score_delineator,
    score_locator,
)

LinkType = Literal["delineator", "locator", "family_marker", "interplm"]
SCREENED = 8  # features a concept that are looked at run by run

RunScore = Callable[[Trial], Score]
RUN_SCORES: dict[LinkType, RunScore] = {
    "delineator": score_delineator,
    "locator": score_locator,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A feature and threshold chosen for a concept, with its score where it was chosen."""

    concept: int
    kind: LinkType
    feature: int
    threshold: float
    score: Score


def choose(counts: Counts, view: Fold, edges: Float[ndarray, "d_sae bins"]) -> list[Choice]:
    """Choose, for every concept and link type, the feature and threshold of highest F1.

    The `SCREENED` features of highest InterPLM-F1 and of highest marker F1 of each concept are
    scored run by run; `counts` alone decide the rest.
    """
    choices: list[Choice] = []
    for concept, screen in enumerate(screens(counts, view)):
        choices += screen.best(concept, edges)
        choices += _by_runs(view, concept, screen.features, edges)
    return choices


@dataclass(frozen=True)
class Screen:
    """InterPLM-F1 and marker F1 of one concept, each ``(d_sae, bins)``, and what they count."""

    interplm: Float[ndarray, "d_sae bins"]
    marker: Float[ndarray, "d_sae bins"]
    spans: int
    proteins: int

    @property
    def features(self) -> list[int]:
        """Features worth a look run by run."""
        ranked = [
            np.argsort(-f1.max(1), kind="stable")[:SCREENED] for f1 in (self.interplm, self.marker)
        ]
        return sorted({int(f) for f in np.concatenate(ranked)})

    def best(self, concept: int, edges: Float[ndarray, "d_sae bins"]) -> Iterator[Choice]:
        """Best feature and threshold by each of the two scores."""
        screened: tuple[tuple[LinkType, Float[ndarray, "d_sae bins"], int], ...] = (
            ("interplm", self.interplm, self.spans),
            ("family_marker", self.marker, self.proteins),
        )
        for kind, f1, true in screened:
            feature, b = np.unravel_index(int(f1.argmax()), f1.shape)
            score = Score(np.nan, np.nan, float(f1[feature, b]), 0, true)
            yield Choice(concept, kind, int(feature), float(edges[feature, b]), score)


def screens(counts: Counts, view: Fold) -> Iterator[Screen]:
    """Score every feature and threshold for each concept by what was counted."""
    labels = view.labels
    for concept in range(labels.concepts.height):
        spans = view.spans_of(concept)
        bearing = np.unique(spans.protein)
        one, where = counts.of_concept(concept), int(labels.coverage_class[concept])
        yield Screen(
            one.interplm_f1(where, float(labels.weights[spans.protein].sum())),
            one.marker_f1(where, float(labels.weights[bearing].sum())),
            len(spans),
            len(bearing),
        )


def _by_runs(
    view: Fold, concept: int, features: list[int], edges: Float[ndarray, "d_sae bins"]
) -> list[Choice]:
    """Score the screened features run by run, at every threshold."""
    best: dict[LinkType, dict[int, Choice]] = {kind: {} for kind in RUN_SCORES}
    for feature in features:
        for threshold in np.unique(edges[feature][np.isfinite(edges[feature])]):
            trial = view.trial(view.runs(feature, float(threshold), concept), concept)
            for kind, score_runs in RUN_SCORES.items():
                score = score_runs(trial)
                if feature not in best[kind] or score.f1 > best[kind][feature].score.f1:
                    best[kind][feature] = Choice(concept, kind, feature, float(threshold), score)
    return [
        max(found.values(), key=lambda c: c.score.f1)
        for found in best.values()
        if any(c.score.f1 > 0 for c in found.values())
    ]


def rescore(choice: Choice, view: Fold) -> Score:
    """Score a choice on another fold, with nothing chosen anew."""
    if choice.kind == "interplm":
        trial = view.trial(_fired(choice, view), choice.concept)
        return trial.score(trial.pairs.run, trial.pairs.span)
    if choice.kind == "family_marker":
        return _marker(choice, view)
    runs = view.runs(choice.feature, choice.threshold, choice.concept)
    return RUN_SCORES[choice.kind](view.trial(runs, choice.concept))


def _fired(choice: Choice, view: Fold) -> Runs:
    """Single residues where the feature is on and the concept is known."""
    index, protein, value = view.hits(choice.feature)
    on = value >= choice.threshold
    runs = Runs(index[on], index[on] + 1, protein[on], value[on])
    return view.known(runs, choice.concept)


def _marker(choice: Choice, view: Fold) -> Score:
    fired = np.unique(_fired(choice, view).protein)
    bearing = np.unique(view.spans_of(choice.concept).protein)
    weight = view.labels.weights
    both = float(weight[np.intersect1d(fired, bearing)].sum())
    p = both / max(float(weight[fired].sum()), 1e-9)
    r = both / max(float(weight[bearing].sum()), 1e-9)
    return Score(p, r, 2 * p * r / max(p + r, 1e-12), len(fired), len(bearing))
