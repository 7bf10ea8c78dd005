"""Tables of features: UniProt's TSV export, and CSV with one row a feature."""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from bio_interp_uniprot._entry import (
    UNKNOWN,
    Entry,
    Feature,
    Place,
    eco_codes,
    read_kind,
    read_length,
    read_location,
    read_position,
)
from bio_interp_uniprot._kinds import kind_of

_REVIEWED = {"reviewed": "uniprot:swissprot", "unreviewed": "uniprot:trembl"}
_START = re.compile(r"([A-Z_]{4,8}) ([^\s;\"]+)\s*(?:;|$)")
_QUALIFIER = re.compile(r"\s*/([a-z_]+)=\"((?:[^\"]|\"\")*)\"\s*(?:;|$)")
CSV_COLUMNS = ("protein_id", "feature", "start", "end")


def feature_columns(header: str) -> dict[int, str]:
    """Find the columns of a TSV header that hold features, with their keywords."""
    found: dict[int, str] = {}
    for index, cell in enumerate(header.rstrip("\r\n").split("\t")):
        kind = kind_of(cell.strip('"').removesuffix("[FT]").strip())
        if kind:
            found[index] = kind
    return found


def read_tsv(lines: Iterable[str], file: str) -> Iterator[Entry]:
    """Read the entries of UniProt's TSV export, one at a time.

    Raises
    ------
    AnnotationError
        No column holds features, or a cell is broken.
    """
    rows = iter(lines)
    header = next(rows, "")
    names = [cell.strip('"') for cell in header.rstrip("\r\n").split("\t")]
    columns = feature_columns(header)
    if "Entry" not in names or not columns:
        Place(file, 1).fail(
            "a TSV file with the column 'Entry' and columns such as 'Active site'",
            repr(header[:80]),
            "Export it again and choose the feature columns.",
        )
    strange = [n for i, n in enumerate(names) if n.endswith("[FT]") and i not in columns]
    if strange:
        Place(file, 1).fail("columns of kinds of UniProt feature", repr(strange[0]))
    kinds = frozenset(columns.values())
    for number, line in enumerate(rows, start=2):
        if not line.strip():
            continue
        place = Place(file, number)
        cells = line.rstrip("\r\n").split("\t")
        if len(cells) != len(names):
            place.fail(f"{len(names)} columns", f"{len(cells)} for {cells[0]!r}")
        row = dict(zip(names, cells, strict=True))
        source = _REVIEWED.get(row.get("Reviewed", "").lower(), "uniprot")
        sequence = row.get("Sequence", "")
        said = row.get("Length", "").strip()
        length = read_length(said, place, "the column 'Length'") if said else 0
        features = [f for i in columns for f in _cell(cells[i], place, row["Entry"])]
        count = len(sequence) or length
        yield Entry(row["Entry"], source, place, sequence, count, features, kinds)


def _cell(cell: str, place: Place, accession: str) -> Iterator[Feature]:
    text = cell.strip()
    if text.startswith('"') and text.endswith('"'):  # a spreadsheet quoted the whole cell
        text = text[1:-1].replace('""', '"')
    at = 0
    while at < len(text):
        head = _START.match(text, at)
        if not head:
            place.fail(
                'features such as DOMAIN 3..49; /note="F-box"',
                f"{text[at : at + 60]!r} for {accession}",
            )
        record = f"{head[1]} {head[2]} of {accession}"
        at, values = head.end(), dict[str, str]()
        while match := _QUALIFIER.match(text, at):
            values[match[1]], at = match[2].replace('""', '"'), match.end()
        start, end, isoform = read_location(head[2], place, record)
        ligand = values.get("ligand")
        yield Feature(
            read_kind(head[1], place, record),
            start,
            end,
            note=values.get("note", ""),
            ligands=((ligand, values.get("ligand_id", "")),) if ligand else (),
            evidence=eco_codes(values.get("evidence", "")),
            isoform=isoform,
            line=place.line,
        )
        at += len(text[at:]) - len(text[at:].lstrip())


def read_csv(lines: Iterable[str], file: str) -> Iterator[Entry]:
    """Read a CSV file with one row a feature, in the order of the proteins' first rows.

    Columns ``protein_id``, ``feature``, ``start``, ``end`` and, if there, ``isoform_id``, ``note``,
    ``evidence``. Positions may be floats; no end is a single residue; no start is unknown.

    Raises
    ------
    AnnotationError
        A column is missing or a row is broken.
    """
    rows = iter(lines)
    header = next(rows, "")
    reader = csv.DictReader(chain([header], rows))
    names = _csv_names(reader, file)
    missing = [c for c in CSV_COLUMNS if c not in names]
    if missing:
        Place(file, 1).fail(f"a column {missing[0]!r}", repr(header.strip()[:80]))
    entries: dict[str, Entry] = {}
    kinds: set[str] = set()
    for row in _csv_rows(reader, file):
        place = Place(file, reader.line_num)
        if set(row) != names or None in row.values():
            place.fail(f"{len(names)} columns", "another number of them")
        feature = _csv_feature(row, place)
        kinds.add(feature.kind)
        accession = row["protein_id"]
        entries.setdefault(accession, Entry(accession, "uniprot", place)).features.append(feature)
    for entry in entries.values():
        yield Entry(
            entry.accession, "uniprot", entry.place, features=entry.features, kinds=frozenset(kinds)
        )


def _csv_names(reader: "csv.DictReader[str]", file: str) -> set[str]:
    try:
        return set(reader.fieldnames or ())
    except csv.Error as error:
        Place(file, 1).fail("a header of comma-separated values", str(error))


def _csv_rows(reader: "csv.DictReader[str]", file: str) -> Iterator[dict[str, str]]:
    try:
        yield from reader
    except csv.Error as error:
        Place(file, reader.line_num).fail("a row of comma-separated values", str(error))


def _csv_feature(row: dict[str, str], place: Place) -> Feature:
    record = f"{row['feature']} {row['start']}..{row['end']} of {row['protein_id']}"
    start = read_position(row["start"], place, record) if row["start"] else UNKNOWN
    return Feature(
        read_kind(row["feature"], place, record),
        start,
        read_position(row["end"], place, record) if row["end"] else start,
        note=row.get("note", ""),
        evidence=eco_codes(row.get("evidence", "")),
        isoform=row.get("isoform_id", ""),
        line=place.line,
    )
