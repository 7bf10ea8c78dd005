"""The residues where a feature fires as blocks, and the same blocks placed at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

from bio_interp.errors import InputError
from bio_interp.linking._runs import MAX_GAP


@dataclass(frozen=True)
class Blocks:
    """Firing residues of a chain, those over gaps of up to 5 residues in one block.

    Attributes
    ----------
    length
        Residues of the chain that may fire: those that the structure shows.
    start, extent
        First residue of each block, 0-based, and its length with the gaps inside.
    block, offset
        Of each firing residue: its block, and its place in it.
    """

    length: int
    start: Int[ndarray, "blocks"]
    extent: Int[ndarray, "blocks"]
    block: Int[ndarray, "firing"]
    offset: Int[ndarray, "firing"]

    def __len__(self) -> int:
        return len(self.start)

    @property
    def free(self) -> int:
        """Residues that can be shared out between the blocks, beside the gaps there must be."""
        return self.length - int(self.extent.sum()) - max(len(self) - 1, 0) * (MAX_GAP + 1)

    @property
    def around_the_end(self) -> Int[ndarray, "firing"]:
        """Block of each firing residue where the end of the chain is joined to its start."""
        if len(self) < 2:
            return self.block
        gap = self.length - int(self.start[-1] + self.extent[-1]) + int(self.start[0])
        return self.block % (len(self) - 1) if gap <= MAX_GAP else self.block

    def rows(self, starts: Int[ndarray, "draws blocks"]) -> Int[ndarray, "draws firing"]:
        """Give the firing residues, 0-based, of blocks that start there."""
        return starts[:, self.block] + self.offset


def blocks_of(on: Bool[ndarray, "shown"]) -> Blocks:
    """Join firing residues into blocks.

    Examples
    --------
    >>> found = blocks_of(np.array([1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1], dtype=bool))
    >>> found.start.tolist(), found.extent.tolist(), found.offset.tolist()
    ([0, 10], [4, 1], [0, 1, 3, 0])
    """
    at = np.flatnonzero(on)
    first = np.ones(len(at), dtype=bool)
    first[1:] = np.diff(at) > MAX_GAP + 1
    start = at[first]
    block = np.cumsum(first) - 1
    extent = at[np.append(first[1:], True)[: len(at)]] - start + 1
    return Blocks(len(on), start, extent, block, at - start[block])


def draw_starts(
    blocks: Blocks, draws: int, rng: np.random.Generator
) -> Int[ndarray, "draws blocks"]:
    """Place the blocks at random: in any order, all gaps between and around them equally likely.

    Blocks stay whole and more than 5 residues apart, so that they are found as the same blocks
    again, and nothing goes over the ends of the chain. What was observed is one of these
    placements: were the feature blind to the structure, it would be as likely as any other.

    Raises
    ------
    InputError
        The blocks do not fit.
    """
    count, free = len(blocks), blocks.free
    if free < 0:
        raise InputError(
            "blocks that fit into the chain", f"{-free} residues too many", "Use `blocks_of`."
        )
    order = np.argsort(rng.random((draws, count)), axis=1)
    extent = blocks.extent[order]  # (draws, blocks), in the order along the chain
    before = np.cumsum(extent, axis=1) - extent + np.arange(count) * (MAX_GAP + 1)
    bars = _subsets(free + count, count, draws, rng) - np.arange(count)
    starts = np.empty_like(order)
    np.put_along_axis(starts, order, before + bars, axis=1)
    return starts


def _subsets(
    size: int, count: int, draws: int, rng: np.random.Generator
) -> Int[ndarray, "draws count"]:
    """Draw subsets of ``range(size)``, each equally likely, ascending (Floyd's algorithm)."""
    chosen = np.full((draws, count), -1)
    for i, last in enumerate(range(size - count, size)):
        drawn = rng.integers(0, last + 1, draws)
        taken = (chosen[:, :i] == drawn[:, None]).any(axis=1)
        chosen[:, i] = np.where(taken, last, drawn)
    return np.sort(chosen, axis=1)
