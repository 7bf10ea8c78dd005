"""Whether the runs of a feature come again at one distance, as repeats and helices make them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

LONGEST_PERIOD = 100  # residues
_FEWEST_PAIRS = 20
_CERTAIN = 0.9  # a partner that chance alone brings so often tells nothing
_AS_GOOD = 0.8  # of the best; a period and its multiples differ by chance
_DISTANCES = np.arange(2, LONGEST_PERIOD + 1)
_SLACK = np.where(_DISTANCES < 4, 0, 1)  # residues that a repeat may be longer or shorter
# what is near a distance, but neither within its slack nor its double or its half
_FROM = np.maximum(2, (_DISTANCES + 1) // 2)
_TO = np.maximum(_DISTANCES * 3 // 2, _DISTANCES + _SLACK + 1)
_LAGS = int(_TO.max()) + 1


def periodicity(
    protein: Int[ndarray, "runs"], start: Int[ndarray, "runs"]
) -> tuple[float | None, float | None]:
    """Find the distance at which runs come again, by autocorrelation of their starts.

    At each distance ``d`` up to `LONGEST_PERIOD`, the starts that have another ``d`` residues on
    (give or take one from 4 residues up) are counted, over the starts that have a later one in
    their protein at all. From this share goes what chance brings, ``(share - chance) /
    (1 - chance)``: as many starts as there are at other distances from ``d / 2`` to ``3 d / 2``,
    or as there are in a residue between the first start and the last, whichever are more. The
    largest over all distances is the periodicity: 1 where every run comes again, about 0 for runs
    at random, be they even or in clumps. Of distances that come near it (a period and its
    multiples may) the smallest counts.

    Parameters
    ----------
    protein, start
        Protein and first residue of each run, both ascending.

    Returns
    -------
    share, period
        Periodicity, and mean distance in residues; None where fewer than 20 pairs of starts
        lie at any one distance, 0 and None where no distance has more than chance brings.

    Examples
    --------
    >>> share, period = periodicity(np.repeat([0, 1], 20), np.tile(np.arange(20) * 24 + 5, 2))
    >>> round(share, 2), period
    (1.0, 24.0)
    """
    pairs = _pairs(protein, start)
    followed, density = _density(protein, start)
    close = pairs[_DISTANCES] + _SLACK * (pairs[_DISTANCES - 1] + pairs[_DISTANCES + 1])
    share = np.minimum(close / max(1, followed), 1.0)
    chance = (1 + 2 * _SLACK) * np.maximum(density, _nearby(pairs / max(1, followed)))
    told = (close >= _FEWEST_PAIRS) & (chance < _CERTAIN)
    score = np.where(told, (share - chance) / np.where(told, 1 - chance, 1), 0.0)
    if not (score > 0).any():
        return (0.0, None) if told.any() else (None, None)
    best = int(np.flatnonzero(score >= score.max() * _AS_GOOD)[0])
    # a neighbour of the period has it in its own slack: take the one with most pairs
    best += int(np.argmax(np.where(told, pairs[_DISTANCES], -1)[best : best + 3]))
    slack = _SLACK[best]
    around = np.arange(_DISTANCES[best] - slack, _DISTANCES[best] + slack + 1)
    return float(score.max()), float((around * pairs[around]).sum() / pairs[around].sum())


def _nearby(rate: Float[ndarray, "lags"]) -> Float[ndarray, "distances"]:
    """Average the rate over the distances near each, without those within its slack."""
    total = np.concatenate([[0], np.cumsum(rate)])

    def summed(low: Int[ndarray, "n"], high: Int[ndarray, "n"]) -> Float[ndarray, "n"]:
        return total[high + 1] - total[low]

    inner_low = np.maximum(_DISTANCES - _SLACK, _FROM)
    inner_high = _DISTANCES + _SLACK
    count = (_TO - _FROM + 1) - (inner_high - inner_low + 1)
    return (summed(_FROM, _TO) - summed(inner_low, inner_high)) / count


def _pairs(protein: Int[ndarray, "runs"], start: Int[ndarray, "runs"]) -> Float[ndarray, "lags"]:
    """Count the pairs of starts at each distance in a protein, from 0 up."""
    pairs = np.zeros(_LAGS)
    for step in range(1, len(start)):
        distance = start[step:] - start[:-step]
        near = (protein[step:] == protein[:-step]) & (distance < _LAGS)
        if not near.any():
            break
        pairs += np.bincount(distance[near], minlength=_LAGS)
    return pairs


def _density(protein: Int[ndarray, "runs"], start: Int[ndarray, "runs"]) -> tuple[int, float]:
    """Count the starts with a later one; how many there are in a residue between ends."""
    first = np.flatnonzero(np.diff(protein, prepend=-1))
    last = np.append(first[1:], len(start)) - 1
    followed, between = len(start) - len(first), int((start[last] - start[first]).sum())
    return followed, followed / max(1, between)
