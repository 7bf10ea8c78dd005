"""Open a file of UniProtKB, whatever its format and compression."""

import io
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from bio_interp.errors import AnnotationError
from bio_interp.sequences import bounded_lines, open_plain
from bio_interp_uniprot._entry import Entry
from bio_interp_uniprot._flat import read_flat
from bio_interp_uniprot._gff import read_gff
from bio_interp_uniprot._json import read_json
from bio_interp_uniprot._tables import CSV_COLUMNS, feature_columns, read_csv, read_tsv
from bio_interp_uniprot._xml import read_xml

_CHUNK = 1 << 16  # characters

_Reader = Callable[[Iterable[str], str], Iterator[Entry]]


def read_entries(path: Path) -> Iterator[Entry]:
    """Read the entries of a file, one at a time; the format is told by its content.

    Raises
    ------
    AnnotationError
        The file cannot be read, is of no format that is known here, or a record is broken.
    """
    text = _head(path)
    reader = _reader(text)
    if reader is None:
        raise AnnotationError(
            "a file of UniProtKB (flat, XML, JSON, GFF3, TSV with feature columns) or a CSV file "
            f"with columns {', '.join(CSV_COLUMNS)}",
            f"{path}, which is empty" if not text.strip() else f"{path}, starting {text[:60]!r}",
            "UniRef, RDF and FASTA hold no features; fetch the entries in another format.",
        )
    # JSON and XML may be one line of a gigabyte
    size = _CHUNK if reader in (read_json, read_xml) else -1
    return reader(_lines(path, size), str(path))


def is_uniprot(path: Path) -> bool:
    """Tell from its first bytes whether a file is of a format that `read_entries` reads."""
    try:
        return _reader(_head(path)) is not None
    except AnnotationError:
        return False


def _reader(head: str) -> _Reader | None:
    first = next((line for line in head.splitlines() if line.strip()), "")
    body = head.lstrip()
    if re.match(r"ID   \S.*\d AA\.\s*$", first):
        return read_flat
    if body.startswith("<"):
        return read_xml if re.search(r"<(\w+:)?uniprot[\s>]", body) else None
    if body.startswith(("{", "[")):
        empty = re.match(r'\{\s*"results"\s*:\s*\[\s*\]', body)
        return read_json if empty or '"primaryAccession"' in body else None
    if _is_gff(head):
        return read_gff
    cells = first.split("\t")
    if "Entry" in (cell.strip('"') for cell in cells) and feature_columns(first):
        return read_tsv
    return read_csv if set(CSV_COLUMNS) <= set(first.strip().split(",")) else None


def _is_gff(head: str) -> bool:
    lines = [line for line in head.splitlines() if line.strip()]
    records = [line.split("\t") for line in lines if not line.startswith("#")]
    if not records:
        return bool(lines) and lines[0].startswith("##gff-version")
    return len(records[0]) > 4 and records[0][1] == "UniProtKB"


def _head(path: Path) -> str:
    return next(_lines(path, _CHUNK), "")


def _lines(path: Path, size: int = -1) -> Iterator[str]:
    """Give a file by lines, or by `size` characters."""
    try:
        with open_plain(path) as plain:
            # names in old files are in Latin-1: kept readable, and no reason to stop
            text = io.TextIOWrapper(plain, "utf-8-sig", errors="backslashreplace")
            if size < 0:
                yield from bounded_lines(text, str(path))
            else:
                yield from iter(lambda: text.read(size), "")
    except (OSError, EOFError) as error:
        raise AnnotationError(
            "a file that can be read",
            f"{path} ({type(error).__name__}: {error})",
            "Check the path, or fetch the file again.",
        ) from error
