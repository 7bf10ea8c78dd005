"""Predicted runs of residues against true spans, along one axis of all residues."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.linking._intervals import Intervals

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


def run_of(index: Int[ndarray, "hits"], runs: Runs) -> Int[ndarray, "hits"]:
    """Find the run that each residue lies in; the number of runs where it lies in none."""
    at = np.searchsorted(runs.start, index, side="right") - 1
    inside = at >= 0
    inside[inside] = index[inside] < runs.end[at[inside]]
    return np.where(inside, at, len(runs))


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
    """Precision, recall and their harmonic mean, with the (unweighted) numbers behind them."""

    precision: float
    recall: float
    f1: float
    predicted: int
    true: int


@dataclass(frozen=True)
class Trial:
    """Runs predicted for a concept, its true spans, and the weight of every protein."""

    runs: Runs
    spans: Intervals
    pairs: Overlaps
    weights: Float[ndarray, "proteins"]
    site: bool

    def score(self, right_runs: Int[ndarray, "_"], found_spans: Int[ndarray, "_"]) -> Score:
        """Score the runs that are right and the spans that are found, each given once or more."""
        run, span = self.weights[self.runs.protein], self.weights[self.spans.protein]
        p = float(run[np.unique(right_runs)].sum()) / max(float(run.sum()), 1e-9)
        r = float(span[np.unique(found_spans)].sum()) / max(float(span.sum()), 1e-9)
        return Score(p, r, 2 * p * r / max(p + r, 1e-12), len(run), len(span))


Match = tuple[Int[ndarray, "_"], Int[ndarray, "_"]]


def match_locator(trial: Trial) -> Match:
    """Give the runs of which half lies in a true span, and the spans that have such a run."""
    pairs = trial.pairs
    hit = (pairs.of_span >= 1) if trial.site else (pairs.of_run >= 0.5)
    return pairs.run[hit], pairs.span[hit]


def match_delineator(trial: Trial) -> Match:
    """Match runs one to one with spans at 50 % reciprocal overlap (sites: exact): strict span-F1.

    Two runs or two spans can share a partner only at exactly one half each; the first counts.
    """
    pairs, half = trial.pairs, 1.0 if trial.site else 0.5
    match = np.flatnonzero((pairs.of_run >= half) & (pairs.of_span >= half))
    match = match[np.unique(pairs.run[match], return_index=True)[1]]
    match = match[np.unique(pairs.span[match], return_index=True)[1]]
    return pairs.run[match], pairs.span[match]
