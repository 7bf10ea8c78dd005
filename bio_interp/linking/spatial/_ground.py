"""One chain as the ground that patterns are placed on, and what is measured of a placement."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.linking.spatial._blocks import Blocks, blocks_of, draw_starts
from bio_interp.linking.spatial._chains import PROPERTIES, SpatialChain
from bio_interp.linking.spatial._usual import Usual

PAIRS = 200
"""Of the pairs of a pattern so many are measured, drawn at random; more say little more."""

STATISTICS = ("distance", "separation", "beyond", *PROPERTIES)

_PLACED = 2  # statistics that are compared with random placements; others with rotations
_SAME = 1e-9  # what varies by less says nothing


@dataclass(frozen=True)
class Ground:
    """The residues of a chain that its structure shows, in order.

    Attributes
    ----------
    shown
        Residues of the chain that are.
    usual
        Where they are, and how far apart two usually are.
    properties
        A row for each of `PROPERTIES`: 1 where a residue has it; NaN where nothing is known.
    """

    shown: Bool[ndarray, "residues"]
    usual: Usual
    properties: Float[ndarray, "properties shown"]

    @cached_property
    def _axes(self) -> Float[ndarray, "3 shown"]:
        return np.ascontiguousarray(self.usual.places.T, dtype=np.float32)

    @classmethod
    def of(cls, chain: SpatialChain) -> Ground:
        """Prepare a chain."""
        shown = chain.shown
        unknown = np.full(len(shown), np.nan)
        properties = np.stack([chain.properties.get(p, unknown)[shown] for p in PROPERTIES])
        lacking = np.isnan(properties)
        some = ~lacking.all(axis=1, keepdims=True)
        properties = np.where(lacking & some, 0.0, properties)  # of residues without a record
        return cls(shown, Usual.of(chain.sequence, chain.coordinates), properties)

    def pool(
        self,
        on: Bool[ndarray, "residues"],
        excess: Float[ndarray, "letters letters"],
        draws: int,
        rng: np.random.Generator,
    ) -> Float[ndarray, "statistics pool"] | None:
        """Measure a pattern and what chance makes of it; the observed one is first.

        Parameters
        ----------
        on
            Where a feature fires.
        excess
            See `excess_of_letters`.
        draws
            Random placements, and random rotations.
        rng
            Source of randomness.

        Returns
        -------
        ndarray or None
            A row for each of `STATISTICS`, NaN where the chain cannot tell: one block has no
            distance, and what is the same wherever the pattern lies says nothing. None where no
            residue fires, or all do.
        """
        blocks = blocks_of(on[self.shown])
        if len(blocks.block) in (0, blocks.length):
            return None
        turned = _turned(blocks, draws, rng)
        found = np.full((len(STATISTICS), draws + 1), np.nan)
        if len(pairs := _pairs(blocks.block, rng)):
            starts = np.concatenate([blocks.start[None], draw_starts(blocks, draws, rng)])
            distance, separation = self._apart(blocks.rows(starts), pairs)
            found[:_PLACED] = distance.mean(axis=1), separation.mean(axis=1)
        if len(pairs := _pairs(blocks.around_the_end, rng)):
            found[_PLACED] = self._above(turned, pairs, excess).mean(axis=1)
        for number, values in enumerate(self.properties, _PLACED + 1):
            if not np.isnan(values[0]):
                found[number] = values[turned].mean(axis=1)
        found[found.std(axis=1) < _SAME] = np.nan
        return found

    def _apart(
        self, rows: Int[ndarray, "pool firing"], pairs: Int[ndarray, "pairs 2"]
    ) -> tuple[Float[ndarray, "pool pairs"], Int[ndarray, "pool pairs"]]:
        """Give distance and separation of each pair."""
        one, other = rows[:, pairs[:, 0]], rows[:, pairs[:, 1]]  # (pool, pairs)
        at, square = self.usual.at, np.zeros(one.shape, dtype=np.float32)
        for axis in self._axes:  # quicker than rows of three
            step = axis[one] - axis[other]
            square += step * step
        return np.sqrt(square), np.abs(at[one] - at[other])

    def _above(
        self,
        rows: Int[ndarray, "pool firing"],
        pairs: Int[ndarray, "pairs 2"],
        excess: Float[ndarray, "letters letters"],
    ) -> Float[ndarray, "pool pairs"]:
        """Give how much farther apart each pair is than is usual for two such residues."""
        distance, separation = self._apart(rows, pairs)
        one, other = rows[:, pairs[:, 0]], rows[:, pairs[:, 1]]
        usual, letters = self.usual, self.usual.letters
        expected = usual.by_separation[separation] + usual.depth[one] + usual.depth[other]
        return distance - expected - excess[letters[one], letters[other]]


def _turned(blocks: Blocks, draws: int, rng: np.random.Generator) -> Int[ndarray, "pool firing"]:
    """Rotate a pattern along its chain by random steps; all gaps stay, the end joins the start."""
    steps = np.append(0, rng.integers(0, blocks.length, draws))
    return (blocks.rows(blocks.start[None]) + steps[:, None]) % blocks.length


def _pairs(block: Int[ndarray, "firing"], rng: np.random.Generator) -> Int[ndarray, "pairs 2"]:
    """List pairs of firing residues of different blocks, by number; `PAIRS` at most, at random."""
    pairs = np.stack(np.triu_indices(len(block), 1), axis=1)
    apart = pairs[block[pairs[:, 0]] != block[pairs[:, 1]]]
    return apart if len(apart) <= PAIRS else rng.choice(apart, PAIRS, replace=False, shuffle=False)
