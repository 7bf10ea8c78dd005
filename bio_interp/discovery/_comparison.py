"""What is compared with what: rows with labels, in groups and homology clusters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.discovery._ranks import RankScores, placements, rank_scores, standard_error

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

Level = Literal["protein", "residue"]
_CELLS = 20_000_000  # of a block of labellings: 20 MB


@dataclass(frozen=True)
class Comparison:
    """Positives and negatives; one half of the clusters, or both.

    Attributes
    ----------
    level
        Whether a row is a protein or a residue.
    positive
        Label of each row.
    cluster
        Homology cluster of each row. Of proteins, a cluster has one label.
    group
        Rows are compared within a group: all proteins with each other (0), the residues of a
        protein among themselves (its number). Each group has both labels, and its rows are
        neighbours.
    """

    level: Level
    positive: Bool[ndarray, "rows"]
    cluster: Int[ndarray, "rows"]
    group: Int[ndarray, "rows"]

    def where(self, keep: Bool[ndarray, "rows"]) -> Comparison:
        """Keep some rows; clusters and groups are numbered anew."""
        cluster, group = (
            np.unique(x[keep], return_inverse=True)[1] for x in (self.cluster, self.group)
        )
        return Comparison(self.level, self.positive[keep], cluster, group)

    @property
    def weights(self) -> Float[ndarray, "rows"]:
        """Weight of each row: a cluster of proteins adds up to 1, and so does a residue."""
        if self.level == "residue":
            return np.ones(len(self.positive))
        return 1.0 / np.bincount(self.cluster)[self.cluster]

    @property
    def shares(self) -> Float[ndarray, "groups"]:
        """Share of each group in the score: each cluster counts once."""
        first = np.unique(self.group, return_index=True)[1]
        if self.level == "protein":
            return np.ones(len(first))
        of_group = self.cluster[first]
        return 1.0 / np.bincount(of_group)[of_group] / len(np.unique(of_group))

    @property
    def row_shares(self) -> Float[ndarray, "rows"]:
        """Weight of each row in a mean over rows; each cluster adds up to 1."""
        if self.level == "protein":
            return self.weights
        return (self.shares / np.bincount(self.group))[self.group]

    def clusters(self) -> tuple[int, int]:
        """Count the clusters with a positive, and those with a negative."""
        positive, negative = (
            len(np.unique(self.cluster[side])) for side in (self.positive, ~self.positive)
        )
        return positive, negative

    def ranks(self, values: csc_matrix) -> RankScores:
        """Rank the rows of every column; see `rank_scores`."""
        return rank_scores(values, self.positive, self.weights, self.group, self.shares)

    def auroc(self, values: csc_matrix) -> Float[ndarray, "columns"]:
        """Score every column under the labels."""
        return self.ranks(values).auroc(self.positive[None])[0]

    def error(self, scores: Float[ndarray, "rows"]) -> float:
        """Estimate the standard error of the AUROC of one column, over clusters."""
        if self.level == "protein":
            return standard_error(scores, self.positive, self.weights, self.cluster)
        first = np.unique(self.group, return_index=True)[1]
        parts = [
            placements(scores[rows][self.positive[rows]], scores[rows][~self.positive[rows]]).mean()
            for rows in map(slice, first, [*first[1:], len(scores)])
        ]
        of_group = self.cluster[first]
        means = np.bincount(of_group, parts) / np.bincount(of_group)
        return float(np.std(means, ddof=1) / np.sqrt(len(means))) if len(means) > 1 else np.nan

    def shuffles(
        self, draws: int, rng: np.random.Generator
    ) -> Iterator[Bool[ndarray, "block rows"]]:
        """Give labels without meaning, in blocks of bounded size.

        Of proteins, the labels of whole clusters are permuted. Of residues, the labels of each
        protein are rotated around its residues, proteins of a cluster by the same share of their
        length, so that spans keep their lengths and gaps.
        """
        block = max(1, _CELLS // max(len(self.positive), 1))
        for first in range(0, draws, block):
            count = min(block, draws - first)
            yield np.array([self._shuffled(rng) for _ in range(count)])

    def _shuffled(self, rng: np.random.Generator) -> Bool[ndarray, "rows"]:
        if self.level == "protein":
            label = np.zeros(self.cluster.max() + 1, dtype=bool)
            label[self.cluster] = self.positive
            return rng.permutation(label)[self.cluster]
        first, length = np.unique(self.group, return_index=True, return_counts=True)[1:]
        turn = rng.random(self.cluster.max() + 1)[self.cluster[first]]
        shift = (turn * length).astype(np.int64)
        within = np.arange(len(self.group)) - first[self.group]
        return self.positive[first[self.group] + (within + shift[self.group]) % length[self.group]]
