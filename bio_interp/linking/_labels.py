"""Annotations laid along the residues of a feature store, in three states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.annotations import AnnotationTable
from bio_interp.linking._intervals import Intervals


@dataclass(frozen=True)
class Labels:
    """What is known of the proteins of a store, along one axis of all their residues.

    Attributes
    ----------
    offsets
        First residue of each protein on the axis; the number of residues at the end.
    clusters
        Homology cluster of each protein, as an integer.
    folds
        Fold of each protein.
    weights
        How many proteins each one stands for; all 1 unless they were drawn at unequal rates.
    concepts
        Rows of `AnnotationTable.concepts`; their order numbers the concepts.
    positives
        Annotated spans; ``label`` is the concept.
    unknowns
        Spans to ignore for one concept; ``label`` is the concept. Disjoint, within `looked`, and
        none of them is positive: positive beats unknown.
    looked
        Disjoint spans where a class of concepts was looked for; ``label`` is the coverage class.
    coverage_class
        Coverage class of each concept.
    """

    offsets: Int[ndarray, "proteins_plus_1"]
    clusters: Int[ndarray, "proteins"]
    folds: ndarray
    weights: Float[ndarray, "proteins"]
    concepts: pl.DataFrame
    positives: Intervals
    unknowns: Intervals
    looked: Intervals
    coverage_class: Int[ndarray, "concepts"]

    @property
    def residues(self) -> int:
        """Length of the axis."""
        return int(self.offsets[-1])

    @property
    def is_site(self) -> Bool[ndarray, "concepts"]:
        """Mark the concepts of single residues."""
        return (self.concepts["level"] == "residue").to_numpy()

    def proteins_of(self, fold: str) -> Bool[ndarray, "proteins"]:
        """Mark the proteins of a fold."""
        return self.folds == fold

    def residue_mask(self, proteins: Bool[ndarray, "proteins"]) -> Bool[ndarray, "residues"]:
        """Mark the residues of some proteins."""
        return np.repeat(proteins, np.diff(self.offsets))

    def bearers(self, fold: str) -> Int[ndarray, "concepts"]:
        """Count the clusters of a fold that bear each concept."""
        spans = self.positives.where(self.proteins_of(fold)[self.positives.protein])
        pairs = np.unique(np.stack([spans.label, self.clusters[spans.protein]]), axis=1)
        return np.bincount(pairs[0], minlength=self.concepts.height)


def lay_labels(
    table: AnnotationTable,
    accessions: Sequence[str],
    lengths: Int[ndarray, "proteins"],
    *,
    folds: Mapping[str, str],
    clusters: Mapping[str, str],
    min_clusters: Mapping[str, int],
    weights: Mapping[str, float] | None = None,
) -> Labels:
    """Lay annotations along the residues of proteins.

    Concepts of a kind that no source looked for anywhere are left out: nothing would be a negative.

    Parameters
    ----------
    table
        Annotations; rows of proteins that are not in `accessions` are left out.
    accessions, lengths
        The proteins, as in the feature store.
    folds, clusters
        Fold and homology cluster of every accession.
    min_clusters
        For some folds, how many clusters must bear a concept for it to be kept.
    weights
        How many proteins each accession stands for; 1 where None.
    """
    index = {a: i for i, a in enumerate(accessions)}
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    cluster_id = np.unique([clusters[a] for a in accessions], return_inverse=True)[1]
    fold_of = np.array([folds[a] for a in accessions])
    rows = table.rows.filter(pl.col("accession").is_in(set(index)))
    kept = _common_enough(rows, folds, clusters, min_clusters)
    looked = table.coverage.filter(pl.col("state") == "looked")
    classes, class_of_kind = _coverage_classes(looked)
    known = pl.col("concept").is_in(kept) & pl.col("kind").is_in(list(class_of_kind))
    concepts = table.concepts.filter(known).sort("concept")
    number = {c: i for i, c in enumerate(concepts["concept"])}
    unknown = table.coverage.filter(pl.col("state") == "unknown").rename({"kind": "concept"})
    positives = _intervals(rows, "concept", number, index, offsets)
    unknowns = _intervals(unknown, "concept", number, index, offsets).merged()
    class_of = np.array([class_of_kind[k] for k in concepts["kind"]], dtype=np.int64)
    spans = _intervals(classes, "class", None, index, offsets)
    searched = _with_bearing(spans, positives, class_of)
    ignored = unknowns.without(positives.merged())
    return Labels(
        offsets=offsets,
        clusters=cluster_id,
        folds=fold_of,
        weights=np.array([(weights or {}).get(a, 1.0) for a in accessions]),
        concepts=concepts,
        positives=positives,
        unknowns=_looked_at(ignored, searched, class_of, int(offsets[-1])),
        looked=searched,
        coverage_class=class_of,
    )


def _with_bearing(
    looked: Intervals, positives: Intervals, class_of: Int[ndarray, "concepts"]
) -> Intervals:
    """Add the annotated spans: whoever found something there has looked there."""
    labels = class_of[positives.label]
    bearing = Intervals(positives.start, positives.end, labels, positives.protein)
    return Intervals.joined([looked, bearing]).merged()


def _looked_at(
    unknowns: Intervals, looked: Intervals, class_of: Int[ndarray, "concepts"], residues: int
) -> Intervals:
    """Keep the unknown residues that were looked at: where nobody looked, all are unknown."""
    parts = [unknowns.where(unknowns.label < 0)]
    for number in np.unique(class_of):
        own = unknowns.where(class_of[unknowns.label] == number)
        parts.append(own.inside(looked.where(looked.label == number).mask(residues)))
    return Intervals.joined(parts)


def _common_enough(
    rows: pl.DataFrame,
    folds: Mapping[str, str],
    clusters: Mapping[str, str],
    min_clusters: Mapping[str, int],
) -> set[str]:
    """Find the concepts that enough clusters of each fold bear."""
    bearing = rows.select("concept", "accession").with_columns(
        fold=pl.col("accession").replace_strict(folds, return_dtype=pl.String),
        cluster=pl.col("accession").replace_strict(clusters, return_dtype=pl.String),
    )
    counts = bearing.group_by("concept", "fold").agg(pl.col("cluster").n_unique())
    kept = set[str](rows["concept"])
    for fold, least in min_clusters.items():
        enough = (pl.col("fold") == fold) & (pl.col("cluster") >= least)
        kept &= set(counts.filter(enough)["concept"]) if least > 0 else kept
    return kept


def _coverage_classes(looked: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Give kinds that were looked for in the same spans one class; number the classes."""
    class_of: dict[str, int] = {}
    frames: list[pl.DataFrame] = []
    seen: dict[tuple[int, int], int] = {}
    for (kind,), frame in looked.group_by("kind", maintain_order=True):
        spans = frame.select("accession", "start", "end").unique().sort("accession", "start")
        key = (spans.height, int(spans.hash_rows(seed=1).sum()))
        if key not in seen:
            seen[key] = len(seen)
            frames.append(spans.with_columns(pl.lit(seen[key]).alias("class")))
        class_of[str(kind)] = seen[key]
    schema: Any = {
        "accession": pl.String,
        "start": pl.Int32,
        "end": pl.Int32,
        "class": pl.Int32,
    }
    return (pl.concat(frames) if frames else pl.DataFrame(schema=schema)), class_of


def _intervals(
    frame: pl.DataFrame,
    label: str,
    number: Mapping[str, int] | None,
    index: Mapping[str, int],
    offsets: Int[ndarray, "proteins_plus_1"],
) -> Intervals:
    """Turn rows with 1-based positions into stretches along the axis."""
    frame = frame.filter(pl.col("accession").is_in(set(index)))
    if number is not None:
        frame = frame.filter(pl.col(label).is_in(set(number)))
        labels = np.array([number[x] for x in frame[label]], dtype=np.int64)
    else:
        labels = frame[label].to_numpy().astype(np.int64)
    protein = np.array([index[a] for a in frame["accession"]], dtype=np.int64)
    length = offsets[protein + 1] - offsets[protein]
    start = offsets[protein] + np.clip(frame["start"].to_numpy() - 1, 0, length)
    end = offsets[protein] + np.clip(frame["end"].to_numpy(), 0, length)
    keep = end > start
    order = np.argsort(start[keep], kind="stable")
    return Intervals(*(x[keep][order] for x in (start, end, labels, protein)))
