"""Measure one source: chosen on select, reported on test, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.benchmarking._sources import Source
from bio_interp.benchmarking._subset import SomeFeatures, SomeResidues
from bio_interp.linking import Choice, Fold, Intervals, Labels, LinkType, choose, cluster_sums
from bio_interp.linking.counting import Scan, Truth, bin_edges, count, scan, totals
from bio_interp.linking.statistics import (
    benjamini_hochberg,
    claim_p,
    cluster_intervals,
    cluster_tail,
    null_maxima,
    one_per_cluster,
    prevalence,
)

SCORES: tuple[LinkType, ...] = (
    "family_marker",
    "locator",
    "delineator",
    "residue",
    "interplm",
)
FEWEST = 3  # proteins of a sample that bear a concept about which a claim is made
BENCH: dict[str, Any] = {
    "source": pl.String,
    "protocol": pl.String,
    "score": pl.String,
    "concept": pl.String,
    "name": pl.String,
    "feature": pl.Int32,
    "threshold": pl.Float32,
    "select_f1": pl.Float64,
    "f1": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "precision": pl.Float64,
    "prevalence": pl.Float64,
    "recall": pl.Float64,
    "auroc": pl.Float64,
    "average_precision": pl.Float64,
    "select_clusters": pl.Int32,
    "test_clusters": pl.Int32,
    "p": pl.Float64,
    "q": pl.Float64,
}


@dataclass(frozen=True)
class Measured:
    """One source, measured.

    Attributes
    ----------
    name
        Of the source.
    rows
        Columns of `BENCH`: a row a score and concept.
    sums
        By score, what the choices predicted, found and missed in each test cluster.
    screened
        Pairs of a feature and a concept that were tested on select, and that hold at q < 0.05.
    """

    name: str
    rows: pl.DataFrame
    sums: Mapping[str, pl.DataFrame]
    screened: Mapping[str, int]


def measure(source: Source, labels: Labels, scores: Sequence[LinkType] = SCORES) -> Measured:
    """Choose features and thresholds on select, and score them on test.

    Parameters
    ----------
    source
        Features.
    labels
        Concepts along the same residues, with the folds.
    scores
        Which scores are chosen and reported.
    """
    inside = labels.residue_mask(labels.proteins_of("select"))
    edges = bin_edges(source.columns, inside, source.shares)
    found = scan(source.columns, labels, edges, fold="select")
    choices = choose(found, Fold(source.columns, labels, "select"), scores)
    test = Fold(source.columns, labels, "test")
    ranked = _ranked(source, labels, found)
    tails, screened = _screen(found)
    frames, sums = list[pl.DataFrame](), dict[str, pl.DataFrame]()
    for kind in scores:
        own = [c for c in choices if c.kind == kind]
        sums[kind] = cluster_sums(own, test)
        frames.append(_rows(source.name, kind, own, sums[kind], labels, tails))
    rows = pl.concat(frames).join(ranked, on="concept", how="left")
    return Measured(source.name, rows.select(list(BENCH)), sums, screened)


def _rows(
    source: str,
    kind: LinkType,
    choices: Sequence[Choice],
    sums: pl.DataFrame,
    labels: Labels,
    tails: Float[ndarray, "concepts d_sae"],
) -> pl.DataFrame:
    """Put what was chosen beside what it does on test; concepts without a choice have F1 0."""
    concepts = labels.concepts.select("concept", "name").with_columns(
        source=pl.lit(source),
        protocol=pl.lit("strict"),
        score=pl.lit(kind),
        select_clusters=pl.Series(labels.bearers("select"), dtype=pl.Int32),
        test_clusters=pl.Series(labels.bearers("test"), dtype=pl.Int32),
        prevalence=prevalence(labels, "test")[
            "proteins" if kind == "family_marker" else "residues"
        ],
    )
    names = labels.concepts["concept"]
    chosen = pl.DataFrame(
        [(names[c.concept], c.feature, c.threshold, c.score.f1) for c in choices],
        schema={"concept": pl.String, "feature": pl.Int32, "threshold": pl.Float32,
                "select_f1": pl.Float64}, orient="row",
    )  # fmt: skip
    if kind == "family_marker":
        q = [float(tails[c.concept, c.feature]) for c in choices]
        chosen = chosen.with_columns(q=pl.Series(q, dtype=pl.Float64))
    else:
        chosen = chosen.with_columns(q=pl.lit(None, dtype=pl.Float64))
    clusters = len(np.unique(labels.clusters[labels.proteins_of("test")]))
    scores = cluster_intervals(sums, clusters=clusters).concepts.select(
        "concept", "precision", "recall", "f1", low="f1_low", high="f1_high"
    )
    joined = concepts.join(chosen, on="concept", how="left").join(scores, on="concept", how="left")
    # nothing predicted, or nothing chosen, is a failure and not a gap
    zero = pl.col("f1", "select_f1").fill_nan(0.0).fill_null(0.0)
    return joined.with_columns(zero, p=pl.lit(None, dtype=pl.Float64))


def _ranked(source: Source, labels: Labels, found: Scan) -> pl.DataFrame:
    """AUROC and average precision on test of the feature of highest AUROC on select."""
    best = found.auroc.argmax(1)
    some = SomeFeatures(source.columns, best.tolist())
    truth = Truth.of(totals(labels, "test"), labels.coverage_class)
    roc, ap = np.full((2, len(best)), np.nan)
    for features, counts in count(some, labels, found.edges[best], fold="test"):
        area, precision = truth.auroc(counts), truth.average_precision(counts)
        for i, concept in enumerate(features):
            roc[concept], ap[concept] = float(area[i, concept]), float(precision[i, concept])
    absent = totals(labels, "test").residues == 0
    roc[absent], ap[absent] = np.nan, np.nan
    columns = {"concept": labels.concepts["concept"], "auroc": roc, "average_precision": ap}
    return pl.DataFrame(columns)


def _screen(found: Scan) -> tuple[Float[ndarray, "concepts d_sae"], dict[str, int]]:
    """Give q-values of all pairs, by clusters of select; and how many hold."""
    bearing = found.totals.clusters.sum(1).astype(np.int64)[:, None]
    p = cluster_tail(found.both, found.fired, bearing, found.total)
    q = benjamini_hochberg(p)
    return q, {"pairs": int(q.size), "significant": int((q < 0.05).sum())}


def claims(
    source: Source, labels: Labels, *, draws: int = 199, residues: int = 60_000, seed: int = 0
) -> pl.DataFrame:
    """Ask of every concept whether its best feature is better than chance gives.

    The best residue F1 over features and thresholds, on one protein a cluster of select, against
    the same on permuted labels.

    Parameters
    ----------
    source, labels
        As for `measure`.
    draws
        Permutations.
    residues
        Size of the sample, about.
    seed
        Of the sample and the permutations.

    Returns
    -------
    DataFrame
        ``concept, p, q``; null where fewer than `FEWEST` proteins of the sample
        bear the concept.
    """
    sample = _sampled(labels, residues, seed)
    names = labels.concepts["concept"]
    enough = np.flatnonzero(totals(sample, "select").proteins >= FEWEST)
    sample = _of_concepts(sample, enough)
    inside = sample.residue_mask(sample.proteins_of("select"))
    columns = SomeResidues(source.columns, inside)
    edges = bin_edges(columns, inside, source.shares)

    def best(of: Labels) -> Float[ndarray, "concepts"]:
        found, truth = np.zeros(len(enough)), Truth.of(totals(of, "select"), of.coverage_class)
        for _, counts in count(columns, of, edges, fold="select"):
            np.maximum(found, truth.scores(counts).residue.amax((0, 2)).numpy(), out=found)
        return found

    p, q = np.full((2, len(names)), np.nan)
    if len(enough):
        null = null_maxima(best, sample, draws=draws, seed=seed)
        p[enough] = claim_p(best(sample), null)
        q[enough] = benjamini_hochberg(p[enough])
    return pl.DataFrame({"concept": names, "p": p, "q": q}).fill_nan(None)


def _sampled(labels: Labels, residues: int, seed: int) -> Labels:
    """Keep one protein a cluster of select, up to so many residues, each counted once."""
    rng = np.random.default_rng(seed)
    single = one_per_cluster(labels, rng)
    kept = rng.permutation(np.flatnonzero(single.proteins_of("select")))
    lengths = np.diff(labels.offsets)
    kept = kept[: max(2, int(np.searchsorted(np.cumsum(lengths[kept]), residues)))]
    folds = np.full(len(lengths), "", dtype=object)
    folds[kept] = "select"
    return replace(single, folds=folds.astype(str), weights=np.ones(len(lengths)))


def _of_concepts(labels: Labels, kept: Int[ndarray, "kept"]) -> Labels:
    """Keep some of the concepts."""
    number = np.full(labels.concepts.height, -1)
    number[kept] = np.arange(len(kept))

    def of(spans: Intervals) -> Intervals:
        own = spans.where(number[spans.label] >= 0)
        return replace(own, label=number[own.label])

    return replace(
        labels,
        concepts=labels.concepts[kept],
        positives=of(labels.positives),
        unknowns=of(labels.unknowns),
        coverage_class=labels.coverage_class[kept],
    )
