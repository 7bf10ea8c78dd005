"""``bio-interp annotate``."""

import logging
import shlex
import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from bio_interp.cli._options import AtlasName, Common, Machine, Output, Source, usage_error
from bio_interp.cli._show import counter
from bio_interp.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bio_interp.atlas import Atlas, ProteinResult
    from bio_interp.reports import ReportOptions, StructurePage
    from bio_interp.sequences import Protein

_COMMON, _MACHINE, _OUTPUT = Common(), Machine(), Output()
_LOG = logging.getLogger(__name__)


def annotate(
    source: Source,
    /,
    *,
    atlas: AtlasName = "unirep",
    structure: str | None = None,
    min_precision: float = 0.8,
    all_features: Annotated[bool, Parameter(negative="")] = False,
    fail_empty: Annotated[bool, Parameter(negative="")] = False,
    output: Output = _OUTPUT,
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> int:
    """Find named features in proteins.

    Parameters
    ----------
    source
        FASTA or Swiss-Prot file, plain, gzip or zstandard; - is standard input.
    atlas
        Name of an installed atlas, or the folder of one.
    structure
        File or identifier (4HHB, alphafold:P69905) of a structure of one of the proteins: a page to
        turn in 3D is written beside -o, calls.3d.html of calls.html, and linked from HTML.
    min_precision
        Print calls whose lower bound of precision is at least this.
    all_features
        Print weaker calls and unlinked features too.
    fail_empty
        Exit with 3 where no protein has a call.
    """
    common.start()
    machine.start()
    from bio_interp import reports
    from bio_interp.atlas import load_atlas
    from bio_interp.sequences import read_proteins

    options = _options(output)
    spec = reports.FORMATS[reports.choose_format(options)]  # before the model is loaded
    page = _page(structure, output) if structure else None
    options = replace(options, beside=page.path.name) if page else options
    loaded = load_atlas(atlas, device=machine.device)
    if options.xrefs is not None:
        options = replace(options, xrefs=reports.cross_references(loaded.links.concepts))
    command = printable(shlex.join(["bio-interp", *sys.argv[1:]])).replace("\n", "\\n")
    header = reports.run_header(loaded.info, min_precision, command=command)
    _log([] if spec.headed else header.lines())
    asked = {"min_precision": min_precision, "all_features": all_features}
    asked |= {"activations": True} if spec.activations or page else {}
    _LOG.info("reading proteins from %s", "standard input" if source == "-" else source)
    with counter("proteins", draw=common.bars) as tick:
        proteins = read_proteins(source)
        found = partial(_annotated, loaded, page, asked)
        totals = reports.write_report(found, proteins, header, options, progress=tick)
    _LOG.info("%s calls in %s proteins", f"{totals.calls:,}", f"{totals.proteins:,}")
    _log(page.write(loaded) if page else [])
    return 3 if fail_empty and not totals.calls else 0


def _log(lines: list[str]) -> None:
    for line in lines:
        _LOG.info("%s", line)


def _page(structure: str, output: Output) -> "StructurePage":
    from bio_interp.reports import StructurePage

    if output.out is None:
        raise usage_error("--structure needs -o FILE: its page is written beside that.")
    if output.resume:
        raise usage_error("--structure shows proteins of this run only: leave --resume out.")
    return StructurePage(structure, output.out)


def _annotated(
    atlas: "Atlas",
    page: "StructurePage | None",
    asked: dict[str, Any],
    proteins: "Iterable[Protein]",
) -> "Iterator[ProteinResult]":
    results = atlas.annotate(proteins, **asked)
    return page.keep(results) if page else results


def _options(output: Output) -> "ReportOptions":
    from bio_interp.reports import ReportOptions

    columns = tuple(c.strip() for c in output.columns.split(",")) if output.columns else None
    return ReportOptions(
        out=output.out,
        format=output.format,
        columns=columns,
        summary=output.summary,
        resume=output.resume,
        xrefs={} if output.xref else None,
    )
