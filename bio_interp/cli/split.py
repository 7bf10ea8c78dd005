"""``bio-interp split``."""

import logging
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from bio_interp.cli._options import Common
from bio_interp.cli._show import show_rows

_COMMON = Common()
_LOG = logging.getLogger(__name__)


def split(
    *sources: str,
    out: Annotated[Path, Parameter(alias="-o")],
    method: Literal["auto", "mmseqs", "kmer"] = "auto",
    common: Common = _COMMON,
) -> None:
    """Cluster proteins by homology and deal the clusters into fit, select, calibrate, test.

    Parameters
    ----------
    sources
        FASTA or Swiss-Prot files of all proteins that will be used, together.
    out
        TSV to write: accession, cluster, fold.
    method
        mmseqs is MMseqs2 at 30 % identity; kmer a rough fallback; auto takes MMseqs2 if it can.
    """
    common.start()
    from itertools import chain

    from bio_interp.sequences import FOLDS, make_split, read_proteins

    made = make_split(chain.from_iterable(map(read_proteins, sources)), method=method)
    made.save(out)
    _LOG.info("%s, hash %s", out, made.hash)
    counts = Counter({fold: len(made.accessions(fold)) for fold in FOLDS})
    show_rows(("fold", "proteins"), list(counts.items()))
