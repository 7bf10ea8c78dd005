"""Reads FASTA records."""

import re
from collections.abc import Iterable, Iterator

from bio_interp.errors import SequenceError
from bio_interp.sequences._plain import LONGEST
from bio_interp.sequences._record import Record, too_large
from bio_interp.sequences._source import decode, printable

_UNIPROT = re.compile(r"(?:sp|tr)\|([^|]+)(?:\||$)")


def fasta_records(lines: Iterable[tuple[int, str]], name: str) -> Iterator[Record]:
    """Group numbered lines, the first of which is a header, into records."""
    record: Record | None = None
    size = 0
    for number, line in lines:
        if line.startswith(">"):
            if record:
                yield record
            accession, description = _split_header(line, number, name)
            record = Record(accession, description, name, number, number + 1, [])
            size = 0
        elif record:
            size += len(line)
            if size > LONGEST:
                raise too_large(f"{record.accession} (line {record.line} of {name})")
            record.parts.append(line.rstrip())
    if record:
        yield record


def _split_header(line: str, number: int, name: str) -> tuple[str, str]:
    """Split a header into accession and description.

    Whitespace in the description becomes single spaces, so that it fits a cell of a table, and
    any other control character U+FFFD, so that none reaches a terminal.
    """
    words = decode(line[1:]).split()
    if not words:
        raise SequenceError(
            "a name after '>'", f"none at line {number} of {name}", "Name the record."
        )
    if "\ufffd" in words[0]:
        raise SequenceError(
            "the name of a record in ASCII or UTF-8",
            f"{words[0][:60]!r} at line {number} of {name}",
            "Save the file as UTF-8, or rename the record.",
        )
    if not words[0].isprintable():
        shown = repr(words[0][:60])
        raise SequenceError(
            "the name of a record in printable characters",
            f"{shown} at line {number} of {name}",
            "Rename the record.",
        )
    uniprot = _UNIPROT.match(words[0])
    return uniprot[1] if uniprot else words[0], printable(" ".join(words[1:]))
