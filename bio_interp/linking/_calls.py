"""Turn the codes of a protein into calls: runs of residues with a concept and a strength."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.linking._runs import MAX_GAP
from bio_interp.spans import runs

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

MOST_FIRING = 4.0  # features a residue; more say no more


@dataclass(frozen=True)
class CallRule:
    """How the calls of a concept are made.

    Attributes
    ----------
    thresholds
        The features that call, each with its threshold: it is on where its activation is this
        or more.
    shortest
        Runs of fewer residues are no calls.
    weights
        Of a constant, the log of the length in residues, the share of the features that fire, and
        the mean number of them that fire at a residue: the log-odds that such a call is right, as
        fitted where the rule was chosen.
    """

    thresholds: Mapping[int, float]
    shortest: int
    weights: tuple[float, float, float, float]

    def strength(self, length: int, share: float, firing: float) -> float:
        """Probability that a call is right, as the fold says where the rule was chosen.

        It ranks calls; the calibration says what it is worth on other clusters.
        """
        told = (1.0, log(length), share, min(firing, MOST_FIRING))
        return 1 / (1 + exp(-sum(w * x for w, x in zip(self.weights, told, strict=True))))


@dataclass(frozen=True, slots=True)
class RawCall:
    """A call before it has a precision; positions are 1-based and inclusive."""

    concept: str
    start: int
    end: int
    features: tuple[int, ...]
    peak: float
    strength: float


def call_protein(
    codes: csc_matrix, rules: Mapping[str, CallRule], sites: frozenset[str]
) -> Iterator[RawCall]:
    """Find the calls in one protein.

    Residues where any of a rule's features is on are joined over gaps of up to 5 residues (sites:
    none); runs long enough for the rule are calls.

    Parameters
    ----------
    codes
        ``(residues, d_sae)``, by column.
    rules
        Rule of each concept.
    sites
        Concepts of single residues.
    """
    firing = np.diff(codes.indptr) > 0
    for concept, rule in rules.items():
        on = [f for f in rule.thresholds if firing[f]]
        if on:
            yield from _call_concept(codes, concept, rule, on, 0 if concept in sites else MAX_GAP)


def _call_concept(
    codes: csc_matrix, concept: str, rule: CallRule, features: list[int], max_gap: int
) -> Iterator[RawCall]:
    on = _activations(codes, rule, features)
    for start, end in runs(on.max(axis=0) > 0, max_gap=max_gap):
        length = int(end - start + 1)
        if length < rule.shortest:
            continue
        block = on[:, start - 1 : end]
        peaks = block.max(axis=1)
        order = [i for i in np.argsort(-peaks, kind="stable") if peaks[i] > 0]
        share = len(order) / len(rule.thresholds)
        yield RawCall(
            concept=concept,
            start=int(start),
            end=int(end),
            features=tuple(features[i] for i in order),
            peak=float(peaks[order[0]]),
            strength=rule.strength(length, share, np.count_nonzero(block) / length),
        )


def _activations(
    codes: csc_matrix, rule: CallRule, features: list[int]
) -> Float[ndarray, "features residues"]:
    """Activations of some features, 0 below their thresholds."""
    on = np.zeros((len(features), int(codes.get_shape()[0])), dtype=np.float32)
    for row, feature in zip(on, features, strict=True):
        part = slice(codes.indptr[feature], codes.indptr[feature + 1])
        values = codes.data[part]
        row[codes.indices[part]] = np.where(values >= rule.thresholds[feature], values, 0.0)
    return on
