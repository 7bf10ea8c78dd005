"""From annotations to the concepts that InterPLM would make of them."""

from __future__ import annotations

import polars as pl

from bio_interp.annotations import AnnotationTable
from bio_interp.linking.interplm._defects import Defects
from bio_interp.linking.interplm._rules import LEFT_OUT, NAMED_KINDS, PLAIN_KINDS, Rules

_PLACE = ("accession", "start", "end", "kind")


def interplm_concepts(
    table: AnnotationTable, rules: Rules | None = None, defects: Defects | None = None
) -> AnnotationTable:
    """Keep the annotations that are concepts of InterPLM, under the names it gives them.

    Which of them are frequent enough to count is decided later, on the two folds together.

    Parameters
    ----------
    table
        Annotations of the uniprot plugin: ``uniprot:BINDING`` and ``uniprot:BINDING/ATP``. Give
        those of the proteins at hand only: sub-concepts are kept by how many instances they have.
    rules
        The protocol's numbers.
    defects
        `notes_only` and `bonds_as_ranges` act here.

    Returns
    -------
    AnnotationTable
        The same concept ids, with InterPLM's names (``Binding site_ATP``, ``Binding site_any``),
        and no coverage: every residue without an annotation is a negative there.

    Notes
    -----
    Where InterPLM has a sub-concept for each copy (``Sushi 1``, ``Sushi 2``), the uniprot plugin
    has one. ``Cofactor`` has no positions in UniProt, and amino acids are never reported: neither
    is made.
    """
    rules, defects = rules or Rules(), defects or Defects()
    rows = table.rows.with_columns(*_parts("concept"))
    named, plain = _is_in(NAMED_KINDS), _is_in(PLAIN_KINDS) & pl.col("head").is_null()
    heads = rows.filter(named & pl.col("head").is_not_null())
    heads = heads.filter(pl.len().over("concept") >= rules.min_named)
    anything = rows.filter(named & pl.col("head").is_null())
    if defects.notes_only:
        heads = heads.filter(pl.col("kind") != "BINDING")
        anything = anything.join(heads, on=_PLACE, how="semi")
    bonds = rows.filter(plain)
    parts = [anything, heads, _as_ranges(bonds) if defects.bonds_as_ranges else bonds]
    if rules.other_sources:
        parts.append(rows.filter(~pl.col("concept").str.starts_with("uniprot:")))
    kept = pl.concat(parts)
    concepts = table.concepts.filter(pl.col("concept").is_in(kept["concept"].unique().to_list()))
    concepts = _named(concepts).filter(~pl.col("name").is_in(list(LEFT_OUT)))
    kept = kept.filter(pl.col("concept").is_in(concepts["concept"].to_list()))
    return AnnotationTable(kept.drop("kind", "head"), table.coverage.clear(), concepts)


def _parts(concept: str) -> tuple[pl.Expr, pl.Expr]:
    """Split ``uniprot:KIND/head``; the head is null where there is none."""
    found = pl.col(concept).str.extract_groups(r"^uniprot:([A-Z_]+)(?:/(.+))?$")
    return found.struct[0].alias("kind"), found.struct[1].alias("head")


def _is_in(kinds: dict[str, str]) -> pl.Expr:
    return pl.col("kind").is_in(list(kinds)).fill_null(False)


def _as_ranges(bonds: pl.DataFrame) -> pl.DataFrame:
    """Turn the two ends of a bond into all that lies between them."""
    paired = bonds.filter(pl.col("pair").is_not_null())
    others = [name for name in bonds.columns if name not in ("start", "end", "pair", "concept")]
    ranges = paired.group_by("concept", "pair", maintain_order=True).agg(
        pl.col("start").min(), pl.col("end").max(), *(pl.col(name).first() for name in others)
    )
    alone = bonds.filter(pl.col("pair").is_null())
    return pl.concat([alone, ranges.select(alone.columns)])


def _named(concepts: pl.DataFrame) -> pl.DataFrame:
    """Give concepts InterPLM's names; those of other sources keep theirs."""
    parts = concepts.with_columns(
        *(part.alias(f"_{i}") for i, part in enumerate(_parts("concept")))
    )
    title = pl.col("_0").replace_strict({**NAMED_KINDS, **PLAIN_KINDS}, default=None)
    head = pl.when(pl.col("_0").is_in(list(NAMED_KINDS))).then(pl.col("_1").fill_null("any"))
    name = pl.coalesce(pl.concat_str([title, head], separator="_"), title, pl.col("name"))
    return parts.with_columns(name.alias("name")).drop("_0", "_1")
