"""How far apart two residues of a chain usually are: by separation, and by how deep they lie."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

_ROWS = 512  # of a matrix of distances at a time


def usual_distances(
    at: Int[ndarray, "shown"], places: Float[ndarray, "shown 3"]
) -> Float[ndarray, "separations"]:
    """Average the distances of a chain by separation, each over those within a tenth of it.

    Far separations have few pairs, so each takes in its neighbours: from 0.9 to 1.1 of it, at
    least one residue to either side. NaN where no pair is that far apart.

    Parameters
    ----------
    at
        Index of each residue in the chain, ascending.
    places
        Where it is, in angstrom.

    Examples
    --------
    >>> line = np.arange(4)
    >>> usual_distances(line, np.stack([line * 3.0, line * 0, line * 0], axis=1)).tolist()
    [3.0, 4.2, 5.0, 7.0]
    """
    span = int(at[-1] - at[0]) + 1 if len(at) else 0
    total, count = np.zeros(span), np.zeros(span)
    for _, distance, separation in _blocks_of_rows(at, places):
        total += np.bincount(separation.ravel(), weights=distance.ravel(), minlength=span)
        count += np.bincount(separation.ravel(), minlength=span)
    count[:1] = 0  # a residue with itself is no pair
    reach = np.maximum(np.arange(span) // 10, 1)
    low = np.maximum(np.arange(span) - reach, 0)
    high = np.minimum(np.arange(span) + reach + 1, span)
    sums, counts = (np.concatenate([[0.0], np.cumsum(x)]) for x in (total, count))
    with np.errstate(invalid="ignore"):
        return (sums[high] - sums[low]) / (counts[high] - counts[low])


def depths(
    at: Int[ndarray, "shown"],
    places: Float[ndarray, "shown 3"],
    usual: Float[ndarray, "separations"],
) -> Float[ndarray, "shown"]:
    """Give each residue's share in being farther from others than is usual, in angstrom.

    The usual distance of two residues is that of their separation plus the depth of either: the
    additive fit by means of rows. Low, below 0, in the middle of the chain, where all is near.

    Examples
    --------
    >>> line = np.arange(5)
    >>> places = np.stack([line * 3.0, line * 0, line * 0], axis=1)
    >>> depths(line, places, np.zeros(5)).tolist()  # 7.5, 5.25, 4.5, 5.25, 7.5 less 3
    [4.5, 2.25, 1.5, 2.25, 4.5]
    """
    total = np.zeros(len(at))
    for some, distance, separation in _blocks_of_rows(at, places):
        total[some] = np.where(separation, distance - usual[separation], 0.0).sum(axis=1)
    mean = total / max(len(at) - 1, 1)
    return mean - mean.mean() / 2


def _blocks_of_rows(
    at: Int[ndarray, "shown"], places: Float[ndarray, "shown 3"]
) -> Iterator[tuple[slice, Float[ndarray, "some shown"], Int[ndarray, "some shown"]]]:
    """Yield distances and separations of some residues to all, a part at a time."""
    for first in range(0, len(at), _ROWS):
        some = slice(first, first + _ROWS)
        distance = np.sqrt(np.square(places[some, None] - places[None]).sum(-1))
        yield some, distance, np.abs(at[some, None] - at[None])
