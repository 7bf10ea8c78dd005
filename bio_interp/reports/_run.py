"""Annotate proteins and write the report while they come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TextIO

from bio_interp.errors import InputError
from bio_interp.reports._columns import RunHeader
from bio_interp.reports._partial import PartialFile
from bio_interp.reports._table import TableWriter
from bio_interp.reports._writers import Gff3Writer, JsonWriter, ReportWriter, TsvWriter

if TYPE_CHECKING:
    from bio_interp.atlas import ProteinResult
    from bio_interp.sequences import Protein

Format = Literal["table", "tsv", "json", "gff3"]
_SUFFIXES: dict[str, Format] = {
    ".tsv": "tsv",
    ".txt": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".gff": "gff3",
    ".gff3": "gff3",
}


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What a report looks like and where it goes.

    Attributes
    ----------
    out
        The file; None is standard output.
    format
        None guesses: from the suffix of `out`, else a table on a terminal and TSV in a pipe.
    columns
        Columns of a TSV, in order; None is all.
    summary
        One row a protein instead of one a call.
    resume
        See `PartialFile`.
    """

    out: Path | None = None
    format: Format | None = None
    columns: tuple[str, ...] | None = None
    summary: bool = False
    resume: bool | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """Proteins and calls of a report, those of the run it took up included."""

    proteins: int
    calls: int


def choose_format(options: ReportOptions) -> Format:
    """Choose the format of a report and check that the options go with it.

    Raises
    ------
    InputError
        The suffix is not known and no format is given, or an option does not fit the format.

    Examples
    --------
    >>> choose_format(ReportOptions(out=Path("calls.gff3")))
    'gff3'
    """
    form = options.format or _guess(options.out)
    clashes = {
        "columns of a TSV": options.columns is not None and form != "tsv",
        "--summary as a table or TSV": options.summary and form not in ("table", "tsv"),
        "--resume with -o and TSV or GFF3": options.resume is True
        and (options.out is None or form not in ("tsv", "gff3")),
    }
    for wanted, clash in clashes.items():
        if clash:
            raise InputError(wanted, f"format {form}", "Leave the option out, or change -f.")
    return form


def write_report(
    annotate: Callable[[Iterable[Protein]], Iterator[ProteinResult]],
    proteins: Iterable[Protein],
    header: RunHeader,
    options: ReportOptions,
    *,
    progress: Callable[[int], None] | None = None,
) -> Totals:
    """Annotate `proteins` and write each as soon as it is done.

    Memory does not grow with the number of proteins. A run that is interrupted keeps what it
    finished: on standard output as it stands, else in a ``.partial`` file that `resume` takes up.

    Parameters
    ----------
    annotate
        Gives one result a protein, in order.
    progress
        Called with the number of proteins done so far.

    Raises
    ------
    InputError, MismatchError
        See `choose_format` and `PartialFile`.
    """
    form = choose_format(options)
    if options.out is None:
        writer = _writer(form, sys.stdout, header, options)
        return _to_stream(writer, annotate(proteins), progress)
    settings: dict[str, Any] = {"header": header.lines(), "format": form}
    settings |= {"columns": options.columns, "summary": options.summary}
    _check_target(options.out)
    # columns are checked before a file is made
    _writer(form, sys.stdout, header, options)
    file = PartialFile(options.out, settings, resume=options.resume)
    writer = _writer(form, file.stream, header, options)
    with _kept(file, writer):
        results = _started(annotate(file.skip_done(proteins)))
        if not file.mark.proteins:
            writer.begin()
        for result in results:
            writer.write(result)
            file.done(result.protein.accession, result.protein.length, len(result.calls))
            if progress:
                progress(file.mark.proteins)
        writer.end(complete=True)
    file.finish()
    return Totals(file.mark.proteins, file.mark.calls)


def _to_stream(
    writer: ReportWriter,
    results: Iterator[ProteinResult],
    progress: Callable[[int], None] | None,
) -> Totals:
    done = calls = 0
    complete = False
    results = _started(results)
    writer.begin()
    try:
        for result in results:
            writer.write(result)
            done, calls = done + 1, calls + len(result.calls)
            if progress:
                progress(done)
        complete = True
    finally:
        writer.end(complete=complete)
    sys.stdout.flush()
    return Totals(done, calls)


def _started(results: Iterator[ProteinResult]) -> Iterator[ProteinResult]:
    """Compute the first result now: bad input is an error before it is half a report."""
    return chain(list(islice(results, 1)), results)


@contextmanager
def _kept(file: PartialFile, writer: ReportWriter) -> Generator[None, None, None]:
    """Leave a whole, marked partial file behind whatever goes wrong."""
    try:
        yield
    except BaseException:
        writer.end(complete=False)
        file.keep()
        raise


def _writer(
    form: Format, stream: TextIO, header: RunHeader, options: ReportOptions
) -> ReportWriter:
    if form == "json":
        return JsonWriter(stream, header)
    if form == "gff3":
        return Gff3Writer(stream, header)
    if form == "table":
        return TableWriter(stream, header, summary=options.summary)
    return TsvWriter(stream, header, columns=options.columns, summary=options.summary)


def _check_target(out: Path) -> None:
    if out.is_dir() or not out.resolve().parent.is_dir():
        raise InputError(
            "-o to name a file in a folder that exists", str(out), "Make the folder first."
        )


def _guess(out: Path | None) -> Format:
    if out is None:
        return "table" if sys.stdout.isatty() else "tsv"
    suffix = out.suffix.lower()
    if suffix not in _SUFFIXES:
        raise InputError(
            f"a file that ends in {', '.join(_SUFFIXES)}, or -f",
            str(out),
            "Say the format with -f tsv, json, gff3 or table.",
        )
    return _SUFFIXES[suffix]
