"""Turn the codes of a protein into calls: runs of residues with a concept and a strength."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.linking._runs import MAX_GAP
from bio_interp.spans import runs

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix


TRUST = 0.9  # what a feature's strength is worth: it was measured where the feature was chosen


@dataclass(frozen=True)
class Caller:
    """A feature that takes part in the calls of a concept.

    Attributes
    ----------
    feature
        Index of the feature.
    threshold
        The feature is on at a residue where its activation is this or more.
    edges, strengths
        A peak at or above ``edges[i]`` has strength ``strengths[i]``: the share of right calls
        among those that peaked so high where the feature was chosen. Both ascend.
    """

    feature: int
    threshold: float
    edges: Float[ndarray, "bins"]
    strengths: Float[ndarray, "bins"]

    def strength(self, value: Float[ndarray, "residues"]) -> Float[ndarray, "residues"]:
        """Look up the strength of activations; 0 below the first edge."""
        at = np.searchsorted(self.edges, value, side="right") - 1
        return np.where(at >= 0, self.strengths[np.maximum(at, 0)], 0.0)


@dataclass(frozen=True, slots=True)
class RawCall:
    """A call before it has a precision; positions are 1-based and inclusive."""

    concept: str
    start: int
    end: int
    features: tuple[int, ...]
    peak: float
    strength: float


def call_protein(
    codes: csc_matrix, callers: Mapping[str, Sequence[Caller]], sites: frozenset[str]
) -> Iterator[RawCall]:
    """Find the calls in one protein.

    Residues where any of a concept's features is on are joined over gaps of up to 5 residues
    (sites: none). The strength of a call joins its features as independent evidence:
    ``1 - product(1 - 0.9 s)`` over the strengths ``s`` of their peaks (noisy-or; Pearl 1988), so
    that a call of several features ranks above one of a single feature.

    Parameters
    ----------
    codes
        ``(residues, d_sae)``, by column.
    callers
        Features of each concept.
    sites
        Concepts of single residues.
    """
    firing = np.diff(codes.indptr) > 0
    for concept, members in callers.items():
        on = [c for c in members if firing[c.feature]]
        if on:
            yield from _call_concept(codes, concept, on, 0 if concept in sites else MAX_GAP)


def _call_concept(
    codes: csc_matrix, concept: str, callers: Sequence[Caller], max_gap: int
) -> Iterator[RawCall]:
    residues = int(codes.get_shape()[0])
    columns = np.zeros((len(callers), residues), dtype=np.float32)  # (callers, residues)
    for row, caller in zip(columns, callers, strict=True):
        part = slice(codes.indptr[caller.feature], codes.indptr[caller.feature + 1])
        values = codes.data[part]
        row[codes.indices[part]] = np.where(values >= caller.threshold, values, 0.0)
    for start, end in runs(columns.max(axis=0) > 0, max_gap=max_gap):
        block = columns[:, start - 1 : end]
        peaks = block.max(axis=1)
        strengths = [float(c.strength(p[None])[0]) for c, p in zip(callers, peaks, strict=True)]
        best = int(np.argmax(strengths))
        missed = np.prod([1 - TRUST * s for s in strengths])
        yield RawCall(
            concept=concept,
            start=int(start),
            end=int(end),
            features=tuple(c.feature for c, p in zip(callers, peaks, strict=True) if p > 0),
            peak=float(peaks[best]),
            strength=float(1 - missed),
        )
