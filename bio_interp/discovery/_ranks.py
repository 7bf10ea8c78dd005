"""AUROC of many columns at once, under many labellings, from ranks that are computed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix


@dataclass(frozen=True)
class RankScores:
    """Ranks of sparse columns, ready for labellings; made by `rank_scores`.

    Attributes
    ----------
    above_zero
        ``(rows, columns)``: by how much a row's rank exceeds that of a zero in its column, times
        the row's share of the score. Sparse like the values.
    constant
        What all zeros of a column add, ``(columns,)``.
    """

    above_zero: csc_matrix
    constant: Float[ndarray, "columns"]

    def auroc(self, positive: Bool[ndarray, "labellings rows"]) -> Float[ndarray, "labellings c"]:
        """Give the AUROC of every column under every labelling.

        Every labelling must give each group as much positive weight as the one that the ranks were
        made with.
        """
        product: Any = self.above_zero.T @ positive.T.astype(np.float64)
        # sums of shares: the last digits are noise, and would break ties between columns
        return np.clip(np.round(product.T + self.constant, 12), 0.0, 1.0)


def rank_scores(
    values: csc_matrix,
    positive: Bool[ndarray, "rows"],
    weights: Float[ndarray, "rows"],
    group: Int[ndarray, "rows"],
    group_shares: Float[ndarray, "groups"],
) -> RankScores:
    """Rank the rows of every column within their groups, ties at their middle.

    The score is the chance that a positive row exceeds a negative one of its group, a tie counting
    half, with rows drawn by weight and groups by share: the Mann-Whitney U over its maximum
    (Hanley and McNeil, Radiology 143:29, 1982). It is linear in the labels once rows are ranked.

    Parameters
    ----------
    values
        Not below zero; what is not stored is 0.
    positive
        Labels; both kinds in every group.
    weights
        Of rows, above zero.
    group
        Rows are compared within a group only.
    group_shares
        Of each group in the score; they add up to 1.

    Examples
    --------
    >>> from scipy.sparse import csc_matrix
    >>> labels, one = np.array([True, True, False, False]), np.ones(1)
    >>> ranks = rank_scores(csc_matrix([[3.0], [1.0], [1.0], [0.0]]), labels, np.ones(4),
    ...     np.zeros(4, int), one)
    >>> ranks.auroc(labels[None]).tolist()
    [[0.875]]
    """
    from scipy.sparse import csc_matrix

    groups = len(group_shares)
    total = np.bincount(group, weights, groups)
    held = np.bincount(group, weights * positive, groups)
    scale = group_shares / (held * (total - held))
    column = np.repeat(np.arange(values.shape[1]), np.diff(values.indptr))  # type: ignore[index]
    row = values.indices
    order = np.lexsort((values.data, group[row], column))
    rank = np.empty(len(row))
    rank[order] = _middle_ranks(
        values.data[order], weights[row[order]], (column * groups + group[row])[order]
    )
    mass = np.bincount(column * groups + group[row], weights[row], values.shape[1] * groups)  # type: ignore[index]
    zeros = total[group[row]] - mass[column * groups + group[row]]  # (entries,)
    share = weights[row] * scale[group[row]]
    above = csc_matrix(((rank + zeros / 2) * share, row, values.indptr), shape=values.shape)
    all_zero = float((scale * held * (total - held)).sum()) / 2
    held_by_entry = np.bincount(column, share * held[group[row]], values.shape[1])  # type: ignore[index]
    return RankScores(above, all_zero - held_by_entry / 2)


def _middle_ranks(
    value: Float[ndarray, "entries"],
    weight: Float[ndarray, "entries"],
    segment: Int[ndarray, "entries"],
) -> Float[ndarray, "entries"]:
    """Weight of what is smaller in the segment, and half of what is equal; entries are sorted."""
    if not len(value):
        return np.zeros(0)
    before = np.concatenate([[0.0], np.cumsum(weight)])
    new_segment = np.append(True, segment[1:] != segment[:-1])
    new_tie = new_segment | np.append(True, value[1:] != value[:-1])
    first_of_segment = np.flatnonzero(new_segment)[np.cumsum(new_segment) - 1]
    ties = np.flatnonzero(new_tie)
    tie = np.cumsum(new_tie) - 1
    start, end = ties[tie], np.append(ties[1:], len(value))[tie]
    return (before[start] + before[end]) / 2 - before[first_of_segment]


def standard_error(
    scores: Float[ndarray, "rows"],
    positive: Bool[ndarray, "rows"],
    weights: Float[ndarray, "rows"],
    cluster: Int[ndarray, "rows"],
) -> float:
    """Estimate the standard error of the AUROC of one group, over clusters of one label each.

    From the placements of DeLong, DeLong and Clarke-Pearson (Biometrics 44:837, 1988), averaged
    within clusters; nan where a side has fewer than two.
    """
    variance = 0.0
    for side in (positive, ~positive):
        placed = placements(scores[side], scores[~side], weights[~side])
        mass = np.bincount(cluster[side], weights[side])
        sums = np.bincount(cluster[side], weights[side] * placed)
        means = sums[mass > 0] / mass[mass > 0]
        variance += means.var(ddof=1) / len(means) if len(means) > 1 else np.nan
    return float(np.sqrt(variance))


def placements(
    of: Float[ndarray, "n"],
    among: Float[ndarray, "m"],
    weights: Float[ndarray, "m"] | None = None,
) -> Float[ndarray, "n"]:
    """Share of `among` that each of `of` exceeds, ties counting half."""
    order = np.argsort(among, kind="stable")
    mass = np.ones(len(among)) if weights is None else weights
    before = np.concatenate([[0.0], np.cumsum(mass[order])])
    low, high = (np.searchsorted(among[order], of, side) for side in ("left", "right"))
    return (before[low] + before[high]) / (2 * before[-1])
