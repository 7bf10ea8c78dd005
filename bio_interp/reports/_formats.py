"""The formats of a report: their writers, suffixes, and the options that go with each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

from bio_interp.errors import InputError
from bio_interp.reports._bed import BedWriter
from bio_interp.reports._columns import RunHeader
from bio_interp.reports._html import HtmlWriter
from bio_interp.reports._iprscan import IprscanWriter
from bio_interp.reports._parquet import ParquetWriter
from bio_interp.reports._table import TableWriter
from bio_interp.reports._writers import Gff3Writer, JsonWriter, ReportWriter, TsvWriter
from bio_interp.reports._xrefs import CrossReference

Format = Literal[
    "table", "tsv", "json", "gff3", "bed", "iprscan", "interproscan", "html", "parquet"
]


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What a report looks like and where it goes.

    Attributes
    ----------
    out
        The file; None is standard output.
    format
        None guesses: from the suffix of `out`, else a table on a terminal and TSV in a pipe.
        ``interproscan`` is ``iprscan``.
    columns
        Columns of a TSV or Parquet, in order; None is all.
    summary
        One row a protein instead of one a call.
    resume
        See `PartialFile`.
    xrefs
        Fills the InterPro and GO columns of InterProScan TSV; see `cross_references`.
    beside
        Name of a page in the same folder that HTML links to; see `StructurePage`.
    """

    out: Path | None = None
    format: Format | None = None
    columns: tuple[str, ...] | None = None
    summary: bool = False
    resume: bool | None = None
    xrefs: Mapping[str, CrossReference] | None = None
    beside: str = ""


@dataclass(frozen=True, slots=True)
class FormatSpec:
    """What a format can do.

    Attributes
    ----------
    title
        Its name for people.
    writer
        Makes the writer.
    suffixes
        Ends of file names that choose it.
    resumes
        Grows line by line, so that an interrupted run can go on.
    options
        Those of ``columns``, ``summary`` and ``xrefs`` that it takes.
    activations
        Shows how features fire along the protein; see `Atlas.annotate`.
    headed
        Says itself where the calls come from.
    binary
        Is no text, and does not belong on a terminal.
    """

    title: str
    writer: Callable[[TextIO, RunHeader, ReportOptions], ReportWriter]
    suffixes: tuple[str, ...] = ()
    resumes: bool = False
    options: frozenset[str] = frozenset()
    activations: bool = False
    headed: bool = True
    binary: bool = False


def _tsv(stream: TextIO, header: RunHeader, options: ReportOptions) -> ReportWriter:
    return TsvWriter(stream, header, columns=options.columns, summary=options.summary)


def _parquet(stream: TextIO, header: RunHeader, options: ReportOptions) -> ReportWriter:
    return ParquetWriter(stream, header, columns=options.columns, summary=options.summary)


_SELECTING = frozenset({"columns", "summary"})
FORMATS: dict[str, FormatSpec] = {
    "table": FormatSpec(
        "table",
        lambda stream, header, options: TableWriter(stream, header, summary=options.summary),
        options=frozenset({"summary"}),
    ),
    "tsv": FormatSpec("TSV", _tsv, (".tsv", ".txt", ".tab"), resumes=True, options=_SELECTING),
    "json": FormatSpec("JSON", lambda stream, header, _: JsonWriter(stream, header), (".json",)),
    "gff3": FormatSpec(
        "GFF3",
        lambda stream, header, _: Gff3Writer(stream, header),
        (".gff", ".gff3"),
        resumes=True,
    ),
    "bed": FormatSpec(
        "BED", lambda stream, header, _: BedWriter(stream, header), (".bed",), resumes=True
    ),
    "iprscan": FormatSpec(
        "InterProScan TSV",
        lambda stream, _, options: IprscanWriter(stream, xrefs=options.xrefs),
        resumes=True,
        options=frozenset({"xrefs"}),
        headed=False,
    ),
    "html": FormatSpec(
        "HTML",
        lambda stream, header, options: HtmlWriter(stream, header, options.beside),
        (".html", ".htm"),
        activations=True,
    ),
    "parquet": FormatSpec(
        "Parquet", _parquet, (".parquet", ".pq"), options=_SELECTING, binary=True
    ),
}
_SUFFIXES = {suffix: name for name, spec in FORMATS.items() for suffix in spec.suffixes}


def choose_format(options: ReportOptions) -> str:
    """Choose the format of a report, a key of `FORMATS`, and check that the options go with it.

    Raises
    ------
    InputError
        The suffix is not known and no format is given, or an option does not fit the format.

    Examples
    --------
    >>> choose_format(ReportOptions(out=Path("calls.gff3")))
    'gff3'
    """
    name = "iprscan" if options.format == "interproscan" else options.format or _guess(options.out)
    spec = FORMATS[name]
    here = options.out is None
    clashes = {
        f"--columns with {_able('columns')}": options.columns is not None
        and "columns" not in spec.options,
        f"--summary with {_able('summary')}": options.summary and "summary" not in spec.options,
        f"--xref with {_able('xrefs')}": options.xrefs is not None and "xrefs" not in spec.options,
        f"--resume with -o and {resuming()}": options.resume is True and (here or not spec.resumes),
        "-o FILE, or a pipe, for bytes": spec.binary and here and sys.stdout.isatty(),
    }
    for wanted, clash in clashes.items():
        if clash:
            raise InputError(
                wanted, f"format {spec.title}", "Leave the option out, or change -f or -o."
            )
    return name


def resuming() -> str:
    """Name the formats that an interrupted run can go on with."""
    return _listed([spec.title for spec in FORMATS.values() if spec.resumes])


def _able(option: str) -> str:
    return _listed([spec.title for spec in FORMATS.values() if option in spec.options])


def _listed(titles: list[str]) -> str:
    return " or ".join([", ".join(titles[:-1]), titles[-1]] if titles[1:] else titles)


def _guess(out: Path | None) -> str:
    if out is None:
        return "table" if sys.stdout.isatty() else "tsv"
    suffix = out.suffix.lower()
    if suffix not in _SUFFIXES:
        raise InputError(
            f"a file that ends in {', '.join(_SUFFIXES)}, or -f",
            str(out),
            f"Say the format with -f {', '.join(FORMATS)}.",
        )
    return _SUFFIXES[suffix]
