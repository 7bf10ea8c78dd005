"""``bio-interp suggest``."""

import logging
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter, validators

from bio_interp.cli._options import AtlasName, Common, Machine, Source, read_list
from bio_interp.cli._show import counter
from bio_interp.errors import printable

if TYPE_CHECKING:
    from bio_interp.annotations import AnnotationTable
    from bio_interp.sequences import Protein


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Written:
    """What is written, and where."""

    top: Annotated[int | None, Parameter(validator=validators.Number(gte=1))] = None
    "Write the best so many only."
    fail_empty: Annotated[bool, Parameter(negative="")] = False
    "Exit with 3 where there is no suggestion."
    out: Annotated[Path | None, Parameter(alias="-o")] = None
    "File to write; standard output where not given."
    format: Annotated[Literal["table", "tsv", "json", "parquet"] | None, Parameter(alias="-f")] = (
        None
    )
    "Guessed from the suffix of -o; else a table on a terminal, TSV in a pipe."


_COMMON, _MACHINE, _WRITTEN = Common(), Machine(), Written()
_LOG = logging.getLogger(__name__)


def suggest(
    source: Source,
    /,
    *,
    annotations: Annotated[list[Path], Parameter(consume_multiple=True, negative="")],
    atlas: AtlasName = "unirep",
    min_precision: float = 0.8,
    kinds: str | None = None,
    margin: int = 5,
    written: Written = _WRITTEN,
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
        Look at calls of these kinds only, with commas between them: uniprot:BINDING,pfam.
    margin
        Leave out a span this many residues or fewer away from an annotation that says the same.
    """
    common.start()
    machine.start()
    from bio_interp import discovery, reports
    from bio_interp.atlas import load_atlas

    form = reports.suggestion_format(written.out, written.format)  # before the model is loaded
    loaded = load_atlas(atlas, device=machine.device)
    _LOG.info("reading proteins from %s", "standard input" if source == "-" else source)
    proteins, known = _read(source, annotations)
    chosen = read_list(kinds, "--kinds", str) if kinds else None
    found = discovery.suggest(
        loaded, proteins, known, min_precision=min_precision, margin=margin, kinds=chosen
    )
    with counter("proteins", draw=common.bars) as tick:
        table = found.frame(tick)
    command = printable(shlex.join(["bio-interp", *sys.argv[1:]])).replace("\n", "\\n")
    header = reports.run_header(loaded.info, min_precision, command=command)
    shown = table if written.top is None else table.head(written.top)
    report = reports.SuggestionReport(shown, header, found.tally.to_dict())
    reports.write_suggestions(report, written.out, form)
    _LOG.info("%s", found.tally)
    return 3 if written.fail_empty and not table.height else 0


def _read(source: str, annotations: Sequence[Path]) -> "tuple[Iterable[Protein], AnnotationTable]":
    """Read proteins and annotations; proteins stream where all annotations are folders.

    Source files are read for the proteins that there are, so these are held in memory.
    """
    from bio_interp.annotations import is_table, read_annotations
    from bio_interp.sequences import read_proteins

    proteins = read_proteins(source)
    if all(map(is_table, annotations)):
        return proteins, read_annotations(annotations)
    listed = list(proteins)
    return listed, read_annotations(annotations, proteins=listed)
