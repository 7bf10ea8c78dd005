"""Read tables of domain hits that someone has already found."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from bio_interp.errors import AnnotationError
from bio_interp_pfam._files import first_bytes, text_lines
from bio_interp_pfam._tables import HITS

_DOMTBL_FIELDS = 23  # the last is free text


def is_hit_table(head: bytes) -> bool:
    """Tell whether a file begins as a table of hits: our TSV, or HMMER's ``--domtblout``."""
    fields = head.split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r").split("\t")
    bare = len(fields) == len(HITS) and all(_is_number(field) for field in fields[3:])
    return fields == list(HITS) or bare or is_domtblout(head)


def is_domtblout(head: bytes) -> bool:
    """Tell whether a file begins as what ``hmmsearch`` or ``hmmscan --domtblout`` write."""
    start = [line.lstrip("# ") for line in head.decode("utf-8", "replace").split("\n")[:3]]
    return any(line.startswith("target name") and "tlen" in line for line in start)


def read_hits(path: Path) -> pl.DataFrame:
    """Read one table of domain hits: TSV or ``--domtblout``; plain, gzip or zstandard.

    Parameters
    ----------
    path
        A TSV of the columns in `HITS` (a header is optional), or HMMER's ``--domtblout``.

    Returns
    -------
    DataFrame
        Columns as in `HITS`.

    Raises
    ------
    AnnotationError
        A line has another number of fields or a field is no number; the message names the line.
        The file cannot be read to its end.
    """
    with text_lines(path) as lines:
        found = list(
            _domtblout_rows(path, lines) if is_domtblout(first_bytes(path)) else _rows(path, lines)
        )
    return pl.DataFrame(found, schema=HITS, orient="row")


def _rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    for number, line in enumerate(lines, 1):
        fields = line.rstrip("\r\n").split("\t")
        if fields[0] == "accession" and number == 1:
            _check_header(path, fields)
            continue
        if line.strip():
            yield _row(path, number, fields)


def _check_header(path: Path, fields: list[str]) -> None:
    if fields != list(HITS):
        raise AnnotationError(
            f"the columns {list(HITS)}",
            f"{fields} in line 1 of {path}",
            "Rename or reorder the columns.",
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _position(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError(f"{text!r} is no position")
    return int(text)


def _finite(text: str) -> float:
    if not math.isfinite(float(text)):
        raise ValueError(f"{text!r} is no finite number")
    return float(text)


def _name(text: str) -> None:
    if not text.strip() or not text.isprintable():
        raise ValueError(f"{text!r} is no name")


def _row(path: Path, number: int, fields: list[str]) -> tuple[Any, ...]:
    try:
        accession, pfam, name, *numbers = fields
        start, end, env_start, env_end = map(_position, numbers[:4])
        bits, i_evalue = map(_finite, numbers[4:])
        for text in (accession, pfam, name):
            _name(text)
    except ValueError as error:
        raise AnnotationError(
            f"{len(HITS)} tab-separated fields: {', '.join(HITS)}",
            f"{len(fields)} in line {number} of {path} ({str(error)[:200]})",
            "Check that line.",
        ) from error
    return accession, pfam, name, start, end, env_start, env_end, bits, i_evalue


def _domtblout_rows(path: Path, lines: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    """Read domtblout of ``hmmsearch`` (targets are proteins) or ``hmmscan`` (targets are models).

    Which of the two is told by the accession column that holds a Pfam accession, else by the last
    comment lines (``# Program:``), which HMMER writes.
    """
    kept = list(enumerate(lines, 1))
    scan = any(line.startswith("# Program:") and "hmmscan" in line for _, line in kept)
    for number, line in kept:
        if line.startswith("#") or not line.strip():
            continue
        f = line.split(None, _DOMTBL_FIELDS - 1)
        if len(f) < _DOMTBL_FIELDS - 1:
            raise AnnotationError(
                f"{_DOMTBL_FIELDS} fields of --domtblout",
                f"{len(f)} in line {number} of {path}",
                "Write the file again with hmmsearch --domtblout.",
            )
        protein, model, accession = (f[3], f[0], f[1]) if scan else (f[0], f[3], f[4])
        model_id = model if accession == "-" else accession
        yield _row(path, number, [protein, model_id, model, *f[17:21], f[13], f[12]])


def read_scanned(paths: Iterable[Path]) -> list[str]:
    """Read lists of the accessions that were scanned, one a line.

    Raises
    ------
    AnnotationError
        A line holds more than one word.
    """
    scanned: list[str] = []
    for path in paths:
        with text_lines(path) as lines:
            for number, line in enumerate(lines, 1):
                if len(line.split()) > 1 or "\0" in line:
                    raise AnnotationError(
                        "HMMER3 profiles, a table of hits, or a list of scanned accessions, one "
                        "a line",
                        f"line {number} of {path}: {line.strip()[:60]!r}",
                        "Check that file.",
                    )
                scanned += line.split()
    return scanned
