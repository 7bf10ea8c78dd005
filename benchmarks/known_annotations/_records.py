"""Symbols along sequences, turned into annotations and the stretches where anyone looked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from bio_interp.annotations import AnnotationTable

LETTERS = frozenset("ACDEFGHIKLMNPQRSTVWYUOBZXJ")
SHORTEST = 20
Level = Literal["span", "residue"]


@dataclass(frozen=True)
class Concept:
    """One label: its symbols in the source, and how it is compared."""

    concept: str
    name: str
    symbols: str
    level: Level = "span"  # "residue": each residue is an annotation of its own


@dataclass(frozen=True)
class Record:
    """One sequence with a symbol a residue; ``-`` where nothing is known."""

    accession: str
    sequence: str
    symbols: str


def usable(records: Iterable[Record]) -> tuple[list[Record], dict[str, int]]:
    """Keep records with known letters, a symbol a residue and something known, each sequence once.

    Examples
    --------
    >>> good = Record("a", "MKTAY" * 4, "H" * 20)
    >>> kept, left = usable([good, Record("b", "MKTAY" * 4, "H" * 20), Record("c", "MK", "H")])
    >>> [r.accession for r in kept], left["same sequence"], left["lengths differ"]
    (['a'], 1, 1)
    """
    kept = dict[str, Record]()
    left = dict.fromkeys(("lengths differ", "other letters", "too short", "same sequence"), 0)
    left["nothing known"] = 0
    for record in records:
        if len(record.sequence) != len(record.symbols):
            left["lengths differ"] += 1
        elif not set(record.sequence) <= LETTERS:
            left["other letters"] += 1
        elif len(record.sequence) < SHORTEST:
            left["too short"] += 1
        elif set(record.symbols) <= {"-"}:
            left["nothing known"] += 1
        elif record.sequence in kept:
            left["same sequence"] += 1
        else:
            kept[record.sequence] = record
    return list(kept.values()), left


def merged(one: str, other: str) -> str:
    """Take the symbols of one, and of the other where nothing is known.

    Examples
    --------
    >>> merged("HH--", "--E-")
    'HHE-'
    """
    return "".join(b if a == "-" else a for a, b in zip(one, other, strict=True))


def make_table(
    records: Sequence[Record], concepts: Sequence[Concept], *, world: str = "closed"
) -> AnnotationTable:
    """Turn symbols into annotations, and their stretches into coverage.

    Examples
    --------
    >>> what = Concept("toy:H", "helix", "H")
    >>> table = make_table([Record("P1", "MKTAY", "HH-CH")], [what])
    >>> table.rows.select("start", "end").rows(), table.coverage.select("start", "end").rows()
    ([(1, 2), (5, 5)], [(1, 2), (4, 5)])
    """
    kind = concepts[0].concept if world == "open" else concepts[0].concept.split(":")[0]
    rows, coverage = list[dict[str, Any]](), list[dict[str, Any]]()
    for record in records:
        place = {"accession": record.accession, "source": kind}
        for start, end in _runs([s != "-" for s in record.symbols]):
            coverage.append({**place, "start": start, "end": end, "kind": kind, "state": "looked"})
        for one in concepts:
            for start, end in _spans(one, record.symbols):
                found = {"start": start, "end": end, "concept": one.concept, "evidence": ""}
                rows.append(place | found)
    names = [
        {"concept": c.concept, "name": c.name, "kind": kind, "level": c.level, "world": world}
        for c in concepts
    ]
    return AnnotationTable.from_records(rows, coverage, names)


def _spans(what: Concept, symbols: str) -> list[tuple[int, int]]:
    runs = _runs([s in what.symbols for s in symbols])
    if what.level == "span":
        return runs
    return [(at, at) for start, end in runs for at in range(start, end + 1)]


def _runs(on: Sequence[bool]) -> list[tuple[int, int]]:
    """Find the stretches that are on; positions from 1, ends inside."""
    found, at = list[tuple[int, int]](), 1
    for value, group in groupby(on):
        length = len(list(group))
        if value:
            found.append((at, at + length - 1))
        at += length
    return found
