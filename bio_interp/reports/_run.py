"""Annotate proteins and write the report while they come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from bio_interp.errors import InputError
from bio_interp.provenance import is_stream
from bio_interp.reports._columns import RunHeader
from bio_interp.reports._formats import FORMATS, ReportOptions, choose_format
from bio_interp.reports._partial import PartialFile
from bio_interp.reports._writers import ReportWriter

if TYPE_CHECKING:
    from bio_interp.atlas import ProteinResult
    from bio_interp.sequences import Protein


@dataclass(frozen=True, slots=True)
class Totals:
    """Proteins and calls of a report, those of the run it took up included."""

    proteins: int
    calls: int


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
    make_writer = FORMATS[form].writer
    if options.out is None:
        return _to_stream(sys.stdout, form, header, options, annotate(proteins), progress)
    if is_stream(options.out):  # a device or a pipe has nothing to take up, and is not renamed over
        with options.out.open("w", encoding="utf-8", newline="\n") as stream:
            return _to_stream(stream, form, header, options, annotate(proteins), progress)
    settings: dict[str, Any] = {"header": header.lines(), "format": form}
    settings |= {"columns": options.columns, "summary": options.summary}
    settings |= {"xref": True} if options.xrefs is not None else {}
    _check_target(options.out)
    # columns are checked before a file is made
    make_writer(sys.stdout, header, options)
    resumes = FORMATS[form].resumes
    file = PartialFile(options.out.resolve(), settings, resume=options.resume, resumes=resumes)
    writer = make_writer(file.stream, header, options)
    with _kept(file):
        results = _started(annotate(file.skip_done(proteins)))
        with _framed(writer, begin=not file.mark.proteins):
            for result in results:
                writer.write(result)
                file.done(result.protein.accession, result.protein.length, len(result.calls))
                if progress:
                    progress(file.mark.proteins)
    file.finish()
    return Totals(file.mark.proteins, file.mark.calls)


def _to_stream(
    stream: TextIO,
    form: str,
    header: RunHeader,
    options: ReportOptions,
    results: Iterator[ProteinResult],
    progress: Callable[[int], None] | None,
) -> Totals:
    writer = FORMATS[form].writer(stream, header, options)
    done = calls = 0
    results = _started(results)
    with _framed(writer, begin=True):
        for result in results:
            writer.write(result)
            done, calls = done + 1, calls + len(result.calls)
            if progress:
                progress(done)
    stream.flush()
    return Totals(done, calls)


def _started(results: Iterator[ProteinResult]) -> Iterator[ProteinResult]:
    """Compute the first result now: bad input is an error before it is half a report."""
    return chain(list(islice(results, 1)), results)


@contextmanager
def _framed(writer: ReportWriter, *, begin: bool) -> Generator[None, None, None]:
    """Begin a report, and end it so that it is whole whatever goes wrong between."""
    if begin:
        writer.begin()
    try:
        yield
    except BaseException:
        writer.end(complete=False)
        raise
    writer.end(complete=True)


@contextmanager
def _kept(file: PartialFile) -> Generator[None, None, None]:
    """Leave a marked partial file behind whatever goes wrong."""
    try:
        yield
    except BaseException:
        file.keep()
        raise


def _check_target(out: Path) -> None:
    if out.is_dir() or not out.resolve().parent.is_dir():
        raise InputError(
            "-o to name a file in a folder that exists", str(out), "Make the folder first."
        )
