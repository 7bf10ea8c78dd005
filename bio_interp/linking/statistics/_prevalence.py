"""How common concepts are: what a precision has to be compared with."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.linking._intervals import Intervals
from bio_interp.linking._labels import Labels

PREVALENCE: dict[str, Any] = {
    "concept": pl.String,
    "residues": pl.Float64,
    "proteins": pl.Float64,
    "clusters": pl.Float64,
    "positive_residues": pl.Float64,
    "known_residues": pl.Float64,
    "bearing_clusters": pl.Int64,
    "known_clusters": pl.Int64,
}


def prevalence(labels: Labels, fold: str) -> pl.DataFrame:
    """Give the share of known residues, proteins and clusters of a fold that bear each concept.

    A guess at random is right as often. A residue is known where it is annotated, or where the
    concept was looked for and is not unknown; a protein or cluster is known with any such residue.

    Parameters
    ----------
    labels
        Labels; a protein counts as many times as it stands for, a cluster once.
    fold
        ``"select"``, ``"calibrate"`` or ``"test"``.

    Returns
    -------
    DataFrame
        Columns of `PREVALENCE`, a row a concept in the order of the labels: ``residues``,
        ``proteins`` and ``clusters`` are shares, NaN where nothing is known; then what they are
        shares of.
    """
    inside = labels.proteins_of(fold)
    positives, unknowns, looked = (
        spans.where(inside[spans.protein])
        for spans in (labels.positives.merged(), labels.unknowns, labels.looked)
    )
    by_class = _grouped(looked)
    rows: list[tuple[Any, ...]] = []
    marks, ignored = _grouped(positives), _grouped(unknowns)
    for concept, name in enumerate(labels.concepts["concept"]):
        where = by_class.get(int(labels.coverage_class[concept]), _NONE)
        held, known = _residues(
            labels, where, marks.get(concept, _NONE), ignored.get(concept, _NONE)
        )
        rows.append((name, *_shares(labels, held, known)))
    return pl.DataFrame(rows, schema=PREVALENCE, orient="row")


def _grouped(spans: Intervals) -> dict[int, Intervals]:
    """Split stretches by label."""
    order = np.argsort(spans.label, kind="stable")
    present, first = np.unique(spans.label[order], return_index=True)
    pieces = np.split(order, first[1:])
    return {int(i): spans.where(at) for i, at in zip(present, pieces, strict=False)}


_NONE = Intervals(*np.zeros((4, 0), dtype=np.int64))


def _residues(
    labels: Labels, looked: Intervals, positives: Intervals, unknowns: Intervals
) -> tuple[Float[ndarray, "proteins"], Float[ndarray, "proteins"]]:
    """Residues of each protein that bear one concept, and those where it is known."""
    held = _by_protein(labels, positives, positives.end - positives.start)
    known = held + _by_protein(labels, looked, looked.end - looked.start)
    # looked at and positive: counted twice; looked at and unknown: not known
    for spans in (positives, unknowns):
        known -= _by_protein(labels, spans, _shared(spans, looked))
    return held, known


def _by_protein(
    labels: Labels, spans: Intervals, residues: Int[ndarray, "spans"]
) -> Float[ndarray, "proteins"]:
    # without a span, bincount gives integers
    return np.bincount(spans.protein, residues, len(labels.folds)).astype(float)


def _shared(spans: Intervals, disjoint: Intervals) -> Int[ndarray, "spans"]:
    """Count the residues of each span that lie in stretches that are disjoint and sorted."""
    length = disjoint.end - disjoint.start
    before = np.append(0, np.cumsum(length))

    def upto(index: Int[ndarray, "spans"]) -> Int[ndarray, "spans"]:
        at = np.searchsorted(disjoint.start, index, side="right")
        # a stretch that goes on behind the index is counted as far as that
        over = np.append(0, disjoint.end)[at] - index
        return before[at] - np.maximum(over, 0)

    return upto(spans.end) - upto(spans.start)


def _shares(
    labels: Labels, held: Float[ndarray, "proteins"], known: Float[ndarray, "proteins"]
) -> tuple[Any, ...]:
    weights = labels.weights
    positive, residues = float(held @ weights), float(known @ weights)
    bearing = _clusters(labels, held > 0)
    clusters = _clusters(labels, known > 0)
    return (
        _share(positive, residues),
        _share(float(weights[held > 0].sum()), float(weights[known > 0].sum())),
        _share(bearing, clusters),
        positive,
        residues,
        bearing,
        clusters,
    )


def _clusters(labels: Labels, proteins: Bool[ndarray, "proteins"]) -> int:
    return int(np.count_nonzero(np.bincount(labels.clusters[proteins])))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
