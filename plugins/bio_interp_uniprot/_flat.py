"""Flat files of UniProtKB: the syntax since 2019, the one before, and those of the 1990s.

Release notes: https://www.uniprot.org/release-notes/2019-12-18-release (feature table).
"""

import re
from collections.abc import Iterable, Iterator

from bio_interp_uniprot._entry import (
    LONGEST_ENTRY,
    STATUS_CODES,
    Entry,
    Feature,
    Place,
    eco_codes,
    read_kind,
    read_length,
    read_location,
    read_position,
)

_ID = re.compile(r"ID   (\S+)\s+([A-Za-z_]+);.*?(\d+) AA\.")
_SOURCES = {
    "Reviewed": "uniprot:swissprot",
    "STANDARD": "uniprot:swissprot",
    "Unreviewed": "uniprot:trembl",
    "PRELIMINARY": "uniprot:trembl",
    "IPI": "uniprot",
}
_QUALIFIER = re.compile(r"/([a-z_]+)=(.*)")
_OLD_ID = re.compile(r"\s*/FTId=\S+$")
_OLD_STATUS = re.compile(rf"\s*\(?\b({'|'.join(STATUS_CODES)})\)?\.?$", re.IGNORECASE)
_OLD_EVIDENCE = re.compile(r"\s*\{ECO:[^}]*\}\.?$")


def read_flat(lines: Iterable[str], file: str) -> Iterator[Entry]:
    """Read the entries of a flat file, one at a time.

    Raises
    ------
    AnnotationError
        A line is broken or the file ends within an entry.
    """
    record: list[tuple[int, str]] = []
    size = 0
    for number, line in enumerate(lines, start=1):
        text = line.rstrip()
        size += len(text)
        if size > LONGEST_ENTRY:
            Place(file, number).fail(f"entries of at most {LONGEST_ENTRY:,} characters", "more")
        if text.startswith("//"):
            yield _entry(record, Place(file, record[0][0] if record else number))
            record, size = [], 0
        elif text:
            record.append((number, text))
    if record:
        Place(file, record[-1][0]).fail(
            "an entry that ends with '//'",
            f"the end of the file within the entry {record[0][1][5:].split(' ')[0]!r}",
        )


def _entry(record: list[tuple[int, str]], place: Place) -> Entry:
    head = record[0][1] if record else "//"
    match = _ID.match(head)
    if not match or match[2] not in _SOURCES:
        place.fail(
            "an entry that starts with 'ID   NAME   Reviewed;   172 AA.' or 'Unreviewed'",
            repr(head),
            "Correct the ID line, or fetch the file again.",
        )
    accession = next((text[5:].split(";")[0] for _, text in record if text[:5] == "AC   "), "")
    if not accession:
        place.fail("an entry with an AC line", f"none in {match[1]}")
    sequence = "".join(text.replace(" ", "") for _, text in record if text[:5] == "     ")
    length = read_length(match[3], place, f"the ID line of {accession}")
    if sequence and len(sequence) != length:
        place.fail(
            f"{length} residues in {accession}, as its ID line says",
            f"a sequence of {len(sequence)}",
        )
    table = [(n, text) for n, text in record if text[:5] == "FT   "]
    features = list(_features(table, place.file, accession))
    return Entry(accession, _SOURCES[match[2]], place, sequence, length, features)


def _features(table: list[tuple[int, str]], file: str, accession: str) -> Iterator[Feature]:
    blocks: list[list[tuple[int, str]]] = []
    for number, text in table:
        if text[5:6] != " ":
            blocks.append([(number, text)])
        elif blocks:
            blocks[-1].append((number, text))
        else:
            Place(file, number).fail(
                f"a feature of {accession} that starts with its kind in column 6", repr(text)
            )
    for block in blocks:
        place = Place(file, block[0][0])
        words = block[0][1][5:].split(maxsplit=3)
        if len(words) < 2:
            place.fail(f"a feature of {accession} with a position", repr(block[0][1]))
        read = _new_feature if len(words) == 2 else _old_feature
        yield read(words, [text for _, text in block], place, accession)


def _new_feature(words: list[str], block: list[str], place: Place, accession: str) -> Feature:
    record = f"{words[0]} {words[1]} of {accession}"
    kind = read_kind(words[0], place, record)
    start, end, isoform = read_location(words[1], place, record)
    values = _qualifiers(block[1:], place, record)
    ligand = values.get("ligand", "")
    return Feature(
        kind,
        start,
        end,
        note=values.get("note", ""),
        ligands=((ligand, values.get("ligand_id", "")),) if ligand else (),
        evidence=eco_codes(values.get("evidence", "")),
        isoform=isoform,
        line=place.line,
    )


def _qualifiers(lines: list[str], place: Place, record: str) -> dict[str, str]:
    values: dict[str, str] = {}
    name = ""
    for text in lines:
        match = _QUALIFIER.match(text[21:])
        if match:
            name = match[1]
            values[name] = match[2]
        elif name:
            values[name] = join_wrapped(values[name], text[21:].strip())
        else:
            place.fail(f"qualifiers such as /note= in {record}", repr(text))
    for name, value in values.items():
        if len(value) < 2 or value[0] != '"' or value[-1] != '"':
            place.fail(f'a /{name}="..." with both quotes in {record}', repr(value))
    return {name: value[1:-1].replace('""', '"') for name, value in values.items()}


def _old_feature(words: list[str], block: list[str], place: Place, accession: str) -> Feature:
    record = f"{words[0]} {words[1]} {words[2]} of {accession}"
    kind = read_kind(words[0], place, record)
    note = words[3] if len(words) > 3 else ""
    for text in block[1:]:
        note = join_wrapped(note, text[5:].strip())
    note, evidence = split_old_note(note)
    start = read_position(words[1], place, record)
    end = read_position(words[2], place, record)
    return Feature(kind, start, end, note=note, evidence=evidence, line=place.line)


def split_old_note(note: str) -> tuple[str, tuple[str, ...]]:
    """Part the description of the old syntax from the evidence at its end.

    Examples
    --------
    >>> split_old_note("Phosphoserine (By similarity).")
    ('Phosphoserine', ('ECO:0000250',))
    >>> split_old_note("Helical; Name=1; (Potential).")
    ('Helical; Name=1', ('ECO:0000255',))
    """
    text = _OLD_ID.sub("", note).strip()
    codes = eco_codes(text)
    text = _OLD_EVIDENCE.sub("", text)
    status = _OLD_STATUS.search(text)
    if status and (status.start() == 0 or "(" in status[0]):
        text = text[: status.start()]
        codes = codes or (STATUS_CODES[status[1].lower()],)
    return text.removesuffix(".").rstrip("; "), codes


def join_wrapped(first: str, rest: str) -> str:
    """Join a wrapped line: a hyphen at its end joins, unless a list goes on (``Lys-`` ``and``)."""
    if not first:
        return rest
    hyphen = first.endswith("-") and not first.endswith(" -")
    return first + rest if hyphen and not rest.startswith(("and ", "or ")) else f"{first} {rest}"
