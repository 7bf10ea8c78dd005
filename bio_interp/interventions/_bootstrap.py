"""Intervals by resampling proteins, or clusters of them."""

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

Figure = Callable[[Float[ndarray, "... sums"]], Float[ndarray, "..."]]
"""Computes a figure from sums over proteins; over the last axis, so that many go at once."""


def pool(
    sums: Float[ndarray, "proteins sums"], clusters: Sequence[Hashable] | None
) -> Float[ndarray, "units sums"]:
    """Add up the proteins of each cluster; in order of first appearance."""
    if clusters is None:
        return sums
    numbers: dict[Hashable, int] = {}
    units = [numbers.setdefault(cluster, len(numbers)) for cluster in clusters]
    pooled = np.zeros((len(numbers), sums.shape[1]))
    np.add.at(pooled, units, sums)
    return pooled


def resample(
    sums: Float[ndarray, "units sums"], *, resamples: int, seed: int
) -> Float[ndarray, "resamples sums"]:
    """Draw as many units as there are, with replacement, again and again; add each draw up.

    The same seed draws the same units, whatever the sums are.
    """
    random = np.random.default_rng(seed)
    units = len(sums)
    drawn = np.empty((resamples, sums.shape[1]))
    for row in drawn:
        row[:] = np.bincount(random.integers(units, size=units), minlength=units) @ sums
    return drawn


def interval(drawn: Float[ndarray, "resamples sums"], figure: Figure) -> tuple[float, float]:
    """Give the middle 95 % of a figure; NaN where a draw has none."""
    low, high = np.percentile(figure(drawn), [2.5, 97.5])
    return float(low), float(high)
