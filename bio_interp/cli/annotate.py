"""``bio-interp annotate``."""

import logging
from functools import partial
from typing import Annotated

from cyclopts import Parameter

from bio_interp.cli._options import Common, Machine, Output, Source
from bio_interp.cli._show import counter

_COMMON, _MACHINE, _OUTPUT = Common(), Machine(), Output()
_LOG = logging.getLogger(__name__)


def annotate(
    source: Source,
    /,
    *,
    atlas: str = "unirep",
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
    min_precision
        Print calls whose lower bound of precision is at least this.
    all_features
        Print weaker calls and unlinked features too.
    fail_empty
        Exit with 3 where no protein has a call.
    """
    common.start()
    machine.start()
    from bio_interp.atlas import load_atlas
    from bio_interp.reports import ReportOptions, choose_format, run_header, write_report
    from bio_interp.sequences import read_proteins

    columns = tuple(c.strip() for c in output.columns.split(",")) if output.columns else None
    options = ReportOptions(output.out, output.format, columns, output.summary, output.resume)
    choose_format(options)  # before the model is loaded
    loaded = load_atlas(atlas, device=machine.device)
    _LOG.info("reading proteins from %s", "standard input" if source == "-" else source)
    with counter("proteins", draw=common.bars) as tick:
        totals = write_report(
            partial(loaded.annotate, min_precision=min_precision, all_features=all_features),
            read_proteins(source),
            run_header(loaded.info, min_precision),
            options,
            progress=tick,
        )
    _LOG.info("%s calls in %s proteins", f"{totals.calls:,}", f"{totals.proteins:,}")
    return 3 if fail_empty and not totals.calls else 0
