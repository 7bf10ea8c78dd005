"""Reads names and sequences of Swiss-Prot flat records."""

import re
from collections.abc import Iterable, Iterator

from bio_interp.errors import SequenceError
from bio_interp.sequences._plain import LONGEST
from bio_interp.sequences._record import Record, too_large
from bio_interp.sequences._source import decode, printable

_EVIDENCE = re.compile(r"\s*\{ECO:[^}]*\}")
_Lines = list[tuple[int, str]]


def swissprot_records(lines: Iterable[tuple[int, str]], name: str) -> Iterator[Record]:
    """Group numbered lines into records at ``//``.

    Raises
    ------
    SequenceError
        A record without accession, sequence or end, or of another length than it says.
    """
    entry: _Lines = []
    size = 0
    for number, line in lines:
        size += len(line)
        if size > LONGEST:
            raise too_large(f"the record before line {number} of {name}")
        if line.startswith("//"):
            if entry:
                yield _record(entry, name)
            entry, size = [], 0
        elif line.startswith("ID   ") and entry:
            raise _broken("no '//' at its end", entry, name)
        elif entry or line.strip():
            entry.append((number, line))
    if entry:
        raise _broken("no '//' at its end: the file was cut", entry, name)


def _record(entry: _Lines, name: str) -> Record:
    at = next((i for i, (_, line) in enumerate(entry) if line.startswith("SQ   ")), None)
    accession = next((line[5:].split(";")[0].strip() for _, line in entry if _is_ac(line)), "")
    if not accession:
        raise _broken("no accession (AC line)", entry, name)
    if not accession.isprintable():
        raise _broken(f"the accession {accession[:60]!r}", entry, name)
    if at is None:
        raise _broken("no sequence (SQ line)", entry, name)
    number, header = entry[at]
    for place, line in entry[at + 1 :]:
        if not line.startswith(" ") and line.strip():
            raise _broken(f"line {place} among its sequence lines", entry, name)
    parts = [line.rstrip() for _, line in entry[at + 1 :]]
    record = Record(accession, _description(entry), name, entry[0][0], number + 1, parts)
    said = re.match(r"SQ   SEQUENCE\s+(\d+) AA", header)
    found = len("".join("".join(parts).split()))
    if said and found and int(said[1]) != found:
        raise _broken(f"{found} residues where line {number} says {said[1]}", entry, name)
    return record


def _is_ac(line: str) -> bool:
    return line.startswith("AC   ") and bool(line[5:].strip(" ;\n"))


def _description(entry: _Lines) -> str:
    """Take the recommended (or submitted) name, or all DE lines of old releases."""
    lines = [printable(decode(line[5:]).strip()) for _, line in entry if line.startswith("DE   ")]
    for line in lines:
        full = re.match(r"(?:RecName|SubName): Full=(.*)", line)
        if full:
            return _EVIDENCE.sub("", full[1]).rstrip(";")
    return " ".join(" ".join(lines).split())


def _broken(what: str, entry: _Lines, name: str) -> SequenceError:
    number, line = entry[0]
    words = line.split()
    label = words[1] if len(words) > 1 else words[0]
    return SequenceError(
        "a whole Swiss-Prot record (ID, AC, SQ, sequence, '//')",
        f"{label} (line {number} of {name}) with {what}",
        "Download the record again, or remove it.",
    )
