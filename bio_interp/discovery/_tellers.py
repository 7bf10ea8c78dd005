"""Which annotations already say what a call says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from bio_interp.annotations import AnnotationTable, equivalent_concepts

Related = Mapping[str, frozenset[str]]


def tellers(concepts: pl.DataFrame, table: AnnotationTable) -> Related:
    """Find, for every concept of an atlas, the concepts whose annotation says the same or more.

    Those are the concept itself; the members, groups and fellow members of a group; its kind and
    its subkinds (``uniprot:BINDING`` and ``uniprot:BINDING/ATP``, of which a database that has one
    is not silent on the other); concepts of the same InterPro entry; and those that lie on the same
    residues in `table` (`bio_interp.annotations.equivalent_concepts`).

    Parameters
    ----------
    concepts
        Columns of `AnnotationTable.concepts`, of the atlas.
    table
        What is known.
    """
    every = pl.concat([f.select("concept", "members", "xrefs") for f in (concepts, table.concepts)])
    known = set(every["concept"])
    groups = _groups(every.select("concept", "members").iter_rows())
    groups += _entries(every.select("concept", "xrefs").iter_rows())
    equivalent = equivalent_concepts(table.rows)
    together: dict[str, set[str]] = {}
    for group in groups:
        for concept in group:
            together.setdefault(concept, set()).update(group)
    return {
        concept: frozenset(
            {concept, *together.get(concept, ()), *equivalent.get(concept, ())}
            | _lineage(concept, known)
        )
        for concept in concepts["concept"]
    }


def _groups(rows: Iterable[tuple[str, list[str] | None]]) -> list[set[str]]:
    return [{concept, *members} for concept, members in rows if members]


def _entries(rows: Iterable[tuple[str, list[str] | None]]) -> list[set[str]]:
    """Gather the concepts of each InterPro entry."""
    entries: dict[str, set[str]] = {}
    for concept, references in rows:
        for reference in references or ():
            if reference.startswith("IPR"):
                entries.setdefault(reference, set()).add(concept)
    return list(entries.values())


def _lineage(concept: str, known: set[str]) -> set[str]:
    """Take the kinds above a concept and the subkinds below it."""
    above = {other for other in known if concept.startswith(f"{other}/")}
    below = {other for other in known if other.startswith(f"{concept}/")}
    return above | below
