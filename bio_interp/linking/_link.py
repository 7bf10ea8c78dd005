"""The strict protocol: choose on select, price on calibrate, report on test, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from bio_interp.annotations import AnnotationTable
from bio_interp.features import FeatureStore
from bio_interp.linking._calibration import calibrate
from bio_interp.linking._calls import Caller, CallRule, RawCall
from bio_interp.linking._choose import Choice, choose
from bio_interp.linking._fold import Fold
from bio_interp.linking._labels import Labels, lay_labels
from bio_interp.linking._outcome import rescore
from bio_interp.linking._rules import choose_rules
from bio_interp.linking._runs import Runs, right
from bio_interp.linking._table import CALLERS, LINKS, LinkTable
from bio_interp.sequences import Split

CALLS: dict[str, Any] = {
    "accession": pl.String,
    "concept": pl.String,
    "start": pl.Int32,
    "end": pl.Int32,
    "strength": pl.Float64,
    "right": pl.Boolean,
    "cluster": pl.Int64,
    "weight": pl.Float64,
}


def link(
    store: FeatureStore,
    table: AnnotationTable,
    split: Split,
    *,
    min_select: int = 5,
    min_calibrate: int = 3,
    weights: Mapping[str, float] | None = None,
) -> tuple[LinkTable, pl.DataFrame]:
    """Link features to concepts and price their calls.

    Parameters
    ----------
    store
        Codes of proteins of the select, calibrate and test folds.
    table
        Annotations of these proteins.
    split
        The frozen split.
    min_select, min_calibrate
        Concepts borne by fewer clusters in these folds are left out.
    weights
        How many proteins each accession stands for, where they were drawn at unequal rates.

    Returns
    -------
    LinkTable
        Links, callers and calibration.
    DataFrame
        Every call on the test fold, with ``right`` and the strength: what a report is made from.
    """
    from bio_interp.linking.counting import StoreColumns, bin_edges, scan

    labels = lay_split_labels(store, table, split, min_select, min_calibrate, weights=weights)
    columns = StoreColumns(store)
    edges = bin_edges(columns, labels.residue_mask(labels.proteins_of("select")))
    found = scan(columns, labels, edges, fold="select")
    select, test = (Fold(columns, labels, name) for name in ("select", "test"))
    grouped = labels.concepts.with_columns(group=_group())
    links = _links(choose(found, select), labels, test)
    callers = _callers(choose_rules(found, select), labels)
    draft = LinkTable(links, callers, pl.DataFrame(), grouped)
    calling = grouped.filter(pl.col("concept").is_in(set(callers["concept"])))
    curves = calibrate(judged_calls(store, labels, draft, "calibrate"), calling)
    result = LinkTable(links, callers, curves, grouped)
    return result, judged_calls(store, labels, result, "test")


def lay_split_labels(
    store: FeatureStore,
    table: AnnotationTable,
    split: Split,
    min_select: int,
    min_calibrate: int,
    *,
    weights: Mapping[str, float] | None = None,
) -> Labels:
    """Lay annotations along a store's residues, with the folds and clusters of the split."""
    names = store.accessions
    return lay_labels(
        table,
        names,
        store.lengths,
        folds={a: split.fold(a) for a in names},
        clusters={a: split.cluster(a) for a in names},
        min_clusters={"select": min_select, "calibrate": min_calibrate},
        weights=weights,
    )


def judged_calls(store: FeatureStore, labels: Labels, table: LinkTable, fold: str) -> pl.DataFrame:
    """Make the calls of every protein of a fold and tell which are right.

    Calls where the concept is unknown are left out.

    Returns
    -------
    DataFrame
        ``accession, concept, start, end, strength, right, cluster, weight``.
    """
    from scipy.sparse import csc_matrix

    from bio_interp.linking.counting import StoreColumns

    caller = Caller(table.rules(), table.sites())
    view, rows = Fold(StoreColumns(store), labels, fold), list[tuple[int, RawCall]]()
    for protein in np.flatnonzero(labels.proteins_of(fold)):
        codes = csc_matrix(store.protein(store.accessions[protein]))
        rows += [(int(protein), call) for call in caller.calls(codes)]
    number = {c: i for i, c in enumerate(labels.concepts["concept"])}
    by_concept: dict[str, list[tuple[int, RawCall]]] = {}
    for protein, call in rows:
        by_concept.setdefault(call.concept, []).append((protein, call))
    judged = [
        row
        for concept, calls in by_concept.items()
        for row in _judge(view, store.accessions, number[concept], calls)
    ]
    return pl.DataFrame(judged, schema=CALLS, orient="row")


def _judge(
    view: Fold, accessions: Sequence[str], concept: int, calls: Sequence[tuple[int, RawCall]]
) -> list[tuple[Any, ...]]:
    """Judge the calls of one concept, ascending by protein and position."""
    labels = view.labels
    protein = np.array([p for p, _ in calls])
    first = labels.offsets[protein]
    start = first + np.array([c.start for _, c in calls]) - 1
    end = first + np.array([c.end for _, c in calls])
    # the peak carries each run's place in `calls` through the filter of known runs
    known = view.known(Runs(start, end, protein, np.arange(len(calls), dtype=float)), concept)
    trial = view.trial(known, concept)
    good = right(known, trial.pairs, site=trial.site)
    return [
        (
            accessions[calls[i][0]],
            calls[i][1].concept,
            calls[i][1].start,
            calls[i][1].end,
            calls[i][1].strength,
            bool(ok),
            int(labels.clusters[calls[i][0]]),
            float(labels.weights[calls[i][0]]),
        )
        for i, ok in zip(known.peak.astype(int), good, strict=True)
    ]


def _links(choices: Sequence[Choice], labels: Labels, test: Fold) -> pl.DataFrame:
    select_clusters, test_clusters = labels.bearers("select"), labels.bearers("test")
    rows: list[Mapping[str, Any]] = []
    for choice in choices:
        score = rescore(choice, test)
        concept = labels.concepts.row(choice.concept, named=True)
        rows.append(
            {
                "concept": concept["concept"],
                "name": concept["name"],
                "link_type": choice.kind,
                "feature": choice.feature,
                "threshold": choice.threshold,
                "select_f1": choice.score.f1,
                "select_clusters": int(select_clusters[choice.concept]),
                "test_f1": score.f1,
                "test_precision": score.precision,
                "test_recall": score.recall,
                "test_predicted": score.predicted,
                "test_true": score.true,
                "test_clusters": int(test_clusters[choice.concept]),
            }
        )
    return pl.DataFrame(rows, schema=LINKS)


def _callers(rules: Mapping[int, CallRule], labels: Labels) -> pl.DataFrame:
    names = labels.concepts["concept"]
    rows = [
        (names[concept], feature, threshold, rule.shortest, list(rule.weights))
        for concept, rule in rules.items()
        for feature, threshold in rule.thresholds.items()
    ]
    return pl.DataFrame(rows, schema=CALLERS, orient="row")


def _group() -> pl.Expr:
    """Concepts that share a prior curve: families and groups; UniProt's sites; its spans."""
    source = pl.col("concept").str.split(":").list.first().str.replace("-group", "", literal=True)
    return pl.concat_str([source, pl.col("level")], separator="/")
