"""``bio-interp find``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from bio_interp.cli._options import AtlasName, Common, Machine, Source
from bio_interp.cli._show import TableFormat, counter, show_found

_COMMON, _MACHINE = Common(), Machine()


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Search:
    """How a motif or spans are looked for."""

    split: Path | None = None
    "Clusters to use, as `bio-interp split` writes them; its test fold is reported."
    features: int = 3
    "Of a motif or spans: so many of each link type."
    negatives: int = 10
    "Of each of these: so many places where it fires outside of the spans."
    seed: int = 0
    "Deals the halves, and rotates the spans that are compared with."


_SEARCH = Search()


def find(
    query: Source,
    /,
    *,
    proteins: str | None = None,
    atlas: AtlasName = "unirep",
    search: Search = _SEARCH,
    table: Literal["features", "negatives"] = "features",
    format: Annotated[TableFormat | None, Parameter(alias="-f")] = None,
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Find features for a concept, for words, or, in proteins, for a motif or spans.

    Parameters
    ----------
    query
        An id or words (pfam:PF00069, zinc finger). With --proteins: a motif in PROSITE's syntax
        (N-{P}-[ST]-{P}), a regular expression between slashes (/C..C/), or a file of spans:
        accession, start, end and, where there is one, a label, with tabs between them.
    proteins
        FASTA or Swiss-Prot file in which to look; - is standard input. Half of the homology
        clusters choose, the other half is reported.
    atlas
        Name of an installed atlas, or the folder of one.
    table
        What tsv has: features, or the negatives that fire.
    format
        table for people, tsv, or json with everything. A table on a terminal and TSV in a pipe
        where not given.
    """
    common.start()
    machine.start()
    from bio_interp.atlas import load_atlas
    from bio_interp.discovery import FindOptions
    from bio_interp.discovery import find as find_features
    from bio_interp.sequences import Split

    with counter("proteins", draw=common.bars) as tick:
        found = find_features(
            load_atlas(atlas, device=machine.device),
            query,
            proteins=proteins,
            split=Split.load(search.split) if search.split else None,
            options=FindOptions(search.features, search.negatives, seed=search.seed),
            tick=tick,
        )
    show_found(found, found.negatives if table == "negatives" else found.features, format)
