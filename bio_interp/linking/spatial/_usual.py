"""How far apart two residues usually are: by separation, by how deep they lie, by letters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.linking._runs import MAX_GAP

_ROWS = 512  # of a matrix of distances at a time
_PRIOR = 50  # pairs without excess that each pair of letters starts with: a few say little
_LETTERS = 26


@dataclass(frozen=True)
class Usual:
    """What is usual in a chain.

    Attributes
    ----------
    at
        Index of each residue that is shown in the chain, ascending.
    places
        Where it is, in angstrom.
    letters
        Which letter it is, from 0 for A.
    by_separation, depth
        See `usual_distances` and `depths`.
    """

    at: Int[ndarray, "shown"]
    places: Float[ndarray, "shown 3"]
    letters: Int[ndarray, "shown"]
    by_separation: Float[ndarray, "separations"]
    depth: Float[ndarray, "shown"]

    @classmethod
    def of(cls, sequence: str, places: Float[ndarray, "residues 3"]) -> Usual:
        """Measure a chain; places that are NaN are not shown."""
        at = np.flatnonzero(np.isfinite(places.sum(axis=1)))
        letters = np.array([ord(sequence[i]) - ord("A") for i in at], dtype=np.int64)
        usual = usual_distances(at, places[at])
        return cls(at, places[at], letters, usual, depths(at, places[at], usual))

    def excess_by_letters(self) -> tuple[Float[ndarray, "letters"], Float[ndarray, "letters"]]:
        """Sum what is above separation and depth by pairs of letters, and count the pairs.

        Of pairs that are so far apart as residues of different blocks can be.
        """
        size = _LETTERS * _LETTERS
        total, count = np.zeros(size), np.zeros(size)
        for some, distance, separation in _blocks_of_rows(self.at, self.places):
            above = distance - self.by_separation[separation] - self.depth
            above -= self.depth[some, None]
            far = separation > MAX_GAP + 1
            kind = (self.letters[some, None] * _LETTERS + self.letters)[far]
            total += np.bincount(kind, weights=above[far], minlength=size)
            count += np.bincount(kind, minlength=size)
        return total, count


def excess_of_letters(chains: Iterable[Usual]) -> Float[ndarray, "letters letters"]:
    """Average over chains how much farther than usual two letters are, in angstrom.

    Below 0 for two that seek each other, as cysteines do. Drawn to 0 where there are few.
    """
    total, count = np.zeros(_LETTERS**2), np.full(_LETTERS**2, float(_PRIOR))
    for chain in chains:
        more, pairs = chain.excess_by_letters()
        total, count = total + more, count + pairs
    return (total / count).reshape(_LETTERS, _LETTERS)


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
