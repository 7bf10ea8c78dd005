"""The plugin's door, and the search of proteins for patterns."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bio_interp.errors import AnnotationError
from bio_interp_prosite._pattern import Pattern, parse_pattern
from bio_interp_prosite._records import PrositeEntry, is_prosite, read_entries, unreadable

if TYPE_CHECKING:
    from bio_interp.annotations import AnnotationTable
    from bio_interp.sequences import Protein

EVIDENCE = "ECO:0000256"  # match to a sequence model, automatic assertion
_log = logging.getLogger(__name__)


class PrositeAnnotator:
    """Find PROSITE patterns in proteins.

    - Concepts are ``prosite:PS00237``; a protein is covered over its whole length, in the closed
      world.
    - Patterns with ``/SKIP-FLAG=TRUE``, whose matches mean little, are left out unless
      ``frequent`` asks.
    - Profiles (``MATRIX``) and ``RULE`` entries are not searched. How many entries are left out is
      logged at level WARNING.
    """

    api_version: int = 1

    def reads(self, path: Path) -> bool:
        """Tell, from its first bytes, whether `path` is a PROSITE file (``prosite.dat``)."""
        return is_prosite(path)

    def annotate(
        self,
        files: Sequence[Path],
        proteins: Sequence[Protein] | None = None,
        *,
        options: Mapping[str, str] | None = None,
    ) -> AnnotationTable:
        """Find the patterns of `files` in `proteins`.

        Parameters
        ----------
        files
            ``prosite.dat`` or parts of it, plain or gzip.
        proteins
            The proteins to search.
        options
            ``frequent``: ``yes`` to search the patterns with ``/SKIP-FLAG`` too (default ``no``).
            ``pattern``: one more pattern to search, such as ``N-{P}-[ST]-{P}``; it is the concept
            ``prosite:pattern``, and `files` may be empty.

        Raises
        ------
        AnnotationError
            `proteins` are absent; an entry cannot be read or a pattern is malformed, with the file
            and line or the accession and pattern.
        """
        frequent, pattern = _options(options or {})
        if proteins is None:
            raise AnnotationError(
                "the proteins to search", "none", "Give their sequences too (--proteins FASTA)."
            )
        entries = _entries(files)
        if pattern is not None:
            entries.append((PrositeEntry(pattern, "PATTERN", 0, "pattern", pattern=pattern), ""))
        wanted = [(e, r) for e, r in entries if e.type == "PATTERN" and (frequent or not e.skip)]
        _report([e for e, _ in entries], frequent)
        patterns = {e.accession: parse_pattern(e.pattern, _where(e)) for e, _ in wanted}
        return _table(wanted, patterns, proteins)


def _where(entry: PrositeEntry) -> str:
    if not entry.file:
        return "the options"
    return f"{entry.accession} (line {entry.line} of {entry.file})"


def _options(options: Mapping[str, str]) -> tuple[bool, str | None]:
    """Read whether frequent patterns are searched, and a pattern of the user's own."""
    given = dict(options)
    frequent, pattern = given.pop("frequent", "no"), given.pop("pattern", None)
    if given or frequent not in ("yes", "no"):
        raise AnnotationError(
            "frequent=yes or frequent=no, and pattern=...", repr(dict(options)), "Correct it."
        )
    return frequent == "yes", pattern


def _entries(files: Sequence[Path]) -> list[tuple[PrositeEntry, str]]:
    """Read all entries with the release of their file, refusing one that comes twice."""
    found: dict[str, tuple[PrositeEntry, str, Path]] = {}
    for path in files:
        try:
            entries, release = read_entries(path)
        except (OSError, EOFError) as error:
            raise unreadable(path, error) from error
        for entry in entries:
            if entry.accession in found:
                other, _, where = found[entry.accession]
                raise AnnotationError(
                    f"one entry {entry.accession}",
                    f"two, at line {other.line} of {where} and line {entry.line} of {path}",
                    "Remove one.",
                )
            found[entry.accession] = (entry, release, path)
    return [(entry, release) for entry, release, _ in found.values()]


def _report(entries: Sequence[PrositeEntry], frequent: bool) -> None:
    profiles = sum(e.type != "PATTERN" for e in entries)
    skipped = 0 if frequent else sum(e.skip and e.type == "PATTERN" for e in entries)
    if profiles:
        _log.warning("%d of %d entries are profiles: not searched", profiles, len(entries))
    if skipped:
        _log.warning("%d patterns with /SKIP-FLAG left out (frequent=yes takes them)", skipped)


def _table(
    wanted: Sequence[tuple[PrositeEntry, str]],
    patterns: Mapping[str, Pattern],
    proteins: Sequence[Protein],
) -> AnnotationTable:
    from bio_interp.annotations import AnnotationTable

    rows = [
        {
            "accession": protein.accession,
            "start": start,
            "end": end,
            "concept": f"prosite:{accession}",
            "evidence": EVIDENCE,
            "source": "prosite",
        }
        for protein in proteins
        for accession, pattern in patterns.items()
        for start, end in pattern.find(protein.sequence)
    ]
    coverage = [
        {
            "accession": protein.accession,
            "start": 1,
            "end": len(protein),
            "kind": "prosite",
            "state": "looked",
            "source": "prosite",
        }
        for protein in proteins
    ]
    concepts = [_concept(entry, release) for entry, release in wanted]
    return AnnotationTable.from_records(rows, coverage, concepts)


def _concept(entry: PrositeEntry, release: str) -> dict[str, object]:
    return {
        "concept": f"prosite:{entry.accession}",
        "name": f"{entry.name} ({entry.description})" if entry.description else entry.name,
        "kind": "prosite",
        "level": "span",
        "world": "closed",
        "source": "prosite",
        "release": release,
        "members": [],
        "xrefs": [entry.documentation] if entry.documentation else [],
    }
