"""Predicted runs of residues against true spans, along one axis of all residues."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.linking._labels import Intervals

MAX_GAP = 5
SITE_LENGTH = 3


@dataclass(frozen=True)
class Runs:
    """Predicted runs in ascending order: ``start`` and ``end`` as in `Intervals`."""

    start: Int[ndarray, "runs"]
    end: Int[ndarray, "runs"]
    protein: Int[ndarray, "runs"]
    peak: Float[ndarray, "runs"]

    def __len__(self) -> int:
        return len(self.start)

    def where(self, keep: Bool[ndarray, "runs"]) -> Runs:
        """Keep some of the runs."""
        return Runs(self.start[keep], self.end[keep], self.protein[keep], self.peak[keep])


def join(
    index: Int[ndarray, "hits"],
    protein: Int[ndarray, "hits"],
    value: Float[ndarray, "hits"],
    *,
    max_gap: int = MAX_GAP,
) -> Runs:
    """Join firing residues, ascending, into runs over gaps of up to `max_gap` residues."""
    if not len(index):
        return Runs(index, index, protein, value)
    first = np.ones(len(index), dtype=bool)
    first[1:] = (np.diff(index) > max_gap + 1) | (np.diff(protein) != 0)
    at = np.flatnonzero(first)
    last = np.append(at[1:], len(index)) - 1
    return Runs(index[at], index[last] + 1, protein[at], np.maximum.reduceat(value, at))


@dataclass(frozen=True)
class Overlaps:
    """Every pair of a run and a span that share residues.

    Attributes
    ----------
    run, span
        Indices of the pair.
    shared
        Residues shared.
    of_run, of_span
        Share of the run, and of the span, that is shared.
    """

    run: Int[ndarray, "pairs"]
    span: Int[ndarray, "pairs"]
    shared: Int[ndarray, "pairs"]
    of_run: Float[ndarray, "pairs"]
    of_span: Float[ndarray, "pairs"]


def overlap(runs: Runs, spans: Intervals) -> Overlaps:
    """Pair runs and spans that share residues; spans sorted by start, runs too."""
    # ends of spans that overlap each other may not ascend: the running maximum does
    low = np.searchsorted(np.maximum.accumulate(spans.end), runs.start, side="right")
    high = np.maximum(np.searchsorted(spans.start, runs.end, side="left"), low)
    count = high - low
    run = np.repeat(np.arange(len(runs)), count)
    span = np.arange(len(run)) - np.repeat(np.cumsum(count) - count, count) + low[run]
    shared = np.minimum(runs.end[run], spans.end[span]) - np.maximum(
        runs.start[run], spans.start[span]
    )
    keep = shared > 0
    run, span, shared = run[keep], span[keep], shared[keep]
    return Overlaps(
        run,
        span,
        shared,
        shared / (runs.end - runs.start)[run],
        shared / (spans.end - spans.start)[span],
    )


def right(runs: Runs, pairs: Overlaps, *, site: bool) -> Bool[ndarray, "runs"]:
    """Mark the runs that are right as calls.

    Half of the run lies in a true span and it covers a quarter of that span; for a site, the run
    contains the site and is at most 3 residues long.
    """
    good = np.zeros(len(runs), dtype=bool)
    if site:
        short = (runs.end - runs.start) <= SITE_LENGTH
        good[pairs.run[pairs.of_span >= 1]] = True
        return good & short
    good[pairs.run[(pairs.of_run >= 0.5) & (pairs.of_span >= 0.25)]] = True
    return good


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and their harmonic mean, with the counts behind them."""

    precision: float
    recall: float
    f1: float
    predicted: int
    true: int

    @classmethod
    def of(cls, right_predicted: int, predicted: int, found: int, true: int) -> Score:
        """Build a score from counts; 0 where there is nothing to divide by."""
        p, r = right_predicted / max(predicted, 1), found / max(true, 1)
        return cls(p, r, 2 * p * r / max(p + r, 1e-12), predicted, true)


def score_locator(runs: Runs, spans: Intervals, pairs: Overlaps, *, site: bool) -> Score:
    """Score runs of which half lies in a true span, and spans that have such a run."""
    hit = (pairs.of_span >= 1) if site else (pairs.of_run >= 0.5)
    return _score(runs, spans, pairs, hit)


def score_delineator(runs: Runs, spans: Intervals, pairs: Overlaps, *, site: bool) -> Score:
    """Strict span-F1: runs one to one with spans at 50 % reciprocal overlap (sites: exact)."""
    half = 1.0 if site else 0.5
    match = (pairs.of_run >= half) & (pairs.of_span >= half)
    matched = min(len(np.unique(pairs.run[match])), len(np.unique(pairs.span[match])))
    return Score.of(matched, len(runs), matched, len(spans))


def score_calls(runs: Runs, spans: Intervals, pairs: Overlaps, *, site: bool) -> Score:
    """Score runs as calls, and spans that have a right call."""
    hit = right(runs, pairs, site=site)[pairs.run]
    hit &= (pairs.of_span >= 1) if site else (pairs.of_span >= 0.25)
    return _score(runs, spans, pairs, hit)


def _score(runs: Runs, spans: Intervals, pairs: Overlaps, hit: Bool[ndarray, "pairs"]) -> Score:
    right_runs, found = len(np.unique(pairs.run[hit])), len(np.unique(pairs.span[hit]))
    return Score.of(right_runs, len(runs), found, len(spans))
