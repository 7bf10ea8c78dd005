"""``bio-interp contrast``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from bio_interp.cli._options import AtlasName, Common, Machine, Source
from bio_interp.cli._show import TableFormat, counter, show_found

_COMMON, _MACHINE = Common(), Machine()


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Comparing:
    """How two sets are compared."""

    match: Literal["composition", "length", "none"] = "composition"
    "Match both sets in composition (and length), length alone, or nothing; the rest is left out."
    split: Path | None = None
    "Clusters to use, as `bio-interp split` writes them."
    features: int = 20
    "So many features are chosen on half of the clusters and scored on the other."
    permutations: int = 999
    "Labellings without meaning that the scores are compared with, 199 or more."
    seed: int = 0
    "Deals the halves, and permutes."


_COMPARING = Comparing()


def contrast(
    positives: Source,
    negatives: Source | None = None,
    /,
    *,
    residues: Path | None = None,
    atlas: AtlasName = "unirep",
    how: Comparing = _COMPARING,
    table: Literal["scores", "balance"] = "scores",
    format: Annotated[TableFormat | None, Parameter(alias="-f")] = None,
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Find the features that separate two sets of proteins, or spans from what is around them.

    Parameters
    ----------
    positives, negatives
        FASTA or Swiss-Prot files. No protein may be in both, and a homology cluster with proteins
        of both is left out.
    residues
        In place of NEGATIVES: file of spans (accession, start, end, with tabs between them) of the
        positives. Residues in them are compared with those outside, protein by protein.
    atlas
        Name of an installed atlas, or the folder of one.
    table
        What tsv has: the scores, or how alike the sets are before and after matching.
    format
        table for people, tsv, or json with everything. A table on a terminal and TSV in a pipe
        where not given.
    """
    common.start()
    machine.start()
    from bio_interp.atlas import load_atlas
    from bio_interp.discovery import ContrastOptions
    from bio_interp.discovery import contrast as contrast_sets
    from bio_interp.sequences import Split

    with counter("proteins", draw=common.bars) as tick:
        found = contrast_sets(
            load_atlas(atlas, device=machine.device),
            positives,
            negatives,
            residues=residues,
            split=Split.load(how.split) if how.split else None,
            options=ContrastOptions(how.match, how.features, how.permutations, how.seed),
            tick=tick,
        )
    show_found(found, found.balance if table == "balance" else found.scores, format)
