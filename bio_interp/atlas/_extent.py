"""How far a feature reaches along a protein: lengths of its runs, their class, their period."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.atlas._period import periodicity
from bio_interp.atlas._shown import Firing, Shown

Extent = Literal["dead", "rare", "whole", "periodic", "other", "point", "short motif", "domain"]
"""How far a feature reaches along a protein.

A feature *fires strongly* on residues whose activation is at least half of what its
`FEWEST_CLUSTERS`-th best cluster reaches: half of its maximum, but for one or two outliers. The
class is the first of these that holds:

===========  ==========================================================================
dead         it never fires
rare         it fires in fewer than `FEWEST_CLUSTERS` clusters
whole        it fires on `WHOLE_COVER` or more of the median protein where it is strong
periodic     see `periodicity`: `PERIODIC_SHARE` or more, and `PERIODIC_RUNS` or more
             strong runs in the median protein where it is strong
other        the quartiles of the lengths of strong runs are of points and of domains
point        the median strong run has at most `POINT_LONGEST` residues
short motif  at most `MOTIF_LONGEST`
domain       more
===========  ==========================================================================

Strong runs are joined over gaps of `JOINED_GAP` or fewer residues, but for the period.
"""
FEWEST_CLUSTERS = 5  # a feature that fires in fewer is rare, and no more is said
WHOLE_COVER = 0.8  # share of a protein
POINT_LONGEST, MOTIF_LONGEST = 3, 20  # residues
JOINED_GAP = 5  # residues; calls join over the same
PERIODIC_RUNS = 3  # in the median protein
PERIODIC_SHARE = 0.5  # of what chance leaves
_QUARTILES = (0.25, 0.5, 0.75)


def extent(firing: Firing, peaks: Int[ndarray, "clusters"], shown: Shown) -> dict[str, Any]:
    """Measure how far a feature reaches, on every residue where it fires.

    See `Extent` for when it is strong, and for the classes.

    Parameters
    ----------
    firing
        Where it fires.
    peaks
        Its highest hit in each cluster, the highest first.
    shown
        The proteins that are looked at.

    Returns
    -------
    dict
        ``runs`` and quartiles of their lengths ``run_q25, run_q50, run_q75`` (any activation, not
        joined), ``strong`` (the activation from which it is strong), ``strong_runs,
        strong_q25, strong_q50, strong_q75``, ``cover`` (the median share of a protein, see
        *whole*), ``periodicity`` (None where there are too few runs), ``period``
        (residues; None but for *periodic*), ``extent`` (the class).
    """
    hits = firing.hits
    if not len(hits):
        return {"runs": 0, "strong_runs": 0, "extent": "dead"}
    level = hits.values[peaks[min(FEWEST_CLUSTERS, len(peaks)) - 1]] / 2
    strong = hits.values >= level
    protein, position = hits.proteins[strong], hits.positions[strong]
    _, every = _runs(hits.proteins, hits.positions, 0)
    _, joined = _runs(protein, position, JOINED_GAP)
    starts, _ = _runs(protein, position, 0)
    repeats = np.median(_counts(protein[starts])) >= PERIODIC_RUNS
    share, period = periodicity(protein[starts], position[starts]) if repeats else (None, None)
    quartiles = np.quantile(joined, _QUARTILES)
    cover = _cover(firing, strong, shown)
    found = _class(len(peaks), cover, (share or 0) >= PERIODIC_SHARE, quartiles)
    return {
        "runs": len(every),
        **_named("run", np.quantile(every, _QUARTILES)),
        "strong": float(level),
        "strong_runs": len(joined),
        **_named("strong", quartiles),
        "cover": cover,
        "periodicity": share,
        "period": period if found == "periodic" else None,
        "extent": found,
    }


def _class(clusters: int, cover: float, repeats: bool, lengths: Float[ndarray, "3"]) -> Extent:
    low, median, high = lengths
    if clusters < FEWEST_CLUSTERS:
        return "rare"
    if cover >= WHOLE_COVER:
        return "whole"
    if repeats:
        return "periodic"
    if low <= POINT_LONGEST and high > MOTIF_LONGEST:
        return "other"
    if median <= POINT_LONGEST:
        return "point"
    return "short motif" if median <= MOTIF_LONGEST else "domain"


def _runs(
    protein: Int[ndarray, "hits"], position: Int[ndarray, "hits"], gap: int
) -> tuple[Int[ndarray, "runs"], Int[ndarray, "runs"]]:
    """Join hits to runs: index of the first hit of each, and residues from first to last."""
    new = np.ones(len(position), dtype=bool)
    new[1:] = (np.diff(position) > gap + 1) | (protein[1:] != protein[:-1])
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(position)) - 1
    return first, position[last] - position[first] + 1


def _counts(ascending: Int[ndarray, "n"]) -> Int[ndarray, "values"]:
    """Count each value."""
    ends = np.append(np.flatnonzero(np.diff(ascending)) + 1, len(ascending))
    return np.diff(ends, prepend=0)


def _cover(firing: Firing, strong: ndarray, shown: Shown) -> float:
    """Median share of a protein where the feature fires, of those where it fires strongly."""
    counts = np.diff(firing.first)
    bearing = np.logical_or.reduceat(strong, firing.first[:-1])
    lengths = np.diff(shown.starts)[firing.bearers]
    return float(np.median((counts / lengths)[bearing]))


def _named(name: str, quartiles: Float[ndarray, "3"]) -> dict[str, float]:
    return {f"{name}_q{100 * q:.0f}": float(v) for q, v in zip(_QUARTILES, quartiles, strict=True)}
