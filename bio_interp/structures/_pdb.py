"""Structures from the PDB format: ATOM, DBREF, SEQADV, REMARK 465, SITE.

Columns: https://www.wwpdb.org/documentation/file-format-content/format33/v3.3.html.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import gemmi

from bio_interp.errors import StructureError
from bio_interp.structures._build import build_models
from bio_interp.structures._components import component
from bio_interp.structures._mmcif import disulfides
from bio_interp.structures._records import ChainRecords, attach, gather_sites, whole
from bio_interp.structures._structure import (
    Chain,
    Difference,
    Reference,
    ResidueId,
    Site,
    Structure,
)

_MISSING = re.compile(r"^REMARK 465 +(?:\d+ +)?([A-Z0-9]{1,3}) (.) *(-?\d+)([A-Z]?)\s*$")
_REACH = 100_000  # residues further than this from any that was resolved are no residues


def read_pdb(content: bytes, name: str) -> Structure:
    """Read a file of the PDB format.

    Raises
    ------
    StructureError
        A line of an atom is cut or has coordinates that are no numbers; or the end is missing.
    """
    lines = content.decode("latin-1").splitlines()
    _check_atoms(lines, name)
    _check_end(lines, name)
    parsed = gemmi.read_pdb_string(content)
    records = _PdbRecords(lines)
    models = attach(build_models(parsed), records)
    title = _joined(lines, "TITLE ")
    method = ", ".join(m.strip().lower() for m in _joined(lines, "EXPDTA").split(";") if m.strip())
    return Structure(
        dict(parsed.info.items()).get("_entry.id") or name,
        models,
        method=method,
        resolution=parsed.resolution or None,
        predicted="theoretical model" in method or title.upper().startswith("ALPHAFOLD"),
        disulfides=disulfides(parsed),
        sites=_sites(lines),
    )


def _joined(lines: Sequence[str], record: str) -> str:
    return " ".join(line[10:].strip() for line in lines if line.startswith(record))


def _check_atoms(lines: Sequence[str], name: str) -> None:
    for number, line in enumerate(lines, 1):
        if line.startswith(("ATOM  ", "HETATM")):
            try:
                for start in (30, 38, 46):
                    float(line[start : start + 8])
            except ValueError as error:
                raise StructureError(
                    "three coordinates in columns 31 to 54 of an atom",
                    f"line {number} of {name}: {line[:54]!r}",
                    "Get the file again; it is cut or damaged.",
                ) from error


def _check_end(lines: Sequence[str], name: str) -> None:
    """Find files cut between two lines: those of the PDB and AlphaFold DB end with END."""
    last = next((line for line in reversed(lines) if line.strip()), "")
    if lines and lines[0].startswith("HEADER") and not last.startswith("END"):
        raise StructureError(
            "END as the last line of a file that starts with HEADER",
            f"{last[:60]!r} at the end of {name}",
            "Get the file again; it is cut.",
        )


class _Dbref(NamedTuple):
    chain: str
    start: tuple[int, str]
    end: tuple[int, str]
    database: str
    accession: str
    first: int
    last: int


class _PdbRecords:
    def __init__(self, lines: Sequence[str]) -> None:
        self.dbrefs = list(_dbrefs(lines))
        self.changes = list(_seqadv(lines))
        self.missing: dict[str, list[tuple[str, int, str]]] = defaultdict(list)
        for line in lines:
            if line.startswith("REMARK 465") and (found := _MISSING.match(line)):
                self.missing[found[2].strip()].append((found[1], int(found[3]), found[4]))

    def of(self, chain: Chain) -> ChainRecords:
        authors = self._authors(chain)
        places = {
            residue.label_seq: authors.get(residue.label_seq, (residue.author, residue.insertion))
            for residue in chain.residues
        }
        labels = {place: label for label, place in places.items() if place[0] is not None}
        references = [
            Reference(ref.accession, ref.database, "dbref", start, end, ref.first, ref.last)
            for ref in self.dbrefs
            if ref.chain == chain.name
            and (start := _label(ref.start, labels, len(chain)))
            and (end := _label(ref.end, labels, len(chain)))
        ]
        differences = [
            replace(change, label_seq=labels.get((change.author, change.insertion)))
            for name, change in self.changes
            if name == chain.name
        ]
        return ChainRecords(references, differences, authors)

    def _authors(self, chain: Chain) -> dict[int, tuple[int, str]]:
        """Give missing residues the numbers of REMARK 465, where it lists just these."""
        lacking = [residue for residue in chain.residues if residue.author is None]
        listed = list(dict.fromkeys(self.missing.get(chain.name, ())))  # once, not once a model
        if [residue.name for residue in lacking] != [name for name, _, _ in listed]:
            return {}
        pairs = zip(lacking, listed, strict=True)
        return {residue.label_seq: (number, code) for residue, (_, number, code) in pairs}


def _label(
    place: tuple[int, str], labels: Mapping[tuple[int | None, str], int], length: int
) -> int | None:
    """Find the label of an end of a segment; one without a number is counted from its neighbour.

    What comes of it is checked against the letters of the protein before it is used.
    """
    if found := labels.get(place):
        return found
    near = min(
        ((abs(author - place[0]), author, label) for (author, _), label in labels.items()
         if author is not None),
        default=(_REACH, 0, 0),
    )  # fmt: skip
    label = near[2] + place[0] - near[1]
    return label if near[0] < _REACH and 1 <= label <= length else None


def _dbrefs(lines: Sequence[str]) -> Iterator[_Dbref]:
    first: str | None = None
    for line in lines:
        if line.startswith("DBREF "):
            rest = (line[26:32].strip(), line[33:41].strip(), line[55:60], line[62:67])
        elif line.startswith("DBREF1"):
            first = line
            continue
        elif line.startswith("DBREF2") and first:
            rest = (first[26:32].strip(), line[18:40].strip(), line[45:55], line[57:67])
            line = first
        else:
            continue
        numbers = [whole(text) for text in (line[14:18], line[20:24], rest[2], rest[3])]
        if None not in numbers:
            start, end, begin, last = (number or 0 for number in numbers)
            ends = (start, line[18:19].strip()), (end, line[24:25].strip())
            yield _Dbref(line[12:13].strip(), *ends, rest[0], rest[1], begin, last)


def _seqadv(lines: Sequence[str]) -> Iterator[tuple[str, Difference]]:
    for line in lines:
        if line.startswith("SEQADV"):
            here, there = line[12:15].strip(), line[39:42].strip()
            yield (
                line[16:17].strip(),
                Difference(
                    None,
                    whole(line[18:22]),
                    line[22:23].strip(),
                    component(here).letter if here else "",
                    component(there).letter if there else "",
                    whole(line[43:48]),
                    line[49:70].strip().lower() or "unexplained",
                ),
            )


def _sites(lines: Sequence[str]) -> tuple[Site, ...]:
    descriptions: dict[str, str] = {}
    members: list[tuple[str, ResidueId]] = []
    name = ""
    for line in lines:
        if found := re.match(r"REMARK 800 SITE_IDENTIFIER: *(\S+)", line):
            name = found[1]
            descriptions[name] = ""
        elif found := re.match(r"REMARK 800 SITE_DESCRIPTION: *(.*\S)", line):
            descriptions[name] = found[1]
        elif line.startswith("SITE  "):
            for at in (18, 29, 40, 51):
                number = whole(line[at + 5 : at + 9])
                if number is not None:
                    chain, code = line[at + 4 : at + 5].strip(), line[at + 9 : at + 10].strip()
                    members.append((line[11:14].strip(), ResidueId(chain, number, code)))
    return gather_sites(members, descriptions)
