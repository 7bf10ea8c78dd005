"""UniProt REST JSON: one entry, ``{"results": [...]}``, a list, or one entry a line.

A long list is read entry by entry; the file is never held as a whole.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from bio_interp_uniprot._entry import (
    LONGEST_ENTRY,
    UNKNOWN,
    Entry,
    Feature,
    Place,
    Position,
    read_kind,
    read_position,
)

_DECODER = json.JSONDecoder()


def read_json(lines: Iterable[str], file: str) -> Iterator[Entry]:
    """Read the entries of a UniProt JSON file, one at a time.

    Raises
    ------
    AnnotationError
        The JSON is broken, or an entry in it.
    """
    for line, content in _objects(_Text(lines, file)):
        place = Place(file, line)
        if not isinstance(content, dict) or not isinstance(content.get("primaryAccession"), str):
            place.fail("UniProt entries with a primaryAccession", repr(content)[:60])
        if content.get("entryType") != "Inactive":
            try:
                yield _entry(content, place)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                accession = content["primaryAccession"]
                place.fail(
                    "an entry as UniProt's REST service gives it", f"{accession} ({error!r})"
                )


class _Text:
    """Text that arrives line by line, with a window that moves over it."""

    def __init__(self, lines: Iterable[str], file: str) -> None:
        self.buffer, self.line, self.file = "", 1, file
        self._lines = iter(lines)

    def more(self) -> bool:
        """Read at least as much again as there is; False at the end of the file."""
        parts, wanted = [self.buffer], max(len(self.buffer), 1 << 16)
        while wanted > 0 and (line := next(self._lines, "")):
            parts.append(line)
            wanted -= len(line)
        self.buffer = "".join(parts)
        return len(parts) > 1

    def drop(self, count: int) -> None:
        self.line += self.buffer.count("\n", 0, count)
        self.buffer = self.buffer[count:]

    def peek(self) -> str:
        """Skip white space and give the next character, ``""`` at the end."""
        while True:
            self.drop(len(self.buffer) - len(self.buffer.lstrip()))
            if self.buffer or not self.more():
                return self.buffer[:1]

    def value(self) -> Any:
        """Take one JSON value."""
        self.peek()
        while True:
            try:
                content, used = _DECODER.raw_decode(self.buffer)
            except json.JSONDecodeError as error:
                if len(self.buffer) < LONGEST_ENTRY and self.more():
                    continue
                line = self.line + error.lineno - 1
                Place(self.file, line).fail("well-formed JSON", error.msg)
            except (RecursionError, ValueError) as error:  # brackets, or a number, without end
                Place(self.file, self.line).fail("JSON that can be read", str(error))
            self.drop(used)
            return content

    def skip(self, wanted: str) -> bool:
        """Take the next character if it is `wanted`."""
        if self.peek() != wanted:
            return False
        self.drop(1)
        return True


def _objects(text: _Text) -> Iterator[tuple[int, Any]]:
    while text.peek():
        if text.skip("["):
            yield from _items(text)
        elif _starts_results(text):
            yield from _items(text)
            while not text.skip("}"):  # what may follow the results
                if not text.skip(",") and not text.skip(":"):
                    text.value()
        else:
            line = text.line
            yield line, text.value()


def _starts_results(text: _Text) -> bool:
    text.more()
    head = "".join(text.buffer[:200].split())
    if not head.startswith('{"results":['):
        return False
    text.drop(text.buffer.index("[") + 1)
    return True


def _items(text: _Text) -> Iterator[tuple[int, Any]]:
    while not text.skip("]"):
        text.peek()
        line = text.line
        yield line, text.value()
        if text.peek() not in ",]" or not text.peek():
            Place(text.file, text.line).fail("',' or ']' after an entry", repr(text.buffer[:20]))
        text.skip(",")


def _entry(content: dict[str, Any], place: Place) -> Entry:
    accession = content["primaryAccession"]
    kind = str(content.get("entryType", ""))
    source = "uniprot"
    if "Swiss-Prot" in kind:
        source = "uniprot:swissprot"
    elif "TrEMBL" in kind:
        source = "uniprot:trembl"
    features = [
        _feature(feature, number, accession, place)
        for number, feature in enumerate(content.get("features", ()), start=1)
    ]
    sequence = _string(content.get("sequence", {}), "value")
    return Entry(accession, source, place, sequence, len(sequence), features)


def _feature(content: dict[str, Any], number: int, accession: str, place: Place) -> Feature:
    record = f"feature {number} ({content.get('type')!r}) of {accession}"
    try:
        location, ligand = content["location"], content.get("ligand") or {}
        evidences = content.get("evidences", ())
        return Feature(
            read_kind(str(content["type"]), place, record),
            _position(location["start"], "<", place, record),
            _position(location["end"], ">", place, record),
            note=_string(content, "description"),
            ligands=((_string(ligand, "name"), _string(ligand, "id")),) if ligand else (),
            evidence=tuple(dict.fromkeys(_string(e, "evidenceCode") for e in evidences)),
            isoform=_isoform(location, accession),
            line=place.line,
        )
    except (KeyError, TypeError, AttributeError) as error:
        place.fail("a feature with type, location, start and end", f"{record} ({error!r})")


def _string(content: dict[str, Any], key: str) -> str:
    value = content.get(key, "")
    if not isinstance(value, str):
        raise TypeError(f"{key} is {value!r:.60}, not a text")
    return value


def _isoform(location: dict[str, Any], accession: str) -> str:
    sequence = _string(location, "sequence")
    return "" if sequence == accession else sequence


def _position(content: dict[str, Any], outside: str, place: Place, record: str) -> Position:
    modifiers = {"EXACT": "", "OUTSIDE": outside, "UNSURE": "?", "UNKNOWN": "?"}
    modifier = modifiers.get(content.get("modifier", "EXACT"))
    if modifier is None:
        place.fail(f"a modifier of {', '.join(modifiers)}", f"{content['modifier']!r} in {record}")
    value = content.get("value")
    if value is None or content.get("modifier") == "UNKNOWN":
        return UNKNOWN
    return read_position(f"{modifier}{value}", place, record)
