"""``bio-interp concepts``."""

import logging
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bio_interp.cli._options import Common
from bio_interp.cli._show import show_rows

_COMMON = Common()
_LOG = logging.getLogger(__name__)


def concepts(
    *files: Path,
    out: Annotated[Path, Parameter(alias="-o")],
    proteins: Path | None = None,
    annotator: str | None = None,
    option: dict[str, str] | None = None,
    common: Common = _COMMON,
) -> None:
    """Turn annotation files (UniProt, Pfam, PROSITE ...) into a table of concepts.

    Parameters
    ----------
    files
        Files that an installed annotator reads; which one is told by content.
    out
        Folder to write: rows, coverage and concepts as Parquet.
    proteins
        FASTA or Swiss-Prot file, for annotators that search sequences (Pfam, PROSITE).
    annotator
        Name of the annotator that reads all files; told by content where not given.
    option
        Options of the annotator, as --option.NAME VALUE.
    """
    common.start()
    from bio_interp.annotations import collect
    from bio_interp.sequences import read_proteins

    known = list(read_proteins(proteins)) if proteins else None
    table = collect(list(files), proteins=known, annotator=annotator, options=option)
    table.save(out, {"files": [str(file) for file in files]})
    _LOG.info("%s", table)
    counts = (("rows", table.rows.height), ("concepts", table.concepts.height))
    show_rows(("table", "count"), counts)
