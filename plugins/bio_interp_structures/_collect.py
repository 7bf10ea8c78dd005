"""From files of structures to an annotation table."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from bio_interp.annotations import CONCEPTS, COVERAGE, ROWS, AnnotationTable
from bio_interp.errors import AnnotationError
from bio_interp.sequences import Protein
from bio_interp.structures import read_structure
from bio_interp_structures._concepts import SOURCE, Settings, describe, is_span, one_is_enough
from bio_interp_structures._votes import count, own_proteins, place, votes

EXPERIMENT = "ECO:0007829"  # combinatorial computational and experimental evidence, automatic
PREDICTION = "ECO:0008006"  # deep learning, automatic assertion
_MANY = 4_000_000  # votes that are held before they are added up
_log = logging.getLogger(__name__)


def collect(
    files: Sequence[Path], proteins: Sequence[Protein] | None, options: Mapping[str, str]
) -> AnnotationTable:
    """Read all structures and add up what they say; see `StructureAnnotator`.

    Raises
    ------
    AnnotationError, StructureError, MissingExtraError
        See `StructureAnnotator.annotate`.
    """
    settings = Settings.read(options)
    if not files:
        raise AnnotationError("at least one file of a structure", "none", "Name one.")
    if proteins is None:
        _log.warning("no proteins were given: each chain is a protein of its own, such as 4HHB_A")
    tools: dict[str, str] = {}
    total: list[pl.DataFrame] = []
    lone: list[str] = []
    for path in dict.fromkeys(files):
        structure = read_structure(path)
        placed = own_proteins(structure, path) if proteins is None else place(structure, proteins)
        found = votes(structure, list(placed), settings, tools)
        if found.is_empty():
            lone.append(path.name)
        total.append(found)
        if sum(frame.height for frame in total) > _MANY:
            total = [count(total)]
    if lone:
        _log.warning("%d of %d files show none of the proteins: %s", len(lone), len(files),
                     ", ".join(lone[:5]) + (" ..." if len(lone) > 5 else ""))  # fmt: skip
    return make_table(count(total), settings, tools)


def make_table(
    found: pl.DataFrame, settings: Settings, tools: Mapping[str, str]
) -> AnnotationTable:
    """Decide by votes; a draw of those that need most is unknown."""
    concepts = found["concept"].unique().sort().to_list()
    enough = pl.col("concept").is_in([c for c in concepts if one_is_enough(c)])
    twice = 2 * pl.col("yes")
    state = pl.when(enough).then(pl.col("yes") > 0).when(twice != pl.col("seen")).then(
        twice > pl.col("seen")
    )  # fmt: skip
    known = found.with_columns(state.alias("state")).drop_nulls("state")
    spans = pl.col("concept").is_in([c for c in concepts if is_span(c)])
    borne_out = (
        pl.when(pl.col("experimental").any())
        .then(pl.lit(EXPERIMENT))
        .otherwise(pl.lit(PREDICTION))
        .alias("evidence"),
        pl.col("structures").explode().unique().sort(),
    )
    source = pl.lit(SOURCE).alias("source")
    rows = _runs(known.filter("state"), spans, borne_out).with_columns(
        source, pl.lit(None, pl.Int32).alias("pair")
    )
    looked = _runs(known, pl.lit(True)).with_columns(
        source, pl.lit("looked").alias("state"), pl.col("concept").alias("kind")
    )
    order = ["accession", "start", "end"]
    described = [describe(concept, tools, settings) for concept in concepts]
    return AnnotationTable(
        rows.select(*ROWS, "structures").sort(*order, "concept"),
        looked.select(*COVERAGE).sort(*order, "kind"),
        pl.DataFrame(described, schema=CONCEPTS),
    )


def _runs(frame: pl.DataFrame, joined: pl.Expr, more: Sequence[pl.Expr] = ()) -> pl.DataFrame:
    """Make one row of positions that follow each other, where they are to be joined."""
    rank = pl.int_range(pl.len(), dtype=pl.Int32).over("accession", "concept")
    run = pl.when(joined).then(pl.col("position") - rank).otherwise(pl.col("position"))
    ordered = frame.sort("accession", "concept", "position")
    runs = ordered.group_by("accession", "concept", run.alias("run"), maintain_order=True)
    position = pl.col("position")
    return runs.agg(position.min().alias("start"), position.max().alias("end"), *more)
