"""``bio-interp bench``."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from bio_interp.cli._job import read_shard
from bio_interp.cli._options import Common, Machine
from bio_interp.cli._show import show_json, usual_form

if TYPE_CHECKING:
    from bio_interp.annotations import AnnotationTable
    from bio_interp.benchmarking import BenchSettings, BenchTable
    from bio_interp.sequences import Protein

Evidence = Literal[
    "experimental", "combinatorial", "similarity", "sequence_model", "curator", "unknown"
]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, and how strictly."""

    split: Path | None = None
    "A `bio-interp split` file; where not given the proteins are clustered and dealt anew."
    baselines: str = "default"
    "default (neurons, pca, random, kmers), full (ica and probes too), none, or names with commas."
    evidence: Evidence | None = None
    "Weakest evidence that counts; annotations of weaker evidence become unknown."
    min_select: int = 5
    "Concepts that fewer clusters of the select fold bear are left out."
    protocol: Literal["strict", "both"] = "both"
    "both adds InterPLM's own protocol, as it is defined and with the defects of its code."
    null: int = 199
    "Permutations of labels behind the p-values of the SAE's concepts; 0 for none."
    require: Annotated[tuple[str, ...], Parameter(negative="")] = ()
    "Fail (exit code 1) unless this holds, such as 'sae.interplm.mean_f1 >= 0.5'."

    def settings(self) -> "BenchSettings":
        """Give what the library calls them."""
        from bio_interp.benchmarking import BenchSettings, names_of

        names = names_of(self.baselines)
        return BenchSettings(
            names,
            min_select=self.min_select,
            interplm=self.protocol == "both",
            null=self.null,
        )


_COMMON, _MACHINE, _COMPARISON = Common(), Machine(), Comparison()
_COLUMNS = {
    "source": "source", "protocol": "protocol", "score": "score",
    "concepts": "concepts", "above_half": "F1 > 0.5",
    "above_half_low": "low", "above_half_high": "high", "mean_f1": "mean F1",
    "mean_f1_low": "low", "mean_f1_high": "high", "select_f1": "on select", "auroc": "AUROC",
    "average_precision": "AP",
}  # fmt: skip


def bench(
    atlas: str,
    sequences: Path,
    /,
    *,
    annotations: Annotated[list[Path], Parameter(consume_multiple=True, negative="")],
    out: Annotated[Path, Parameter(alias="-o")],
    comparison: Comparison = _COMPARISON,
    shard: str = "1/1",
    format: Annotated[Literal["table", "tsv", "json"] | None, Parameter(alias="-f")] = None,
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Benchmark the features of an atlas against known annotations, baselines beside them.

    Parameters
    ----------
    atlas
        Name of an installed atlas, or folder of one.
    sequences
        FASTA or Swiss-Prot file: the annotated proteins and their background.
    annotations
        Folder that `bio-interp concepts` made, or files that an annotator reads.
    out
        Folder of the report (index.html, bench.json, Parquet) and of finished work.
    shard
        i/n: read only the i-th of n parts of the proteins; then run once without it.
    format
        table for people, tsv or json. A table on a terminal, TSV in a pipe where not given.
    """
    common.start()
    machine.start()
    from bio_interp.atlas import load_atlas
    from bio_interp.benchmarking import bench_atlas, check_expressions, require, save_bench
    from bio_interp.models import LoadOptions
    from bio_interp.sequences import Split, read_proteins

    check_expressions(comparison.require)
    proteins = list(read_proteins(sequences))
    table = _annotations(annotations, proteins, comparison.evidence)
    found = bench_atlas(
        load_atlas(atlas, options=LoadOptions(device=machine.device)),
        proteins,
        table,
        out,
        split=Split.load(comparison.split) if comparison.split else None,
        settings=comparison.settings(),
        shard=read_shard(shard),
    )
    save_bench(found, out)
    _show(found, format or usual_form())
    require(found, comparison.require)


def _annotations(
    paths: Sequence[Path], proteins: "Sequence[Protein]", evidence: Evidence | None
) -> "AnnotationTable":
    from bio_interp.annotations import at_least, filter_evidence, read_annotations

    table = read_annotations(paths, proteins=proteins)
    return filter_evidence(table, at_least(evidence)) if evidence else table


def _show(found: "BenchTable", form: str) -> None:
    from bio_interp.atlas import text_table

    if form == "json":
        show_json({"facts": dict(found.facts), "summary": found.summary.to_dicts()})
    elif form == "tsv":
        sys.stdout.write(found.summary.write_csv(separator="\t", float_precision=4))
    else:
        rows = found.summary.select(list(_COLUMNS)).iter_rows()
        sys.stdout.write(text_table(tuple(_COLUMNS.values()), rows) + "\n")
