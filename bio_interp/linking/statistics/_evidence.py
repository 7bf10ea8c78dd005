"""How many positives are left of each concept as more evidence is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from bio_interp.annotations import EVIDENCE_LEVELS, AnnotationTable, at_least, evidence_levels

MIN_TEST_CLUSTERS = 15
EVIDENCE: dict[str, Any] = {
    "concept": pl.String,
    "level": pl.String,
    "fold": pl.String,
    "positives": pl.Int64,
    "proteins": pl.Int64,
    "clusters": pl.Int64,
    "testable": pl.Boolean,
}


def evidence_left(
    table: AnnotationTable,
    *,
    folds: Mapping[str, str],
    clusters: Mapping[str, str],
    min_clusters: int = MIN_TEST_CLUSTERS,
    test: str = "test",
) -> pl.DataFrame:
    """Count what is left of each concept at each level of evidence.

    Parameters
    ----------
    table
        Annotations, not filtered; rows of proteins without a fold are left out.
    folds, clusters
        Fold and homology cluster of accessions.
    min_clusters
        Test clusters that a concept must be left with to be testable.
    test
        Fold that is reported on.

    Returns
    -------
    DataFrame
        Columns of `EVIDENCE`, a row for every concept of the table, level and fold, also where
        nothing is left: ``positives`` (annotations), ``proteins`` and ``clusters`` with evidence of
        this ``level`` or a stronger one, and whether that level leaves the concept ``testable``.

    Examples
    --------
    >>> row = {"accession": "P1", "start": 1, "end": 9, "concept": "pfam:A", "source": "pfam"}
    >>> table = AnnotationTable.from_records([row | {"evidence": "ECO:0000250"}], [],
    ...     [{"concept": "pfam:A"}])
    >>> left = evidence_left(table, folds={"P1": "test"}, clusters={"P1": "P1"}, min_clusters=1)
    >>> left.select("level", "positives", "testable").rows()[1:3]
    [('combinatorial', 0, False), ('similarity', 1, True)]
    """
    rows = _placed(table, folds, clusters)
    frames = [_left(rows, level) for level in EVIDENCE_LEVELS]
    every = (
        table.concepts.select("concept")
        .join(pl.DataFrame({"level": EVIDENCE_LEVELS}).with_row_index("rank"), how="cross")
        .join(pl.DataFrame({"fold": sorted({*folds.values(), test})}), how="cross")
    )
    left = every.join(pl.concat(frames), on=["concept", "level", "fold"], how="left")
    left = left.with_columns(pl.col("positives", "proteins", "clusters").fill_null(0))
    in_test = pl.col("clusters").filter(pl.col("fold") == test).max().over("concept", "level")
    left = left.with_columns(testable=in_test >= min_clusters).sort("concept", "rank", "fold")
    return left.select(pl.col(name).cast(dtype) for name, dtype in EVIDENCE.items())


def _placed(
    table: AnnotationTable, folds: Mapping[str, str], clusters: Mapping[str, str]
) -> pl.DataFrame:
    """Rows with the fold and cluster of their protein and their level of evidence."""
    names = list(folds)
    places = pl.DataFrame(
        {"accession": names, "fold": list(folds.values()), "cluster": [clusters[a] for a in names]},
        schema=dict.fromkeys(("accession", "fold", "cluster"), pl.String),
    )
    return table.rows.with_columns(level=evidence_levels(table.rows["evidence"])).join(
        places, on="accession"
    )


def _left(rows: pl.DataFrame, level: Any) -> pl.DataFrame:
    kept = rows.filter(pl.col("level").is_in(list(at_least(level))))
    return kept.group_by("concept", "fold", maintain_order=True).agg(
        level=pl.lit(level),
        positives=pl.len(),
        proteins=pl.col("accession").n_unique(),
        clusters=pl.col("cluster").n_unique(),
    )
