"""``bio-interp show``."""

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Never

from cyclopts import Parameter

from bio_interp.cli._options import Common, Machine, Source
from bio_interp.cli._show import show_json, show_rows, terminal_width, wants_blocks

if TYPE_CHECKING:
    from bio_interp.atlas import Atlas
    from bio_interp.sequences import Protein

_COMMON, _MACHINE = Common(), Machine()
_LOG = logging.getLogger(__name__)


def show(
    target: Source,
    /,
    *,
    atlas: str | None = None,
    proteins: Path | None = None,
    min_precision: float = 0.8,
    features: int = 5,
    wrap: Annotated[bool, Parameter(negative="")] = False,
    format: Annotated[Literal["table", "json", "html"], Parameter(alias="-f")] = "table",
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Look at one feature, one concept, or proteins.

    Parameters
    ----------
    target
        A feature (f12, unirep/f12); an id, a name or a part of the name of a concept
        (pfam:PF00069, kinase); a file of proteins, - or a sequence; with --proteins, an accession.
    atlas
        Name of an installed atlas, or the folder of one; that of the address, else
        BIO_INTERP_ATLAS, else unirep.
    proteins
        File in which TARGET is an accession.
    min_precision
        Of a protein: draw calls whose lower bound of precision is at least this.
    features
        Of a protein: draw so many linked features beside those behind the calls.
    wrap
        Of a protein: one residue a column, with the sequence, in as many parts as needed.
    format
        table for people, json for programs; of one feature or concept also html, a page.
    """
    common.start()
    machine.start()
    from bio_interp.atlas import find_concepts, load_atlas, parse_address, tell_target

    address = None if proteins or Path(target).is_file() else parse_address(target)
    loaded = load_atlas(atlas or (address and address[0]) or None, device=machine.device)
    kind = "accession" if proteins else tell_target(loaded, target)
    if kind == "feature":
        _print(kind, loaded.feature(target), format)
    elif kind == "concept" and len(found := find_concepts(loaded.links, target)) > 1:
        _print_candidates(found, format)
    elif kind == "concept":
        _print(kind, loaded.concept(target), format)
    else:
        chosen = _chosen(proteins, target) if proteins else _read(target, kind)
        _print_proteins(loaded, chosen, (min_precision, features, wrap), format)


def _print(kind: str, what: Any, format: str) -> None:
    if format == "json":
        show_json({"shown": kind, **what.to_dict()})
    elif format == "html":
        from bio_interp.render import Markup
        from bio_interp.reports import html_page

        sys.stdout.write(html_page(f"bio-interp show: {kind}", Markup(what._repr_html_())))
    else:
        sys.stdout.write(f"{what!r}\n")


def _print_candidates(found: list[tuple[str, str]], format: str) -> None:
    if format == "json":
        rows = [{"concept": concept, "name": name} for concept, name in found]
        show_json({"shown": "candidates", "candidates": rows})
    else:
        sys.stderr.write(f"{len(found)} concepts fit; `bio-interp show` one of these:\n")
        show_rows(("concept", "name"), found)


def _read(target: str, kind: str) -> "Iterator[Protein]":
    from bio_interp.sequences import as_proteins, read_proteins

    return as_proteins(target) if kind == "sequence" else read_proteins(target)


def _chosen(file: Path, accession: str) -> "Iterator[Protein]":
    from bio_interp.errors import NotFoundError
    from bio_interp.sequences import read_proteins

    count = 0
    for protein in read_proteins(file):
        count += 1
        if protein.accession == accession:
            return iter([protein])
    raise NotFoundError(
        f"a protein of {file}",
        f"{accession!r}, which is none of its {count} accessions",
        "Check the accession; capitals matter.",
    )


def _refuse_page() -> Never:
    from bio_interp.errors import InputError

    raise InputError(
        "one feature or one concept, to write as a page",
        "proteins",
        "`bio-interp annotate -f html` draws proteins.",
    )


def _print_proteins(
    atlas: "Atlas", proteins: "Iterator[Protein]", how: tuple[float, int, bool], format: str
) -> None:
    from bio_interp.atlas import view_proteins

    min_precision, features, wrap = how
    if format == "html":
        _refuse_page()
    views = view_proteins(atlas, proteins, min_precision=min_precision, features=features)
    if format == "json":
        # written as they come: a proteome would not fit in memory
        sys.stdout.write('{"shown": "proteins", "proteins": [')
        for number, view in enumerate(views):
            sys.stdout.write((",\n" if number else "\n") + json.dumps(view.to_dict()))
        sys.stdout.write("\n]}\n")
        return
    for number, view in enumerate(views):
        text = view.draw(width=terminal_width(), blocks=wants_blocks(), wrap=wrap)
        sys.stdout.write(("\n" if number else "") + text + "\n")
        sys.stdout.flush()
    for note in atlas.info.notes:
        _LOG.info("%s", note)
