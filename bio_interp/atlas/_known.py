"""What annotations say where a feature fires: how well it is known, and of what."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Int, UInt8
from numpy import ndarray

from bio_interp.annotations import EVIDENCE_LEVELS, AnnotationTable, evidence_level
from bio_interp.atlas._shown import Shown

TOP_CONCEPTS = 3
LEAST_SHARE = 0.05  # of the peaks; a concept at fewer is not said to be a feature's
_FEWEST_PEAKS = 2


def spans_of(annotations: AnnotationTable, names: list[str], shown: Shown) -> pl.DataFrame:
    """Lay annotations on the rows of a store.

    Returns
    -------
    DataFrame
        ``concept, evidence, first, last``: a row an annotation of a protein that is looked at,
        with its first and last row in the store, cut to the protein.
    """
    at = np.flatnonzero(shown.kept)
    place = pl.DataFrame(
        {
            "accession": [names[i] for i in at],
            "before": shown.starts[at],
            "after": shown.starts[at + 1],
        },
        schema={"accession": pl.String, "before": pl.Int64, "after": pl.Int64},
    )
    rows = annotations.rows.select("accession", "concept", "evidence", "start", "end")
    first = pl.max_horizontal("before", pl.col("before") + pl.col("start") - 1)
    last = pl.min_horizontal(pl.col("after") - 1, pl.col("before") + pl.col("end") - 1)
    laid = rows.drop_nulls(["start", "end"]).join(place, on="accession")
    laid = laid.select("concept", "evidence", first=first, last=last)
    return laid.filter(pl.col("first") <= pl.col("last"))


def row_evidence(spans: pl.DataFrame, rows: int) -> UInt8[ndarray, "rows"]:
    """Give each row the strongest evidence of the annotations that hold it.

    Returns
    -------
    ndarray
        Index in `bio_interp.annotations.EVIDENCE_LEVELS`; its length where nothing is annotated.
    """
    codes = spans["evidence"].fill_null("")
    levels = {c: EVIDENCE_LEVELS.index(evidence_level(c)) for c in codes.unique()}
    level = codes.replace_strict(levels, return_dtype=pl.UInt8).to_numpy() if levels else None
    found = np.full(rows, len(EVIDENCE_LEVELS), dtype=np.uint8)
    for index in reversed(range(len(EVIDENCE_LEVELS)) if levels else ()):
        own = spans.filter(level == index)
        ends = np.bincount(own["last"].to_numpy() + 1, minlength=rows + 1)
        begins = np.bincount(own["first"].to_numpy(), minlength=rows + 1)
        found[np.cumsum(begins - ends)[:rows] > 0] = index
    return found


def top_concepts(
    feature: Int[ndarray, "peaks"], row: Int[ndarray, "peaks"], spans: pl.DataFrame, residues: int
) -> dict[int, list[dict[str, Any]]]:
    """Find the concepts that are annotated at the peaks of features more than elsewhere.

    All concepts are looked at, at the best residue of every cluster (up to those of the logo).
    They are ranked by ``share * log2(share / base)``, so that neither what lies everywhere nor
    what was there once comes first. What is not annotated is not therefore absent: shares are
    at least what they say.

    Parameters
    ----------
    feature, row
        Peaks: of which feature, on which row of the store.
    spans
        See `spans_of`.
    residues
        Number of residues that are looked at.

    Returns
    -------
    dict
        By feature, the best first, `TOP_CONCEPTS` at most: ``concept``, ``share`` (of its peaks)
        and ``base`` (share of all residues).
    """
    known = _at_rows(np.unique(row), spans)
    base = spans.group_by("concept").agg(
        base=((pl.col("last") - pl.col("first") + 1).sum() / max(residues, 1)).clip(0, 1)
    )
    peaks = pl.DataFrame({"feature": feature, "row": row})
    share = pl.col("n") / pl.col("of")
    counts = (
        peaks.join(known, on="row")
        .group_by("feature", "concept")
        .agg(n=pl.len())
        .join(peaks.group_by("feature").agg(of=pl.len()), on="feature")
        .join(base, on="concept")
        .with_columns(share=share)
        .filter((pl.col("n") >= _FEWEST_PEAKS) & (pl.col("share") >= LEAST_SHARE))
        .with_columns(gain=pl.col("share") * (pl.col("share") / pl.col("base")).log(2))
        .filter(pl.col("gain") > 0)
        .sort("feature", "gain", "concept", descending=[False, True, False])
        .group_by("feature", maintain_order=True)
        .head(TOP_CONCEPTS)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for one in counts.select("feature", "concept", "share", "base").iter_rows(named=True):
        found.setdefault(one.pop("feature"), []).append(one)
    return found


def _at_rows(rows: Int[ndarray, "rows"], spans: pl.DataFrame) -> pl.DataFrame:
    """List the concepts at some rows: ``row, concept``, each pair once; rows ascend."""
    low = np.searchsorted(rows, spans["first"].to_numpy())
    count = np.searchsorted(rows, spans["last"].to_numpy(), side="right") - low
    span = np.repeat(np.arange(len(count)), count)
    index = np.arange(len(span)) + np.repeat(low - (np.cumsum(count) - count), count)
    return pl.DataFrame({"row": rows[index], "concept": spans["concept"].gather(span)}).unique()
