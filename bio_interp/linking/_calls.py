"""Turn the codes of a protein into calls: runs of residues with a concept and a strength."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.linking._runs import MAX_GAP

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


class Caller:
    """Finds calls by the rules of many concepts at once.

    Residues where any of a rule's features is on are joined over gaps of up to 5 residues (sites:
    none); runs long enough for the rule are calls.

    Parameters
    ----------
    rules
        Rule of each concept.
    sites
        Concepts of single residues.

    Examples
    --------
    >>> from scipy.sparse import csc_matrix
    >>> caller = Caller({"c": CallRule({1: 2.0}, 1, (0.0, 1.0, 0.0, 0.0))}, frozenset())
    >>> [(c.start, c.end, c.peak) for c in caller.calls(csc_matrix([[0, 2.0], [0, 1.0], [0, 5.0]]))]
    [(1, 3, 5.0)]
    """

    def __init__(self, rules: Mapping[str, CallRule], sites: frozenset[str]) -> None:
        self._concepts, self._rules = list(rules), list(rules.values())
        self._is_site = np.array([c in sites for c in self._concepts], dtype=bool)
        self._shortest = np.array([r.shortest for r in self._rules], dtype=np.int64)
        # one entry a rule and feature, by feature; among a rule's features in the rule's order
        table = [
            (feature, number, place, threshold)
            for number, rule in enumerate(self._rules)
            for place, (feature, threshold) in enumerate(rule.thresholds.items())
        ]
        table.sort()
        columns = zip(*table, strict=True) if table else ((), (), (), ())
        feature, number, place, threshold = (np.array(column) for column in columns)
        self._feature, self._rule = feature.astype(np.int64), number.astype(np.int64)
        self._place, self._threshold = place.astype(np.int64), threshold.astype(np.float64)

    def calls(self, codes: csc_matrix) -> list[RawCall]:
        """Find the calls in one protein, in the order of the rules and then of the residues.

        `codes` is ``(residues, d_sae)``, by column.
        """
        entry, residue, value = self._firing(codes)
        rule = self._rule[entry]
        order = np.lexsort((residue, rule))
        entry, residue, value, rule = (x[order] for x in (entry, residue, value, rule))
        found: list[tuple[int, RawCall]] = []
        for site, gap in ((False, MAX_GAP), (True, 0)):
            at = self._is_site[rule] == site
            found += self._runs(entry[at], residue[at], value[at], rule[at], gap)
        return [call for _, call in sorted(found, key=_place)]

    def _firing(
        self, codes: csc_matrix
    ) -> tuple[Int[ndarray, "firing"], Int[ndarray, "firing"], Float[ndarray, "firing"]]:
        """Pair every entry of the rules with the residues where its feature is on."""
        first, counts = codes.indptr[self._feature], np.diff(codes.indptr)[self._feature]
        entry = np.repeat(np.arange(len(counts)), counts)
        stored = np.arange(len(entry)) - np.repeat(np.cumsum(counts) - counts, counts)
        stored += np.repeat(first, counts)
        value = codes.data[stored]
        on = (value >= self._threshold[entry].astype(value.dtype)) & (value > 0)
        return entry[on], codes.indices[stored[on]].astype(np.int64), value[on]

    def _runs(
        self,
        entry: Int[ndarray, "firing"],
        residue: Int[ndarray, "firing"],
        value: Float[ndarray, "firing"],
        rule: Int[ndarray, "firing"],
        max_gap: int,
    ) -> Iterator[tuple[int, RawCall]]:
        """Join residues, ascending by rule and residue, into calls; each with its rule."""
        if not len(entry):
            return
        first = np.ones(len(entry), dtype=bool)
        first[1:] = (np.diff(residue) > max_gap + 1) | (np.diff(rule) != 0)
        at = np.flatnonzero(first)
        ends = np.append(at[1:], len(entry))
        lengths = residue[ends - 1] - residue[at] + 1
        for begin, end, length in zip(at, ends, lengths, strict=True):
            number = int(rule[begin])
            if length >= self._shortest[number]:
                run = slice(begin, end)
                start = int(residue[begin]) + 1
                call = self._call(number, start, int(length), entry[run], value[run])
                yield number, call

    def _call(
        self,
        number: int,
        start: int,
        length: int,
        entry: Int[ndarray, "firing"],
        value: Float[ndarray, "firing"],
    ) -> RawCall:
        rule, by_entry = self._rules[number], dict[int, float]()
        for one, strength in zip(entry.tolist(), value.tolist(), strict=True):
            by_entry[one] = max(strength, by_entry.get(one, 0.0))
        order = sorted(by_entry, key=lambda one: (-by_entry[one], self._place[one]))
        share = len(order) / len(rule.thresholds)
        return RawCall(
            concept=self._concepts[number],
            start=start,
            end=start + length - 1,
            features=tuple(int(self._feature[one]) for one in order),
            peak=by_entry[order[0]],
            strength=rule.strength(length, share, len(entry) / length),
        )


def _place(found: tuple[int, RawCall]) -> tuple[int, int]:
    return found[0], found[1].start
