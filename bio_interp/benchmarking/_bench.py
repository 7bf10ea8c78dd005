"""Benchmark the features of an SAE, and baselines beside it, against known annotations."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from bio_interp.benchmarking._interplm import InterplmTruth, summarise_interplm
from bio_interp.benchmarking._measure import BENCH, Measured, claims, measure
from bio_interp.benchmarking._probes import PROBES, make_probe
from bio_interp.benchmarking._rows import Rows
from bio_interp.benchmarking._sources import Source, make_source
from bio_interp.benchmarking._summary import SUMMARY, compare, summarise
from bio_interp.errors import InputError
from bio_interp.linking import Labels, lay_labels
from bio_interp.linking.statistics import MIN_TEST_CLUSTERS, evidence_left, permute_labels

if TYPE_CHECKING:
    from bio_interp.annotations import AnnotationTable
    from bio_interp.sae import SparseAutoencoder
    from bio_interp.sequences import Split

_LOG = logging.getLogger(__name__)
SAE = "sae"


@dataclass(frozen=True)
class BenchTable:
    """What a benchmark found.

    Attributes
    ----------
    rows
        A row a source, score and concept, chosen on select and reported on test: columns `BENCH`.
    summary
        A row a source and score over the testable concepts: columns `SUMMARY`.
    paired
        The SAE minus each baseline on the same resampled clusters: columns `PAIRED`.
    evidence
        Positives and clusters of every concept left at each level of evidence; which concepts
        are testable (at least 15 test clusters).
    facts
        What was benchmarked: proteins, residues, clusters, split, screening, exposure.
    """

    rows: pl.DataFrame
    summary: pl.DataFrame
    paired: pl.DataFrame
    evidence: pl.DataFrame
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def summed_up(self) -> dict[str, Any]:
        """Give ``summary`` and ``sae_minus`` as records for JSON, which has no NaN."""
        frames = {"summary": self.summary, "sae_minus": self.paired}
        rounded = pl.col(pl.Float64).fill_nan(None).round(6)
        return {name: frame.with_columns(rounded).to_dicts() for name, frame in frames.items()}

    def __repr__(self) -> str:
        sources = self.summary["source"].n_unique()
        return f"BenchTable({sources} sources, {self.rows['concept'].n_unique()} concepts)"


@dataclass(frozen=True)
class BenchSettings:
    """How a benchmark is made.

    Attributes
    ----------
    baselines
        Names of the sources beside the SAE: see `make_source`, and `make_probe` for ``probe`` and
        ``ksparse10``. ``permuted`` labels come with any.
    min_select
        Concepts borne by fewer clusters of select are left out.
    interplm
        Whether InterPLM's own protocol is reported beside the strict one, as it is defined and
        with the defects of its code.
    null
        Permutations of the claims, which the SAE alone makes; 0 makes none.
    dense_share
        Share of the residues where a dense feature may be on (its highest values): higher
        thresholds alone are tried. Small for rare concepts in many residues, to save time.
    seed
        Of permutations.
    """

    baselines: Sequence[str] = ("neurons", "pca", "random", "kmers")
    min_select: int = 5
    interplm: bool = True
    null: int = 199
    dense_share: float = 0.5
    seed: int = 0


def bench(
    rows: Rows,
    sae: SparseAutoencoder,
    table: AnnotationTable,
    split: Split,
    settings: BenchSettings | None = None,
    *,
    weights: Mapping[str, float] | None = None,
) -> BenchTable:
    """Benchmark an SAE and baselines: choose on select, report on test, once.

    Parameters
    ----------
    rows
        Activations of proteins of the select and test folds.
    sae
        The SAE of these activations.
    table
        Annotations of the proteins.
    split
        Folds and homology clusters.
    settings
        Baselines and sizes.
    weights
        How many proteins each accession stands for, where they were drawn at unequal rates.

    Raises
    ------
    InputError
        No concept is borne by enough clusters of select, or none at all in test.
    """
    settings = settings or BenchSettings()
    labels = _labels(rows, table, split, settings, weights)
    fit = {name for name in rows.names if split.fold(name) == "select"}
    theirs = InterplmTruth.lay(rows, table, split) if settings.interplm else None
    measured, others = list[Measured](), list[pl.DataFrame]()
    for name in (SAE, *settings.baselines):
        _LOG.info("benchmark: %s", name)
        if name in PROBES:
            source = make_probe(name, rows, sae, labels, dense_share=settings.dense_share)
        else:
            source = make_source(name, rows, sae, fit, dense_share=settings.dense_share)
        one = measure(source, labels)
        measured.append(_with_claims(one, source, labels, settings) if name == SAE else one)
        others += [theirs.rows_of(source)] if theirs else []
    _LOG.info("benchmark: permuted labels")
    permuted = permute_labels(labels, np.random.default_rng(settings.seed))
    ours = replace(make_source(SAE, rows, sae, fit), name="permuted")
    measured.append(_testable_as(measured[0], measure(ours, permuted)))
    return _table(
        measured,
        pl.concat(others or [pl.DataFrame(schema=BENCH)]),
        _About(labels, table, split, rows),
    )


def _labels(
    rows: Rows,
    table: AnnotationTable,
    split: Split,
    settings: BenchSettings,
    weights: Mapping[str, float] | None,
) -> Labels:
    names = rows.names
    labels = lay_labels(
        table,
        names,
        rows.lengths,
        folds={a: split.fold(a) for a in names},
        clusters={a: split.cluster(a) for a in names},
        min_clusters={"select": settings.min_select},
        weights=weights,
    )
    if not labels.concepts.height:
        raise InputError(
            f"a concept that at least {settings.min_select} clusters of select bear",
            f"none of {table.concepts.height} in {len(names)} proteins",
            "Give more proteins or annotations, or lower --min-select.",
        )
    if not labels.bearers("test").any():
        raise InputError(
            "annotated proteins in the test fold",
            f"none of {int(labels.proteins_of('test').sum())} bears any of "
            f"{labels.concepts.height} concepts",
            "Give more proteins, or a split whose test clusters are annotated.",
        )
    return labels


def _testable_as(ours: Measured, permuted: Measured) -> Measured:
    """Sum permuted labels up over the concepts that are testable as they are."""
    kept = ["concept", "score", "select_clusters", "test_clusters"]
    rows = permuted.rows.drop(kept[2:]).join(ours.rows.select(kept), on=kept[:2], how="left")
    return replace(permuted, rows=rows.select(list(BENCH)))


def _with_claims(
    measured: Measured, source: Source, labels: Labels, settings: BenchSettings
) -> Measured:
    """Add p and q of the claims to the rows of residue F1 of the SAE."""
    if not settings.null:
        return measured
    found = claims(source, labels, draws=settings.null, seed=settings.seed)
    claimed = found.with_columns(score=pl.lit("residue"))
    joined = measured.rows.join(claimed, on=["concept", "score"], how="left", suffix="_claim")
    rows = joined.with_columns(p=pl.coalesce("p_claim", "p"), q=pl.coalesce("q_claim", "q")).select(
        list(BENCH)
    )
    return replace(measured, rows=rows)


@dataclass(frozen=True)
class _About:
    """What was benchmarked."""

    labels: Labels
    table: AnnotationTable
    split: Split
    rows: Rows


def _table(measured: Sequence[Measured], others: pl.DataFrame, about: _About) -> BenchTable:
    labels, table, split, rows = about.labels, about.table, about.split, about.rows
    names = rows.names
    clusters = len(np.unique(labels.clusters[labels.proteins_of("test")]))
    theirs = pl.DataFrame(summarise_interplm(others), schema=SUMMARY)
    summary = pl.concat([summarise(measured, clusters), theirs])
    paired = compare(measured[0], measured[1:], clusters)
    evidence = evidence_left(
        table,
        folds={a: split.fold(a) for a in names},
        clusters={a: split.cluster(a) for a in names},
    )
    facts: dict[str, Any] = {
        "proteins": len(names),
        "residues": rows.residues,
        "concepts": labels.concepts.height,
        "testable": int((labels.bearers("test") >= MIN_TEST_CLUSTERS).sum()),
        "split_sha256": split.hash,
        "screened": {one.name: dict(one.screened) for one in measured},
    }
    for fold in ("select", "test"):
        inside = labels.proteins_of(fold)
        facts[fold] = {
            "proteins": int(inside.sum()),
            "clusters": len(np.unique(labels.clusters[inside])),
            "residues": int(np.diff(labels.offsets)[inside].sum()),
        }
    rows_of = pl.concat([*(m.rows for m in measured), others])
    return BenchTable(rows_of, summary, paired, evidence, facts)
