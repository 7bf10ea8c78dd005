"""InterPLM's labels along the residues of two folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from jaxtyping import Bool, Int
from numpy import ndarray

from bio_interp.annotations import COVERAGE, AnnotationTable
from bio_interp.linking._intervals import Intervals
from bio_interp.linking._labels import Labels, lay_labels
from bio_interp.linking.interplm._concepts import interplm_concepts
from bio_interp.linking.interplm._defects import Defects
from bio_interp.linking.interplm._rules import Rules, is_residue_level

VALID, TEST = "valid", "test"


@dataclass(frozen=True)
class Truth:
    """What counts as true on the folds ``valid`` and ``test``.

    Attributes
    ----------
    labels
        Labels along all residues. Every protein was looked at from end to end: what is not
        annotated is a negative.
    residues
        Residues of each concept, by fold.
    instances
        Annotations of each concept, by fold.
    residue_level
        Concepts whose recall is counted over residues and not over instances.
    rules, defects
        What it was laid with, and what it is to be scored with.
    """

    labels: Labels
    residues: Mapping[str, Int[ndarray, "concepts"]]
    instances: Mapping[str, Int[ndarray, "concepts"]]
    residue_level: Bool[ndarray, "concepts"]
    rules: Rules
    defects: Defects


def lay_truth(
    table: AnnotationTable,
    accessions: Sequence[str],
    lengths: Int[ndarray, "proteins"],
    *,
    folds: Mapping[str, str],
    rules: Rules | None = None,
    defects: Defects | None = None,
) -> Truth:
    """Lay InterPLM's concepts along the residues of proteins.

    Parameters
    ----------
    table
        Annotations; see `interplm_concepts`.
    accessions, lengths
        The proteins, in the order of the activations that will be scored.
    folds
        ``"valid"``, ``"test"`` or anything else, for every accession.
    rules
        The protocol's numbers; those published where None.
    defects
        Which of the peers' defects to commit; none where None.
    """
    rules, defects = rules or Rules(), defects or Defects()
    here = AnnotationTable(
        table.rows.filter(pl.col("accession").is_in(list(accessions))),
        table.coverage,
        table.concepts,
    )
    labels = lay_labels(
        _looked_everywhere(interplm_concepts(here, rules, defects), accessions, lengths),
        accessions,
        lengths,
        folds=folds,
        clusters={a: a for a in accessions},
        min_clusters={},
    )
    residues = {fold: _residues(labels, fold) for fold in (VALID, TEST)}
    instances = {fold: _instances(labels, fold) for fold in (VALID, TEST)}
    # the two cysteines of every bond of a shard carry the same number there: no instances to count
    countable = ~labels.concepts["concept"].is_in(["uniprot:DISULFID"]).to_numpy()
    many = (sum(instances.values()) * countable) > rules.min_instances
    keep = many | (sum(residues.values()) > rules.min_residues)
    names = labels.concepts["name"].to_list()
    return Truth(
        _seen(_only(labels, keep), defects),
        {fold: count[keep] for fold, count in residues.items()},
        {fold: count[keep] for fold, count in instances.items()},
        np.array([is_residue_level(name) for name in names], dtype=bool)[keep],
        rules,
        defects,
    )


def _looked_everywhere(
    table: AnnotationTable, accessions: Sequence[str], lengths: Int[ndarray, "proteins"]
) -> AnnotationTable:
    """Say of every concept that all proteins were searched for it from end to end."""
    columns = {"accession": list(accessions), "start": 1, "end": lengths}
    same = {"kind": "interplm", "state": "looked", "source": "interplm"}
    coverage = pl.DataFrame({**columns, **same}, schema=COVERAGE)
    return AnnotationTable(
        table.rows, coverage, table.concepts.with_columns(kind=pl.lit("interplm"))
    )


def _of_fold(labels: Labels, fold: str) -> Intervals:
    return labels.positives.where(labels.proteins_of(fold)[labels.positives.protein])


def _residues(labels: Labels, fold: str) -> Int[ndarray, "concepts"]:
    spans = _of_fold(labels, fold).merged()
    count = np.zeros(labels.concepts.height, np.int64)
    np.add.at(count, spans.label, spans.end - spans.start)
    return count


def _instances(labels: Labels, fold: str) -> Int[ndarray, "concepts"]:
    return np.bincount(_of_fold(labels, fold).label, minlength=labels.concepts.height)


def _only(labels: Labels, keep: Bool[ndarray, "concepts"]) -> Labels:
    """Drop concepts, and number the others anew."""
    number, spans = np.cumsum(keep) - 1, labels.positives.where(keep[labels.positives.label])
    return replace(
        labels,
        concepts=labels.concepts.filter(pl.Series(keep)),
        positives=replace(spans, label=number[spans.label]),
        coverage_class=labels.coverage_class[keep],
    )


def _seen(labels: Labels, defects: Defects) -> Labels:
    """Commit the defects of labels."""
    first, last, positives = labels.offsets[:-1], labels.offsets[1:], labels.positives
    looked, unknowns = labels.looked, labels.unknowns
    if defects.labels_one_early:
        last = last - 1  # the activation of the last residue is held against no label
        start = np.maximum(positives.start - 1, first[positives.protein])
        moved = replace(positives, start=start, end=positives.end - 1)
        positives = moved.where(moved.end > moved.start)
        shorter = replace(looked, end=last[looked.protein])
        looked = shorter.where(shorter.end > shorter.start)
    if defects.bearing_proteins_only:
        unknowns = _not_bearing(labels, last)
    return replace(labels, positives=positives, unknowns=unknowns, looked=looked)


def _not_bearing(labels: Labels, last: Int[ndarray, "proteins"]) -> Intervals:
    """Give each concept the proteins that do not bear it, whole."""
    absent = np.ones((labels.concepts.height, len(labels.offsets) - 1), dtype=bool)
    absent[labels.positives.label, labels.positives.protein] = False
    protein, concept = np.nonzero(absent.T)
    whole = Intervals(labels.offsets[protein], last[protein], concept, protein)
    return whole.where(whole.end > whole.start)


__all__ = ["TEST", "VALID", "Truth", "lay_truth"]
