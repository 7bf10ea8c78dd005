"""Choose features and thresholds for concepts, on one fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.linking._fold import Fold
from bio_interp.linking._runs import (
    Match,
    Score,
    Trial,
    match_delineator,
    match_locator,
)

if TYPE_CHECKING:
    from bio_interp.linking.counting import Scan

LinkType = Literal["delineator", "locator", "family_marker", "interplm", "residue"]
LINK_TYPES: tuple[LinkType, ...] = ("interplm", "family_marker", "delineator", "locator")
SCANNED: dict[LinkType, str] = {
    "interplm": "interplm",
    "residue": "residue",
    "family_marker": "marker",
}  # the names of a scan that decide a link type
SCREENED = 8  # features a concept that are looked at run by run

MATCHES: dict[LinkType, Callable[[Trial], Match]] = {
    "delineator": match_delineator,
    "locator": match_locator,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A feature and threshold chosen for a concept, with its score where it was chosen."""

    concept: int
    kind: LinkType
    feature: int
    threshold: float
    score: Score


def choose(found: Scan, view: Fold, kinds: Sequence[LinkType] = LINK_TYPES) -> list[Choice]:
    """Choose, for every concept and link type, the feature and threshold of highest F1.

    The `SCREENED` features of highest InterPLM-F1 and of highest marker F1 of each concept are
    scored run by run; the scan alone decides the rest.

    Parameters
    ----------
    found
        The fold, scanned.
    view
        The same fold.
    kinds
        Link types wanted.
    """
    choices: list[Choice] = []
    for concept in range(view.labels.concepts.height):
        for kind, name in SCANNED.items():
            if kind in kinds:
                choices.append(_best(found, concept, kind, name))
        if set(MATCHES) & set(kinds):
            choices += _by_runs(view, concept, screened(found, concept), found.edges)
    return choices


def screened(found: Scan, concept: int) -> list[int]:
    """List the features of a concept that are worth a look run by run."""
    return found.top(concept, ("interplm", "marker"), SCREENED)


def _best(found: Scan, concept: int, kind: LinkType, name: str) -> Choice:
    best = found.best[name]
    feature = int(best.f1[concept].argmax())
    threshold = float(found.edges[feature, best.bin[concept, feature]])
    there = found.totals.proteins if kind == "family_marker" else found.totals.spans
    score = Score(np.nan, np.nan, float(best.f1[concept, feature]), 0, round(float(there[concept])))
    return Choice(concept, kind, feature, threshold, score)


def _by_runs(
    view: Fold, concept: int, features: list[int], edges: Float[ndarray, "d_sae bins"]
) -> list[Choice]:
    """Score the screened features run by run, at every threshold."""
    best: dict[LinkType, dict[int, Choice]] = {kind: {} for kind in MATCHES}
    for feature in features:
        for threshold in np.unique(edges[feature][np.isfinite(edges[feature])]):
            trial = view.trial(view.runs(feature, float(threshold), concept), concept)
            for kind, match in MATCHES.items():
                score = trial.score(*match(trial))
                if feature not in best[kind] or score.f1 > best[kind][feature].score.f1:
                    best[kind][feature] = Choice(concept, kind, feature, float(threshold), score)
    return [
        max(found.values(), key=lambda c: c.score.f1)
        for found in best.values()
        if any(c.score.f1 > 0 for c in found.values())
    ]
