"""What an atlas knows of InterPro entries and GO terms."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bio_interp.errors import NotFoundError

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class CrossReference:
    """Where a concept is found in InterPro and GO.

    Attributes
    ----------
    interpro, description
        Accession and name of the entry; empty where there is none.
    go
        GO ids.
    """

    interpro: str = ""
    description: str = ""
    go: tuple[str, ...] = ()


def cross_references(concepts: pl.DataFrame) -> dict[str, CrossReference]:
    """Take the cross-references of concepts out of `LinkTable.concepts`.

    Raises
    ------
    NotFoundError
        No concept has one.

    Examples
    --------
    >>> import polars as pl
    >>> name, xrefs = "AAA (ATPase, AAA-type, core)", ["IPR003959", "GO:0005524"]
    >>> rows = pl.DataFrame({"concept": ["pfam:PF00004"], "name": [name], "xrefs": [xrefs]})
    >>> cross_references(rows)["pfam:PF00004"]
    CrossReference(interpro='IPR003959', description='ATPase, AAA-type, core', go=('GO:0005524',))
    """
    rows = concepts.select("concept", "name", "xrefs").iter_rows()
    found = {concept: _reference(name, xrefs or ()) for concept, name, xrefs in rows}
    known = {concept: known for concept, known in found.items() if known != CrossReference()}
    if not known:
        raise NotFoundError(
            "an atlas whose concepts have InterPro entries or GO terms, for --xref",
            "an atlas whose concepts have neither",
            "Leave --xref out, or make the atlas with Pfam concepts that got their names from "
            "interpro.json, one of the files of `bio-interp concepts`.",
        )
    return known


def _reference(name: str, xrefs: Iterable[str]) -> CrossReference:
    xrefs = list(xrefs)
    entry = next((x for x in xrefs if re.fullmatch(r"IPR\d{6}", x)), "")
    # Pfam concepts are called by the family's short name and, in brackets, the entry's
    words = re.fullmatch(r"\S+ \((.+)\)", name) if entry else None
    go = tuple(x for x in xrefs if re.fullmatch(r"GO:\d{7}", x))
    return CrossReference(entry, words[1] if words else "", go)
