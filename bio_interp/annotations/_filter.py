"""Annotations of enough evidence; the others become unknown."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from bio_interp.annotations._evidence import EVIDENCE_LEVELS, EvidenceLevel, evidence_level
from bio_interp.annotations._overlaps import unknown_over
from bio_interp.annotations._table import AnnotationTable
from bio_interp.errors import AnnotationError


def filter_evidence(table: AnnotationTable, levels: Collection[EvidenceLevel]) -> AnnotationTable:
    """Keep the rows of some levels of evidence; where the others are becomes unknown.

    A site that was only inferred is no negative: something may well be there. So each row left out
    leaves a coverage row behind that says unknown, for its concept alone. Where a kept row of the
    same concept covers the same residues, those stay positive (`linking.lay_labels`).

    Parameters
    ----------
    table
        Annotations; sources that state no evidence have the level ``"unknown"``.
    levels
        Levels to keep, of `EVIDENCE_LEVELS`; `at_least` lists those from one level up.

    Raises
    ------
    AnnotationError
        A level that there is not.

    Examples
    --------
    >>> rows = [
    ...     {"accession": "P1", "start": s, "end": s, "concept": "uniprot:SITE", "evidence": e,
    ...      "source": "uniprot"} for s, e in ((5, "ECO:0000269"), (9, "ECO:0000255"))
    ... ]
    >>> kept = filter_evidence(AnnotationTable.from_records(rows, [], []), at_least("similarity"))
    >>> kept.rows["start"].to_list(), kept.coverage.select("start", "kind", "state").rows()
    ([5], [(9, 'uniprot:SITE', 'unknown')])
    """
    for level in levels:
        at_least(level)
    strong = evidence_levels(table.rows["evidence"]).is_in(list(levels))
    weak = unknown_over(table.rows.filter(~strong)).unique(maintain_order=True)
    coverage = pl.concat([table.coverage, weak], how="diagonal")
    return AnnotationTable(table.rows.filter(strong), coverage, table.concepts)


def at_least(level: EvidenceLevel) -> tuple[EvidenceLevel, ...]:
    """List a level of evidence and all stronger ones.

    Examples
    --------
    >>> at_least("similarity")
    ('experimental', 'combinatorial', 'similarity')
    """
    if level not in EVIDENCE_LEVELS:
        raise AnnotationError(
            f"a level of evidence ({', '.join(EVIDENCE_LEVELS)})",
            f"{level!r}",
            "Name one of them.",
        )
    return EVIDENCE_LEVELS[: EVIDENCE_LEVELS.index(level) + 1]


def evidence_levels(codes: pl.Series) -> pl.Series:
    """Tell the level of each ECO code; none is ``"unknown"``.

    Examples
    --------
    >>> evidence_levels(pl.Series(["ECO:0000269", "", None])).to_list()
    ['experimental', 'unknown', 'unknown']
    """
    found = codes.unique().drop_nulls().to_list()
    levels = {code: evidence_level(code) for code in found}
    return codes.replace_strict(levels, default="unknown", return_dtype=pl.String)
