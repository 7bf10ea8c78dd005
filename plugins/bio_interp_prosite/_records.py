"""Read the entries of ``prosite.dat``."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bio_interp.errors import AnnotationError, InputError
from bio_interp.sequences import bounded_lines, open_plain

_ID = re.compile(r"(?P<name>\S+); (?P<type>PATTERN|MATRIX|RULE)\.?")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_RELEASE = re.compile(r"\bRelease\s+([\w.]+\d)")


@dataclass(slots=True)
class PrositeEntry:
    """One entry of ``prosite.dat``.

    Attributes
    ----------
    name, type
        Of the ID line; ``type`` is ``PATTERN``, ``MATRIX`` (a profile) or ``RULE``.
    line, file
        Line of the ID line, from 1, and its file.
    accession, description, pattern, documentation
        Of the AC, DE, PA and DO lines, without the final point; ``""`` where there is none.
    skip
        Whether the entry carries ``/SKIP-FLAG=TRUE``: its pattern occurs so often that most
        matches mean nothing.
    """

    name: str
    type: str
    line: int
    accession: str = ""
    description: str = ""
    pattern: str = ""
    documentation: str = ""
    skip: bool = False
    file: str = field(default="", compare=False)


@dataclass(slots=True)
class _Reader:
    path: Path
    release: str = ""
    entry: PrositeEntry | None = None
    entries: list[PrositeEntry] = field(default_factory=list)

    def feed(self, number: int, line: str) -> None:
        code, content = line[:2], line[5:].strip()
        if line.startswith("//"):
            self._finish(number)
        elif code == "ID":
            self._begin(number, content)
        elif self.entry is None:
            if found := _RELEASE.search(line):
                self.release = found[1]
            elif code not in ("CC", "") and line.strip():
                raise self._error("an ID line first", number, line)
        else:
            _fill(self.entry, code, content)

    def _begin(self, number: int, content: str) -> None:
        match = _ID.fullmatch(content)
        if match is None or self.entry is not None:
            what = "the end (//) of an entry first" if match else "'NAME; PATTERN.' or MATRIX, RULE"
            raise self._error(what, number, f"ID   {content}")
        self.entry = PrositeEntry(match["name"], match["type"], number, file=str(self.path))

    def _finish(self, number: int) -> None:
        entry, self.entry = self.entry, None
        if entry is None:
            return
        if not re.fullmatch(r"PS\d{5}", entry.accession):
            what = f"entry {entry.name} with accession {entry.accession!r}"
            raise self._error("an accession such as PS00001 (AC line)", number, what)
        if entry.type == "PATTERN" and not entry.pattern:
            what = f"{entry.accession} without one"
            raise self._error("a pattern (PA line) in a PATTERN entry", number, what)
        self.entries.append(entry)

    def end(self, number: int) -> None:
        if self.entry is not None:
            what = f"the end of the file within {self.entry.accession or self.entry.name}"
            raise self._error("the end of the entry (//)", number, what)

    def _error(self, wanted: str, number: int, got: str) -> AnnotationError:
        return AnnotationError(
            wanted, f"{got.strip()!r} at line {number} of {self.path}", "Check the file."
        )


def read_entries(path: Path) -> tuple[list[PrositeEntry], str]:
    """Read all entries of a PROSITE file: plain, gzip or zstandard.

    Returns
    -------
    entries : list of PrositeEntry
        In file order.
    release : str
        As named in the file's head; ``""`` where it is not.

    Raises
    ------
    AnnotationError
        An entry has no accession, no pattern or no end; the message names the file and line.
    """
    reader, number = _Reader(path), 0
    for number, line in _lines(path):
        reader.feed(number, line)
    reader.end(number)
    return reader.entries, reader.release


def is_prosite(path: Path, size: int = 65_536) -> bool:
    """Tell, from its first bytes, whether a file holds PROSITE entries."""
    start: list[str] = []
    try:
        for _, line in _lines(path):
            start.append(line)
            if line.startswith("ID ") or sum(map(len, start)) > size:
                break
    except (OSError, EOFError, InputError):
        return False
    return bool(start) and _ID.fullmatch(start[-1][5:].strip()) is not None


def unreadable(path: Path, error: Exception) -> AnnotationError:
    """Say that a file cannot be read at all."""
    return AnnotationError("a readable PROSITE file", f"{path}: {error}", "Check the path.")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with open_plain(path) as plain:
        text = io.TextIOWrapper(plain, encoding="latin-1")
        for number, line in enumerate(bounded_lines(text, str(path)), 1):
            # names become names of concepts, which are printed
            yield number, _CONTROLS.sub("\ufffd", line)


def _fill(entry: PrositeEntry, code: str, content: str) -> None:
    if code == "AC":
        entry.accession = content.rstrip(";")
    elif code == "DE":
        entry.description = f"{entry.description} {content}".strip().removesuffix(".")
    elif code == "PA":
        entry.pattern += content
    elif code == "DO":
        entry.documentation = content.rstrip(";")
    elif code == "CC" and re.search(r"/SKIP-FLAG=TRUE", content):
        entry.skip = True
