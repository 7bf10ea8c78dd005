"""An atlas that is linked anew and reads stored codes in place of a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
from scipy.sparse import csc_matrix

from bio_interp.annotations import AnnotationTable
from bio_interp.atlas import Annotations, Atlas, ProteinResult, ProteinStatus
from bio_interp.features import FeatureStore
from bio_interp.linking import link
from bio_interp.sequences import Protein, Split


class StoredAtlas(Atlas):
    """Links of one's own beside the stored codes of an SAE."""

    def __init__(self, folder: Path, store: FeatureStore) -> None:
        super().__init__(folder)
        self._store = store

    def annotate(
        self, proteins: Iterable[Protein], *, min_precision: float = 0.8, **_: bool
    ) -> Annotations:
        """Make and price the calls as `Atlas.annotate` does, from stored codes."""

        def results() -> Iterator[ProteinResult]:
            for protein in proteins:
                raw = self.pricer.caller.calls(csc_matrix(self._store.protein(protein.accession)))
                calls, _ = self.pricer.price(protein, raw, min_precision)
                status = ProteinStatus(protein.accession, len(protein), "ok", len(calls))
                yield ProteinResult(status, tuple(calls))

        return Annotations(results())


def relink(
    original: Atlas, store: FeatureStore, known: AnnotationTable, split: Split, folder: Path
) -> StoredAtlas:
    """Link and calibrate on what is known, and on nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    links, _ = link(store, known, split)
    links.save(folder)
    replace(original.info, name="relinked").save(folder)
    (folder / "sae.json").write_bytes((original.folder / "sae.json").read_bytes())
    unseen = pl.DataFrame({"sequence_hash": []}, schema={"sequence_hash": pl.Int64})
    unseen.write_parquet(folder / "exposure.parquet")
    return StoredAtlas(folder, store)
