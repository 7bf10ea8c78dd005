"""UniProt's GFF3: nine columns, the kind's name in the third, notes and evidence in the ninth.

UniProt writes features of other isoforms (some CONFLICT, MOD_RES) into it without the isoform, and
leaves features of unknown position out; where that matters, read the flat file.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import unquote

from bio_interp_uniprot._entry import (
    STATUS_CODES,
    Entry,
    Feature,
    Place,
    eco_codes,
    read_kind,
    read_length,
    read_position,
)


def read_gff(lines: Iterable[str], file: str) -> Iterator[Entry]:
    """Read the entries of a GFF3 file of UniProt, in the order of their first lines.

    Raises
    ------
    AnnotationError
        A line is broken.
    """
    entries: dict[str, Entry] = {}
    for number, line in enumerate(lines, start=1):
        place = Place(file, number)
        if line.startswith("##FASTA"):
            break
        if line.startswith("##sequence-region"):
            entry = _region(line, place)
            entries.setdefault(entry.accession, entry)
        elif line.strip() and not line.startswith("#"):
            accession, feature = _feature(line, place)
            entries.setdefault(accession, Entry(accession, "uniprot", place))
            entries[accession].features.append(feature)
    yield from entries.values()


def _region(line: str, place: Place) -> Entry:
    words = line.split()
    if len(words) != 4:
        place.fail("'##sequence-region ACCESSION 1 LENGTH'", repr(line.strip()))
    length = read_length(words[3], place, f"'##sequence-region' of {words[1]}")
    return Entry(words[1], "uniprot", place, length=length)


def _feature(line: str, place: Place) -> tuple[str, Feature]:
    cells = line.rstrip("\r\n").split("\t")
    if len(cells) < 9:
        place.fail("nine columns parted by tabs", f"{len(cells)} in {line.strip()[:60]!r}")
    accession, _, name, start, end = (unquote(cell.strip()) for cell in cells[:5])
    record = f"{name} {start}..{end} of {accession}"
    values = _attributes(cells[8])
    feature = Feature(
        read_kind(name, place, record),
        read_position(start, place, record),
        read_position(end, place, record),
        note=values.get("note", ""),
        evidence=eco_codes(values.get("ontology_term", "") + values.get("evidence", "")),
        line=place.line,
    )
    if "ligand" in values:
        feature = replace(feature, ligands=((values["ligand"], values.get("ligand_id", "")),))
    status = STATUS_CODES.get(values.get("status", "").lower())  # files until 2014
    return accession, replace(feature, evidence=(status,)) if status else feature


def _attributes(cell: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in cell.split(";"))
    return {key.strip().lower(): unquote(value.strip()) for key, _, value in pairs if value}
