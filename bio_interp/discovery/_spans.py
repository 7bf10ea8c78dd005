"""Spans of proteins from a small table: accession, start, end, and a label if there is one."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from bio_interp.errors import AnnotationError, printable
from bio_interp.sequences import Protein, bounded_lines, open_plain

_FIRST = ("accession", "protein", "protein_id", "id")  # of a header


class LabelledSpan(NamedTuple):
    """A run of residues of a protein, 1-based and inclusive; the label may be empty."""

    accession: str
    start: int
    end: int
    label: str = ""


GivenSpans = str | Path | Iterable[tuple[str, int, int] | tuple[str, int, int, str]]


def read_spans(given: GivenSpans) -> list[LabelledSpan]:
    r"""Read spans from a file of tabs, or take them as tuples.

    A line is ``accession TAB start TAB end``; a label may follow, and further columns are ignored.
    Positions are 1-based and inclusive. Lines that begin with ``#``, empty ones, and a first line
    of column names are passed over.

    Raises
    ------
    AnnotationError
        The file cannot be read or holds no span, or a line is none; the message names the line.

    Examples
    --------
    >>> path = getfixture("tmp_path") / "spans.tsv"
    >>> _ = path.write_text("accession\tstart\tend\nP1\t3\t9\tloop\n")
    >>> read_spans(path)
    [LabelledSpan(accession='P1', start=3, end=9, label='loop')]
    """
    if isinstance(given, str | Path):
        spans = list(_from_file(Path(given)))
    else:
        named = enumerate(given, 1)
        spans = [_span([str(x) for x in span], f"item {n} of the spans") for n, span in named]
    if not spans:
        raise AnnotationError("one span or more", f"none in {_short(given)}", "Check the table.")
    return spans


def by_protein(
    spans: Iterable[LabelledSpan], proteins: Mapping[str, Protein]
) -> dict[str, list[LabelledSpan]]:
    """Sort spans by accession, and refuse those of no protein or past its end."""
    sorted_spans: dict[str, list[LabelledSpan]] = {}
    for span in spans:
        protein = proteins.get(span.accession)
        if protein is None:
            raise AnnotationError(
                f"spans of the {len(proteins)} proteins given",
                f"one of {span.accession!r}",
                "Give the sequences of all proteins in the table; capitals matter.",
            )
        if span.end > len(protein):
            raise AnnotationError(
                f"positions in {span.accession}, which has {len(protein)} residues",
                f"{span.start}-{span.end}",
                "Positions are 1-based; check that it is the same sequence.",
            )
        sorted_spans.setdefault(span.accession, []).append(span)
    return sorted_spans


def _from_file(path: Path) -> Iterator[LabelledSpan]:
    try:
        with open_plain(path) as plain:
            text = io.TextIOWrapper(plain, encoding="utf-8", errors="replace")
            for number, line in enumerate(bounded_lines(text, str(path)), 1):
                cells = [cell.strip() for cell in line.rstrip("\r\n").split("\t")]
                header = number == 1 and cells[0].lower() in _FIRST
                if line.strip() and not line.startswith("#") and not header:
                    yield _span(cells, f"line {number} of {path}")
    except (OSError, EOFError) as error:
        raise AnnotationError("a table of spans", f"{path}: {error}", "Check the path.") from error


def _span(cells: list[str], where: str) -> LabelledSpan:
    try:
        accession, start, end = cells[0], int(cells[1]), int(cells[2])
    except (ValueError, IndexError):
        start = end = 0
        accession = ""
    if not (accession and 1 <= start <= end):
        raise AnnotationError(
            "accession, start and end with tabs between them, 1 <= start <= end",
            f"{_short(' '.join(cells))} at {where}",
            "Positions are 1-based, and the end is part of the span.",
        )
    return LabelledSpan(accession, start, end, printable(cells[3]) if len(cells) > 3 else "")


def _short(given: object) -> str:
    shown = given if isinstance(given, str) else repr(given)
    return repr(shown) if len(shown) <= 80 else repr(f"{shown[:80]}...")
