"""What is true, what is right, and how good the top of a ranked list is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import polars as pl

SITE_LENGTH = 3
TOPS = (50, 200)
ROUNDS = 1000


class Place(NamedTuple):
    """A suggestion of any method."""

    accession: str
    start: int
    end: int
    concept: str


Unit = tuple[str, int, int, str]
"""One true annotation: accession, start, end, kind. Its sub-concept is the same annotation."""


@dataclass
class Truth:
    """Hidden or later annotations.

    Attributes
    ----------
    rows
        By accession and concept: the places that are right.
    ignored
        The same of places that count neither way: only a sequence model says so.
    sites
        Concepts of single residues.
    units
        Every true annotation.
    """

    sites: frozenset[str]
    rows: dict[tuple[str, str], list[Unit]] = field(default_factory=dict)
    ignored: dict[tuple[str, str], list[Unit]] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: pl.DataFrame, sites: Collection[str]) -> Truth:
        """Take rows with ``kind`` and ``level``."""
        truth = cls(frozenset(sites))
        columns = ("accession", "concept", "start", "end", "kind", "level")
        for accession, concept, start, end, kind, level in frame.select(columns).iter_rows():
            into = truth.ignored if level == "sequence_model" else truth.rows
            unit = (accession, start, end, kind)
            into.setdefault((accession, concept), []).append(unit)
        return truth

    def units(self, kinds: Collection[str]) -> set[Unit]:
        """List the true annotations of some kinds."""
        return {u for found in self.rows.values() for u in found if u[3] in kinds}

    def hits(self, place: Place) -> list[Unit]:
        """List the annotations that a place gets right."""
        return self._right(place, self.rows)

    def is_ignored(self, place: Place) -> bool:
        """Tell whether a place counts neither way."""
        return not self.hits(place) and bool(self._right(place, self.ignored))

    def _right(self, place: Place, rows: Mapping[tuple[str, str], list[Unit]]) -> list[Unit]:
        there = rows.get((place.accession, place.concept), [])
        site = place.concept in self.sites
        return [unit for unit in there if is_right(place, unit[1], unit[2], site=site)]


def is_right(place: Place, start: int, end: int, *, site: bool) -> bool:
    """Judge a call as the calibration does.

    Half of it lies in the true span and it covers a quarter of that; for a site, it holds the site
    and is at most 3 residues long.
    """
    length = place.end - place.start + 1
    shared = min(place.end, end) - max(place.start, start) + 1
    if site:
        return length <= SITE_LENGTH and shared == end - start + 1
    return shared >= 0.5 * length and shared >= 0.25 * (end - start + 1)


@dataclass(frozen=True)
class Ranked:
    """A ranked list that was judged, and all that it could have found.

    Attributes
    ----------
    right
        Of each suggestion, the best first.
    owner
        Cluster of each, as an index.
    found
        Pairs ``(suggestion, true annotation)`` of which the first gets the second right, as
        indices, shape ``(2, pairs)``.
    unit_owner
        Cluster of each true annotation.
    clusters
        How many clusters there are, with suggestions or without.
    """

    right: np.ndarray
    owner: np.ndarray
    found: np.ndarray
    unit_owner: np.ndarray
    clusters: int

    def figures(self, seed: int) -> dict[str, Any]:
        """Precision at 50 and 200 and recall, with 95 % intervals over clusters."""
        rng = np.random.default_rng(seed)
        even = np.ones(self.clusters)
        draws = [np.bincount(rng.integers(0, self.clusters, self.clusters), minlength=self.clusters)
                 for _ in range(ROUNDS)]  # fmt: skip
        told: dict[str, Any] = {"suggestions": len(self.right)}
        for top in (*TOPS, None):
            name = f"at_{top}" if top else "of_all"
            point, many = self.at(top, even), [self.at(top, weight) for weight in draws]
            for number, what in enumerate(("precision", "recall")):
                ends = np.nanpercentile([m[number] for m in many], [2.5, 97.5]) if many else []
                told[f"{what}_{name}"] = shown(point[number])
                told[f"{what}_{name}_interval"] = [shown(float(e)) for e in ends]
            taken = slice(None, top)
            told[f"right_{name}"] = int(self.right[taken].sum())
            told[f"clusters_{name}"] = len(set(self.owner[taken].tolist()))
        return told

    def at(self, top: int | None, weight: np.ndarray) -> tuple[float, float]:
        """Precision and recall of the top of the list, clusters weighted.

        A cluster of weight two stands in the list twice.
        """
        times = weight[self.owner]
        before = np.cumsum(times) - times
        taken = times if top is None else np.clip(top - before, 0, times)
        precision = float((taken * self.right).sum() / taken.sum()) if taken.sum() else np.nan
        units = np.unique(self.found[1][taken[self.found[0]] > 0])
        every = float(weight[self.unit_owner].sum())
        got = float(weight[self.unit_owner[units]].sum())
        return precision, got / every if every else np.nan


def judge(
    places: Iterable[Place], truth: Truth, kinds: Collection[str], clusters: Mapping[str, str]
) -> Ranked:
    """Judge a ranked list; what counts neither way is left out.

    Parameters
    ----------
    kinds
        Kinds that are asked for.
    clusters
        Cluster of every protein that was looked at.
    """
    number = {c: i for i, c in enumerate(sorted(set(clusters.values())))}
    units = {unit: i for i, unit in enumerate(sorted(truth.units(kinds)))}
    kept = [p for p in places if not truth.is_ignored(p)]
    found = [(i, units[u]) for i, p in enumerate(kept) for u in truth.hits(p) if u in units]
    pairs = np.array(found, dtype=int).reshape(-1, 2).T
    return Ranked(
        right=np.isin(np.arange(len(kept)), pairs[0]),
        owner=np.array([number[clusters[p.accession]] for p in kept], dtype=int),
        found=pairs,
        unit_owner=np.array([number[clusters[u[0]]] for u in units], dtype=int),
        clusters=len(number),
    )


def shown(value: float) -> float | None:
    """Round; None where there is no value."""
    return None if np.isnan(value) else round(float(value), 4)
