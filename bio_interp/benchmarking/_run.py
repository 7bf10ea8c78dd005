"""Benchmark an atlas on proteins and annotations of your own, in a folder that resumes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from bio_interp.benchmarking._bench import BenchSettings, BenchTable, bench
from bio_interp.benchmarking._rows import Rows
from bio_interp.errors import AnnotationError, NotFoundError
from bio_interp.sequences import Fold, Protein, Split, make_split

if TYPE_CHECKING:
    from bio_interp.annotations import AnnotationTable
    from bio_interp.atlas import Atlas

_LOG = logging.getLogger(__name__)
# where nothing is trained, all clusters serve: two thirds to choose on, a third to report on
_TWO: dict[Fold, Fold] = {
    "fit": "select", "select": "select", "calibrate": "test", "test": "test",
}  # fmt: skip


def bench_atlas(
    atlas: Atlas,
    proteins: Sequence[Protein],
    table: AnnotationTable,
    folder: Path,
    *,
    split: Split | None = None,
    settings: BenchSettings | None = None,
    shard: tuple[int, int] = (1, 1),
) -> BenchTable:
    """Read proteins with the model of an atlas and benchmark its features on them.

    Parameters
    ----------
    atlas
        Its model and SAE.
    proteins
        Those that are annotated and their background: false positives count in all of them.
    table
        Annotations.
    folder
        Work that is finished is kept here and taken up again.
    split
        Homology clusters and folds: *select* and *test* are used. Where None, the proteins are
        clustered, and the clusters dealt into two thirds to choose on and a third to report on.
    settings
        Baselines and sizes.
    shard
        ``(i, n)``: read only the i-th of n parts of the proteins. When all parts have been read,
        a call without it makes the table.

    Raises
    ------
    AnnotationError
        No annotation is of these proteins, or one lies beyond the end of its sequence.
    MismatchError
        The folder holds activations of another model, site or proteins.
    NotFoundError
        Parts of the proteins have not been read yet.
    """
    from bio_interp.activations import ActivationStore

    check_annotations(table, proteins)
    split = split or _two_folds(make_split(proteins))
    known = {p.accession: p for p in proteins if p.accession in split}
    used = [p for p in known.values() if split.fold(p.accession) in ("select", "test")]
    info = atlas.model.info
    store = ActivationStore.create(
        folder / "activations",
        used,
        d_model=info.sites[atlas.site],
        settings={"model.site": atlas.site, "model.weights_sha256": info.weights_sha256},
    )
    store.harvest(atlas.model, atlas.site, known, shard=shard)
    if missing := store.missing():
        raise NotFoundError(
            f"all {store.blocks} blocks of activations in {folder / 'activations'}",
            f"{len(missing)} not read yet",
            "Run the other parts (--shard) too, and then once without --shard.",
        )
    sequences = {p.accession: p.sequence for p in used}
    rows = Rows([store], frozenset(sequences), sequences, folder / "sources")
    result = bench(rows, atlas.sae, table, split, settings)
    seen = sum(atlas.pricer.exposure(p.sequence) == "seen" for p in used)
    facts = {"atlas": atlas.name, "model": info.name, "site": atlas.site}
    facts |= {"exposure": exposure_text(seen, len(used)), "seen_by_sae_and_links": seen}
    return replace(result, facts={**facts, **result.facts})


def exposure_text(seen: int, proteins: int) -> str:
    """Say how far the proteins are unseen."""
    return (
        f"{seen} of {proteins} sequences were read when the atlas was made; relatives of others "
        "may have been, and the language model may have seen any of them"
    )


def check_annotations(table: AnnotationTable, proteins: Sequence[Protein]) -> None:
    """Refuse annotations of other proteins, or beyond the end of a sequence."""
    lengths: Mapping[str, int] = {p.accession: len(p) for p in proteins}
    named = pl.Series(list(lengths), dtype=pl.String).implode()
    rows = table.rows.filter(pl.col("accession").is_in(named))
    if not rows.height:
        theirs = ", ".join(table.rows["accession"].unique(maintain_order=True).head(3)) or "none"
        raise AnnotationError(
            f"annotations of the proteins that were given ({', '.join(list(lengths)[:3])} ...)",
            f"annotations of {table.rows['accession'].n_unique()} others ({theirs} ...)",
            "Use the same accessions in both; `P12345` is read from `sp|P12345|NAME`.",
        )
    length = pl.col("accession").replace_strict(lengths, return_dtype=pl.Int64)
    beyond = rows.filter(pl.col("end") > length)
    if beyond.height:
        first = beyond.row(0, named=True)
        raise AnnotationError(
            "annotations within the sequences",
            f"{first['concept']} at {first['start']}-{first['end']} of {first['accession']}, "
            f"which has {lengths[first['accession']]} residues (and {beyond.height - 1} more)",
            "Give the sequences of the release that was annotated.",
        )


def _two_folds(split: Split) -> Split:
    rows: dict[str, tuple[str, Fold]] = {
        name: (cluster, _TWO[fold]) for name, (cluster, fold) in split.rows.items()
    }
    return Split(rows, {**split.facts, "folds": "fit and select choose, the others report"})
