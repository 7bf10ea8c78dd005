"""Read a protein that is too long for a model in overlapping windows, and stitch the rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING

from jaxtyping import Int
from numpy import ndarray

from bio_interp.errors import MismatchError
from bio_interp.models._edits import Place

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Piece:
    """A protein, or one window of a long one, as a network reads it.

    Attributes
    ----------
    index
        Place of the protein in the input, from 0.
    tokens
        Without special tokens.
    bounds
        0-based start and end (exclusive) of all windows of the protein.
    start
        0-based start of this one.
    """

    index: int
    tokens: Int[ndarray, "residues"]
    bounds: tuple[tuple[int, int], ...]
    start: int

    @property
    def place(self) -> Place:
        """Where its rows come from, for an edit."""
        return Place(self.index, self.start, self.bounds[-1][1])


def window_bounds(length: int, *, window: int, overlap: int) -> list[tuple[int, int]]:
    """Cover a protein with windows of equal size, evenly spread.

    Parameters
    ----------
    length
        Residues of the protein.
    window
        Residues read at once.
    overlap
        Least number of residues that neighbours share; under `window`.

    Returns
    -------
    list of tuple of int
        0-based start and end (exclusive) of each window, in order; one window where the protein
        fits in it.

    Examples
    --------
    >>> window_bounds(10, window=6, overlap=2)
    [(0, 6), (4, 10)]
    >>> window_bounds(5, window=6, overlap=2)
    [(0, 5)]
    """
    if length <= window:
        return [(0, length)]
    count = -(-(length - overlap) // (window - overlap))
    starts = [round((length - window) * i / (count - 1)) for i in range(count)]
    return [(start, start + window) for start in starts]


def window_cuts(bounds: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Say where neighbours part, in the middle of what they share: the first index of the second.

    Examples
    --------
    >>> window_cuts([(0, 6), (4, 10)])
    (5,)
    """
    return tuple((left[1] + right[0]) // 2 for left, right in pairwise(bounds))


def stitch(pieces: "Sequence[Tensor]", bounds: Sequence[tuple[int, int]]) -> "Tensor":
    """Join the rows of windows: each residue's row is from the window it lies deepest in.

    Parameters
    ----------
    pieces
        Rows of each window, ``(residues of the window, ...)``.
    bounds
        As `window_bounds` gave them.

    Returns
    -------
    Tensor
        One row a residue, ``(residues, ...)``.

    Examples
    --------
    >>> import torch
    >>> stitch([torch.zeros(6), torch.ones(6)], [(0, 6), (4, 10)]).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    import torch

    if len(pieces) == 1:
        return pieces[0]
    edges = [bounds[0][0], *window_cuts(bounds), bounds[-1][1]]
    kept = [
        piece[edges[i] - start : edges[i + 1] - start]
        for i, (piece, (start, _)) in enumerate(zip(pieces, bounds, strict=True))
    ]
    return torch.cat(kept)


def cut_pieces(
    encoded: Iterable[Int[ndarray, "residues"]], *, window: int, overlap: int
) -> Iterator[Piece]:
    """Cut proteins into pieces that fit a window; the pieces of a protein follow each other."""
    for index, tokens in enumerate(encoded):
        bounds = tuple(window_bounds(len(tokens), window=window, overlap=overlap))
        yield from (Piece(index, tokens[start:end], bounds, start) for start, end in bounds)


def pair_masks(
    sequences: Iterable[str], masked: Iterable[Sequence[int]] | None
) -> Iterator[tuple[str, Sequence[int]]]:
    """Pair each protein with the indices to mask in it.

    Raises
    ------
    MismatchError
        There are more of one than of the other.
    """
    if masked is None:
        yield from ((sequence, ()) for sequence in sequences)
        return
    for sequence, hidden in zip_longest(sequences, masked):
        if sequence is None or hidden is None:
            raise MismatchError(
                "indices to mask for every protein",
                "fewer of one than of the other",
                "Give an empty list for a protein with nothing to mask.",
            )
        yield sequence, hidden
