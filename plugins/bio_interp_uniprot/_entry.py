"""One entry of UniProtKB, as every reader of this package gives it."""

import re
from dataclasses import dataclass, field
from typing import NoReturn

from bio_interp.errors import AnnotationError
from bio_interp_uniprot._kinds import ALL_KINDS, kind_of

# nine digits: what a column of 32 bits holds
_POSITION = re.compile(r"([<>?]?)([0-9]{0,9})(?:\.0+)?")
_LENGTH = re.compile(r"[0-9]{1,9}")
_ECO = re.compile(r"ECO:\d{7}")
# until 2014 the evidence stood in words; UniProt translated them to these codes
STATUS_CODES = {
    "by similarity": "ECO:0000250",
    "potential": "ECO:0000255",
    "probable": "ECO:0000305",
}

LONGEST_ENTRY = 1 << 27  # characters; titin's has 6 million as JSON


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file, for messages: ``line`` from 1 is the start of the entry or record."""

    file: str
    line: int

    def fail(self, wanted: str, got: str, todo: str = "Fetch the file again.") -> NoReturn:
        """Raise an `AnnotationError` that names the file and line."""
        raise AnnotationError(wanted, f"{got} (line {self.line} of {self.file})", todo)


@dataclass(frozen=True, slots=True)
class Position:
    """One end of a feature: ``value`` from 1 (None: unknown), ``modifier`` of ``"" < > ?``.

    ``<`` and ``>``: the feature goes on beyond the end of this fragment; ``?`` with a value: an
    unsure position; ``?`` without: unknown.
    """

    value: int | None
    modifier: str = ""

    def __str__(self) -> str:
        return f"{self.modifier}{'' if self.value is None else self.value}"


UNKNOWN = Position(None, "?")


@dataclass(frozen=True, slots=True)
class Feature:
    """One line of a feature table.

    Attributes
    ----------
    kind
        Keyword of the flat file, such as ``"ACT_SITE"``.
    start, end
        Both ends, as written.
    note
        The description, without evidence.
    ligands
        Of binding sites since 2022: pairs (name, ChEBI id or ``""``).
    evidence
        ECO codes, in the order of the file.
    isoform
        The other sequence that the positions count in (``"P12345-2"``), or ``""``.
    line
        Line in the file; of its entry in JSON.
    """

    kind: str
    start: Position
    end: Position
    note: str = ""
    ligands: tuple[tuple[str, str], ...] = ()
    evidence: tuple[str, ...] = ()
    isoform: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = str(self.start) if self.start == self.end else f"{self.start}..{self.end}"
        return f"{self.kind} {self.isoform + ':' if self.isoform else ''}{place}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One protein with its feature table.

    Attributes
    ----------
    accession
        Primary accession.
    source
        ``"uniprot:swissprot"``, ``"uniprot:trembl"``, or ``"uniprot"`` where the file does not say.
    place
        File and first line.
    sequence
        ``""`` where the file has none.
    length
        Number of residues; 0 where the file does not say.
    features
        In the order of the file.
    kinds
        Keywords that the file was made to show; all but in tables with chosen columns.
    """

    accession: str
    source: str
    place: Place
    sequence: str = ""
    length: int = 0
    features: list[Feature] = field(default_factory=list[Feature])
    kinds: frozenset[str] = frozenset(ALL_KINDS)


def read_position(text: str, place: Place, record: str) -> Position:
    """Read one end of a feature: ``12``, ``<1``, ``>35``, ``?``, ``?12``, ``12.0``."""
    match = _POSITION.fullmatch(text)
    if not match or (not match[2] and match[1] != "?") or (match[2] and int(match[2]) < 1):
        place.fail("a position from 1, such as 12, <1, >35, ? or ?12", f"{text[:60]!r} in {record}")
    return Position(int(match[2]) if match[2] else None, match[1])


def read_length(text: str, place: Place, record: str) -> int:
    """Read a number of residues."""
    if not _LENGTH.fullmatch(text):
        place.fail(f"a number of residues in {record}", repr(text[:60]))
    return int(text)


def read_location(text: str, place: Place, record: str) -> tuple[Position, Position, str]:
    """Read ``12``, ``3..49`` or ``P12345-2:3..49`` as both ends and the isoform."""
    isoform, _, span = text.rpartition(":")
    first, dots, last = span.partition("..")
    start = read_position(first, place, record)
    return start, read_position(last, place, record) if dots else start, isoform


def read_kind(name: str, place: Place, record: str) -> str:
    """Find the keyword of a kind of feature, or fail."""
    kind = kind_of(name)
    if kind is None:
        place.fail("a kind of UniProt feature", f"{name!r} in {record}", "Correct the kind.")
    return kind


def eco_codes(text: str) -> tuple[str, ...]:
    """List the ECO codes of a text in its order, each once."""
    return tuple(dict.fromkeys(_ECO.findall(text)))
