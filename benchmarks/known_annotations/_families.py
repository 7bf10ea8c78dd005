"""Families, their proteins, activations and SAEs: what the Pfam part measures."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import torch

from bio_interp.activations import ActivationStore
from bio_interp.annotations import AnnotationTable, collect
from bio_interp.cache import data_folder
from bio_interp.models import LoadOptions, load_model
from bio_interp.sae import SparseAutoencoder, TrainConfig, train
from bio_interp.sequences import Protein, Split, read_proteins

LONGEST = 450  # residues of a protein of the universe


@dataclass(frozen=True)
class SaeSize:
    """How an SAE of this benchmark is trained."""

    rows: int
    passes: float
    d_sae: int
    architecture: str
    folds: tuple[str, ...]
    prefixes: tuple[int, ...] = ()
    lr: float = 4e-4


EVERY, UNTESTED = ("fit", "select", "calibrate", "test"), ("fit", "calibrate")


@dataclass(frozen=True)
class PfamSizes:
    """How large this part is.

    Attributes
    ----------
    model, site
        What is tapped.
    sketch, ours, matryoshka
        The SAEs.
    family, families
        Proteins drawn of a family, and families at most.
    whole
        Whether the whole corpus is scanned and the strict question is asked; else the hits that
        were found before serve, and the universe alone is measured.
    """

    model: str
    site: str
    sketch: SaeSize
    ours: SaeSize
    matryoshka: SaeSize
    family: int
    families: int
    whole: bool


FULL = PfamSizes(
    "unirep", "layer.1", SaeSize(1_000_000, 2, 4096, "topk", EVERY),
    SaeSize(1_900_000, 2, 8192, "batchtopk", UNTESTED),
    SaeSize(1_900_000, 4, 4096, "batchtopk", UNTESTED, (256, 1024, 4096), 8e-4), 60, 10_000, True,
)  # fmt: skip
QUICK = PfamSizes(
    "reference", "layer.3", SaeSize(8_000, 1, 256, "topk", EVERY),
    SaeSize(8_000, 2, 256, "batchtopk", UNTESTED),
    SaeSize(8_000, 2, 256, "batchtopk", UNTESTED, (32, 256), 8e-4), 16, 6, False,
)  # fmt: skip


@dataclass(frozen=True)
class Universe:
    """Where the parts of the benchmark lie, and what they are made of."""

    data: Path
    work: Path
    split: Split
    sizes: PfamSizes

    def proteins(self) -> dict[str, Protein]:
        """Read the corpus, proteins of 30 to 1,022 residues."""
        found = read_proteins(self.data / "corpus/swissprot_2014_reps50.fasta.zst")
        return {p.accession: p for p in found if 30 <= len(p) <= 1022}

    def table(self, proteins: dict[str, Protein]) -> AnnotationTable:
        """Read the hits that were found before, and scan the rest of the corpus."""
        folder = self.work / "pfam"
        if not (folder / "annotations.json").is_file():
            corpus = self.data / "corpus"
            files = [corpus / "pfam_hits_48k.tsv.gz", corpus / "pfam_scanned_48k.txt.gz"]
            options: dict[str, str] = {}
            if self.sizes.whole:
                profiles = data_folder("pfam-gecco")
                files += [profiles / "Pfam.h3m", profiles / "interpro.json"]
                options["folder"] = str(self.work / "scan")
            found = collect(files, proteins=list(proteins.values()), options=options)
            found.save(folder)
        return AnnotationTable.load(folder)

    def harvest(self, name: str, proteins: Sequence[Protein]) -> ActivationStore:
        """Read proteins with the model; what is there is not read again."""
        model, site = load_model(self.sizes.model, LoadOptions()), self.sizes.site
        store = ActivationStore.create(
            self.work / name, proteins, d_model=model.info.sites[site],
            settings={"model": self.sizes.model, "site": site},
        )  # fmt: skip
        store.harvest(model, site, {p.accession: p for p in proteins})
        return store

    def sae(self, name: str, store: ActivationStore, names: Sequence[str], size: SaeSize) -> Any:
        """Train an SAE on rows of some proteins, or take up the one that is there."""
        folder = self.work / name
        if not (folder / "sae.json").is_file():
            rows = _rows(store, names, size.rows)
            config = TrainConfig(
                d_sae=size.d_sae, k=32, total_rows=int(len(rows) * size.passes), batch_rows=2048,
                lr=size.lr, architecture=size.architecture, prefixes=size.prefixes,
                precision="bf16",
            )  # fmt: skip
            train(_epochs(rows), config, folder=folder)
        return SparseAutoencoder.load(folder)


def draw_families(
    table: AnnotationTable, proteins: dict[str, Protein], sizes: PfamSizes
) -> tuple[dict[str, list[str]], list[str]]:
    """Draw as many proteins of every family that has so many, and list all of them."""
    rows = table.rows.filter(~pl.col("concept").str.starts_with("pfam-group"))
    bearing = defaultdict[str, set[str]](set)
    for concept, accession in rows.select("concept", "accession").iter_rows():
        if accession in proteins and len(proteins[accession]) <= LONGEST:
            bearing[concept].add(accession)
    large = [c for c in bearing if len(bearing[c]) >= sizes.family][: sizes.families]
    families = {
        c: sorted(bearing[c], key=lambda a: hashed("u1" + a))[: sizes.family] for c in large
    }
    members = {a for names in families.values() for a in names}
    return families, sorted(members, key=lambda a: hashed("u2" + a))


def _rows(store: ActivationStore, names: Sequence[str], most: int) -> torch.Tensor:
    """Take the rows of proteins, in order, until there are enough."""
    lengths = dict(zip(store.accessions, store.offsets[1:] - store.offsets[:-1], strict=True))
    kept, have = set[str](), 0
    for name in names:
        if have >= most:
            break
        kept.add(name)
        have += int(lengths[name])
    rows, first = torch.empty(have, store.d_model, dtype=torch.float16), 0
    for _, part in store.proteins(kept):
        rows[first : first + len(part)] = part.half()
        first += len(part)
    return rows


def _epochs(rows: torch.Tensor) -> Any:
    def epoch(number: int) -> Iterator[torch.Tensor]:
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(number))
        return (rows[part].float() for part in order.split(8192))

    return epoch


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
