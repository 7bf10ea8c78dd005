"""Tell what files hold, and bring profiles or hits to one table."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from bio_interp.annotations import AnnotationTable
from bio_interp.errors import AnnotationError
from bio_interp.sequences import Protein
from bio_interp_pfam._files import first_bytes
from bio_interp_pfam._hits import is_hit_table, read_hits, read_scanned
from bio_interp_pfam._names import pfam_names
from bio_interp_pfam._profiles import families, is_profile
from bio_interp_pfam._scan import EVALUE, blocks_of_hits, load_all, read_scan, scan_to_table
from bio_interp_pfam._tables import HITS, pfam_table

_OPTIONS = ("evalue", "threads", "kind", "folder")
_log = logging.getLogger(__name__)


@dataclass
class _Sources:
    """Files by what they hold."""

    profiles: list[Path] = field(default_factory=list)
    tables: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    names: list[Path] = field(default_factory=list)
    lists: list[Path] = field(default_factory=list)


def is_pfam(path: Path) -> bool:
    """Tell whether `path` holds profiles, a table of hits, or a finished scan."""
    head = first_bytes(path)
    return is_profile(head) or is_hit_table(head) or (path / "scan.json").is_file()


def annotate(
    files: Sequence[Path], proteins: Sequence[Protein] | None, options: Mapping[str, str]
) -> AnnotationTable:
    """Do what `PfamAnnotator.annotate` says."""
    _check_options(options)
    sources = _sort(files)
    names = pl.concat(map(pfam_names, sources.names)) if sources.names else None
    if sources.profiles and sources.tables:
        hits, scanned, looked_for = _both(sources, proteins, options)
    elif sources.profiles:
        hits, scanned, looked_for = _scanned_now(sources, proteins, options)
    elif sources.folders:
        hits, scanned, looked_for = _scanned_before(sources.folders, proteins)
    else:
        hits, scanned = _read_tables(sources, proteins)
        looked_for = None
    kind = options.get("kind", "pfam")
    return pfam_table(hits, scanned, names, profiles=looked_for, kind=kind)


def _check_options(options: Mapping[str, str]) -> None:
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise AnnotationError(f"options among {', '.join(_OPTIONS)}", unknown[0], "Leave it out.")
    for name, kind in (("evalue", float), ("threads", int)):
        try:
            kind(options.get(name, "0"))
        except ValueError as error:
            raise AnnotationError(
                f"a number for the option {name}", repr(options[name]), "Write digits."
            ) from error


def _sort(files: Sequence[Path]) -> _Sources:
    sources = _Sources()
    for path in map(Path, files):
        head = first_bytes(path)
        if (path / "scan.json").is_file():
            sources.folders.append(path)
        elif not head:
            raise AnnotationError(
                "profiles, a table of hits, or a list of accessions",
                f"{path}, which is not there, empty or unreadable",
                "Check the path.",
            )
        elif is_profile(head):
            sources.profiles.append(path)
        elif is_hit_table(head):
            sources.tables.append(path)
        else:
            (sources.names if head.lstrip()[:1] == b"[" else sources.lists).append(path)
    found = [bool(s) for s in (sources.profiles, sources.tables, sources.folders)]
    both = found == [True, True, False] and bool(sources.lists)
    if not (both or sum(found) == 1) or (sources.lists and not sources.tables):
        raise AnnotationError(
            "HMMER3 profiles, or tables of hits (with lists of what was scanned), or these with "
            "profiles for the rest, or folders of finished scans",
            f"none or several of these, in {', '.join(map(str, files)) or 'no file'}",
            "Annotate each in a call of its own.",
        )
    return sources


def _scanned_now(
    sources: _Sources, proteins: Sequence[Protein] | None, options: Mapping[str, str]
) -> tuple[pl.DataFrame, dict[str, int], list[str]]:
    needed = _needed(proteins, "to scan")
    evalue = float(options.get("evalue", EVALUE))
    threads = int(options.get("threads", 0))
    if folder := options.get("folder"):
        place = Path(folder)
        scan_to_table(needed, sources.profiles, place, evalue=evalue, threads=threads)
        return read_scan(place)
    models = load_all(sources.profiles, evalue)
    blocks = blocks_of_hits(needed, models, evalue=evalue, threads=threads)
    hits = pl.concat([pl.DataFrame([], HITS), *(found for _, found in blocks)])
    return hits, {p.accession: len(p) for p in needed}, families(models)


def _both(
    sources: _Sources, proteins: Sequence[Protein] | None, options: Mapping[str, str]
) -> tuple[pl.DataFrame, dict[str, int], list[str] | None]:
    """Read the hits that are there, and scan the proteins that nobody scanned."""
    needed = _needed(proteins, "to scan")
    hits, scanned = _read_tables(sources, needed)
    rest = [p for p in needed if p.accession not in scanned]
    if not rest:
        return hits, scanned, None
    found, more, _ = _scanned_now(sources, rest, options)
    # which families the earlier scan looked for is not known
    return pl.concat([hits, found]), {**scanned, **more}, None


def _scanned_before(
    folders: Sequence[Path], proteins: Sequence[Protein] | None
) -> tuple[pl.DataFrame, dict[str, int], list[str]]:
    read = [read_scan(folder) for folder in folders]
    if len({tuple(looked_for) for *_, looked_for in read}) > 1:
        raise AnnotationError(
            "finished scans with the same profiles",
            f"others, among {', '.join(map(str, folders))}",
            "Annotate each in a call of its own.",
        )
    hits = pl.concat([hits for hits, *_ in read])
    scanned = {a: length for _, held, _ in read for a, length in held.items()}
    return *_restricted(hits, scanned, proteins), read[0][2]


def _read_tables(
    sources: _Sources, proteins: Sequence[Protein] | None
) -> tuple[pl.DataFrame, dict[str, int]]:
    needed = _needed(proteins, "whose lengths say what was scanned")
    lengths = {p.accession: len(p) for p in needed}
    hits = pl.concat(map(read_hits, sources.tables))
    listed = read_scanned(sources.lists) if sources.lists else list(lengths)
    stray = hits.filter(~pl.col("accession").is_in(pl.Series(listed).implode()))
    if sources.lists and stray.height:
        raise AnnotationError(
            "hits in proteins of the list of scanned accessions",
            f"{stray.height} in others, first {stray['accession'][0]}",
            "Give the list that belongs to the table.",
        )
    scanned = {a: lengths[a] for a in listed if a in lengths}
    return _restricted(hits, scanned, None)


def _restricted(
    hits: pl.DataFrame, scanned: dict[str, int], proteins: Sequence[Protein] | None
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Leave out what is not among the proteins, and say how much."""
    if proteins is not None:
        wanted = {p.accession for p in proteins}
        scanned = {a: length for a, length in scanned.items() if a in wanted}
    kept = hits.filter(
        pl.col("accession").is_in(pl.Series(list(scanned), dtype=pl.String).implode())
    )
    if kept.height < hits.height:
        _log.warning("%d hits are in proteins not given", hits.height - kept.height)
    return kept, scanned


def _needed(proteins: Sequence[Protein] | None, why: str) -> Sequence[Protein]:
    if proteins is None:
        raise AnnotationError(
            f"the proteins {why}", "none", "Give their sequences too (--proteins FASTA)."
        )
    return proteins
