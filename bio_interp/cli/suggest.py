"""``bio-interp suggest``."""

import logging
import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from bio_interp.cli._options import Common, Machine, Source, read_list
from bio_interp.cli._show import counter
from bio_interp.errors import printable

_COMMON, _MACHINE = Common(), Machine()
_LOG = logging.getLogger(__name__)


def suggest(
    source: Source,
    /,
    *,
    annotations: Annotated[list[Path], Parameter(consume_multiple=True)],
    atlas: str = "unirep",
    min_precision: float = 0.8,
    kinds: str | None = None,
    margin: int = 5,
    top: int | None = None,
    fail_empty: Annotated[bool, Parameter(negative="")] = False,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    format: Annotated[
        Literal["table", "tsv", "json", "parquet"] | None, Parameter(alias="-f")
    ] = None,
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> int:
    """Find annotations that a database seems to miss, ranked for a curator.

    Parameters
    ----------
    source
        FASTA or Swiss-Prot file, plain, gzip or zstandard; - is standard input.
    annotations
        What the database has: folders that `concepts` wrote, or files that an annotator reads.
    atlas
        Name of an installed atlas, or the folder of one.
    min_precision
        Look at calls whose lower bound of precision is at least this.
    kinds
        Look at calls of these kinds of concept only, with commas between them: uniprot:BINDING,pfam.
    margin
        Leave out a span this many residues or fewer away from an annotation that says the same.
    top
        Write the best so many only.
    fail_empty
        Exit with 3 where there is no suggestion.
    out
        File to write; standard output where not given.
    format
        Guessed from the suffix of -o; else a table on a terminal, TSV in a pipe.
    """
    common.start()
    machine.start()
    from bio_interp import discovery, reports
    from bio_interp.annotations import is_table, read_annotations
    from bio_interp.atlas import load_atlas
    from bio_interp.sequences import read_proteins

    form = reports.suggestion_format(out, format)  # before the model is loaded
    loaded = load_atlas(atlas, device=machine.device)
    _LOG.info("reading proteins from %s", "standard input" if source == "-" else source)
    # source files are read for the proteins that there are; with folders alone, proteins stream
    listed = None if all(map(is_table, annotations)) else list(read_proteins(source))
    found = discovery.suggest(
        loaded,
        read_proteins(source) if listed is None else listed,
        read_annotations(annotations, proteins=listed),
        min_precision=min_precision,
        margin=margin,
        kinds=read_list(kinds, "--kinds", str) if kinds else None,
    )
    with counter("proteins", draw=common.bars) as tick:
        table = found.frame(tick)
    command = printable(shlex.join(["bio-interp", *sys.argv[1:]])).replace("\n", "\\n")
    header = reports.run_header(loaded.info, min_precision, command=command)
    shown = table if top is None else table.head(top)
    reports.write_suggestions(
        reports.SuggestionReport(shown, header, found.tally.to_dict()), out, form
    )
    _LOG.info("%s", found.tally)
    return 3 if fail_empty and not table.height else 0
