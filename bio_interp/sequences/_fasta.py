"""Reads FASTA records."""

import re
from collections.abc import Iterable, Iterator

from bio_interp.errors import SequenceError
from bio_interp.sequences._record import Record
from bio_interp.sequences._source import decode

_UNIPROT = re.compile(r"(?:sp|tr)\|([^|]+)(?:\||$)")


def fasta_records(lines: Iterable[tuple[int, str]], name: str) -> Iterator[Record]:
    """Group numbered lines, the first of which is a header, into records."""
    record: Record | None = None
    for number, line in lines:
        if line.startswith(">"):
            if record:
                yield record
            accession, description = _split_header(line, number, name)
            record = Record(accession, description, name, number, number + 1, [])
        elif record:
            record.parts.append(line.rstrip())
    if record:
        yield record


def _split_header(line: str, number: int, name: str) -> tuple[str, str]:
    """Split a header into accession and description.

    Whitespace in the description becomes single spaces, so that it fits a cell of a table.
    """
    words = decode(line[1:]).split()
    if not words:
        raise SequenceError(
            "a name after '>'", f"none at line {number} of {name}", "Name the record."
        )
    if "\ufffd" in words[0]:
        raise SequenceError(
            "the name of a record in ASCII or UTF-8",
            f"{words[0]!r} at line {number} of {name}",
            "Save the file as UTF-8, or rename the record.",
        )
    uniprot = _UNIPROT.match(words[0])
    return uniprot[1] if uniprot else words[0], " ".join(words[1:])
