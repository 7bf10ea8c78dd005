"""Pfam families: an SAE of UniRep-1900 against a sketch of one and the model's own neurons.

Two questions. *Universe*: 60 proteins of up to 450 residues of every family that has so many,
members only, a quarter of the proteins unseen by SAE and choice. *Strict*: all families and groups,
false positives over scanned proteins of the whole corpus, on the folds of the frozen split.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from bio_interp.activations import ActivationStore
from bio_interp.annotations import AnnotationTable, collect
from bio_interp.benchmarking import (
    BenchSettings,
    BenchTable,
    Rows,
    bench,
    compare,
    make_source,
    measure,
    summarise,
)
from bio_interp.building._parts import SamplePart
from bio_interp.building._sample import Sampler, load_draw, save_draw, weights
from bio_interp.cache import data_folder
from bio_interp.linking import lay_labels
from bio_interp.models import LoadOptions, load_model
from bio_interp.sae import SparseAutoencoder, TrainConfig, train
from bio_interp.sequences import Protein, Split, read_proteins

SITE = "layer.1"
FAMILY, LONGEST = 60, 450  # proteins of a family, and their residues at most
SHARE = 0.05  # of the residues where neurons are tried: no family fills more than 1 %
_LOG = logging.getLogger("bio_interp.known_annotations")


@dataclass(frozen=True)
class SaeSize:
    """How an SAE of this benchmark is trained."""

    rows: int
    passes: float
    d_sae: int
    architecture: str
    folds: tuple[str, ...]


SKETCH = SaeSize(1_000_000, 2, 4096, "topk", ("fit", "select", "calibrate", "test"))
OURS = SaeSize(1_900_000, 2, 8192, "batchtopk", ("fit", "calibrate"))


@dataclass(frozen=True)
class Universe:
    """Where the parts of the benchmark lie, and what they are made of."""

    data: Path
    work: Path
    split: Split
    threads: int

    def proteins(self) -> dict[str, Protein]:
        """Read the corpus, proteins of 30 to 1,022 residues."""
        found = read_proteins(self.data / "corpus/swissprot_2014_reps50.fasta.zst")
        return {p.accession: p for p in found if 30 <= len(p) <= 1022}

    def table(self, proteins: dict[str, Protein]) -> AnnotationTable:
        """Read the hits that were found before, and scan the rest of the corpus."""
        folder = self.work / "pfam"
        if not (folder / "annotations.json").is_file():
            profiles = data_folder("pfam-gecco")
            corpus = self.data / "corpus"
            files = [corpus / "pfam_hits_48k.tsv.gz", corpus / "pfam_scanned_48k.txt.gz"]
            files += [profiles / "Pfam.h3m", profiles / "interpro.json"]
            options = {"folder": str(self.work / "scan"), "threads": str(self.threads)}
            found = collect(files, proteins=list(proteins.values()), options=options)
            found.save(folder)
        return AnnotationTable.load(folder)

    def harvest(self, name: str, proteins: Sequence[Protein]) -> ActivationStore:
        """Read proteins with UniRep; what is there is not read again."""
        store = ActivationStore.create(
            self.work / name, proteins, d_model=1900, settings={"model": "unirep", "site": SITE}
        )
        if store.missing():
            model = load_model("unirep", LoadOptions())
            store.harvest(model, SITE, {p.accession: p for p in proteins})
        return store

    def sae(self, name: str, store: ActivationStore, names: Sequence[str], size: SaeSize) -> Any:
        """Train an SAE on rows of some proteins, or take up the one that is there."""
        folder = self.work / name
        if not (folder / "sae.json").is_file():
            rows = _rows(store, names, size.rows)
            config = TrainConfig(
                d_sae=size.d_sae, k=32, total_rows=int(len(rows) * size.passes), batch_rows=2048,
                lr=4e-4, architecture=size.architecture, precision="bf16",
            )  # fmt: skip
            train(_epochs(rows), config, folder=folder)
        return SparseAutoencoder.load(folder)


def pfam(universe: Universe) -> dict[str, Any]:
    """Measure both questions."""
    proteins = universe.proteins()
    table = universe.table(proteins)
    families, members = draw_families(table, proteins)
    quarter = {a for a in members if int(_hash("quarter" + a)[:8], 16) % 4 == 0}
    store = universe.harvest("activations-universe", [proteins[a] for a in members])
    saes = {
        name: universe.sae(
            f"sae-{name}", store,
            [a for a in members if a not in quarter and universe.split.fold(a) in size.folds], size,
        )
        for name, size in (("sketch", SKETCH), ("ours", OURS))
    }  # fmt: skip
    result = {"families": len(families), "universe_proteins": len(members)}
    result["universe"] = _universe(universe, store, saes, table, families, quarter, proteins)
    result["strict"] = _strict(universe, store, saes, table, proteins)
    return result


def draw_families(
    table: AnnotationTable, proteins: dict[str, Protein]
) -> tuple[dict[str, list[str]], list[str]]:
    """Draw 60 proteins of every family that has so many, and list all of them."""
    rows = table.rows.filter(~pl.col("concept").str.starts_with("pfam-group"))
    bearing = defaultdict[str, set[str]](set)
    for concept, accession in rows.select("concept", "accession").iter_rows():
        if accession in proteins and len(proteins[accession]) <= LONGEST:
            bearing[concept].add(accession)
    families = {
        c: sorted(m, key=lambda a: _hash("u1" + a))[:FAMILY]
        for c, m in bearing.items()
        if len(m) >= FAMILY
    }
    members = {a for names in families.values() for a in names}
    return families, sorted(members, key=lambda a: _hash("u2" + a))


def _universe(
    universe: Universe,
    store: ActivationStore,
    saes: dict[str, SparseAutoencoder],
    table: AnnotationTable,
    families: dict[str, list[str]],
    quarter: set[str],
    proteins: dict[str, Protein],
) -> dict[str, Any]:
    # a quarter is unseen; features are chosen on as many again and more, a half, to save time
    names = [a for a in store.accessions if a in quarter or int(_hash("half" + a)[:8], 16) % 3 < 2]
    sequences = {a: proteins[a].sequence for a in names}
    folds = {a: "test" if a in quarter else "select" for a in names}
    wanted = pl.Series(list(families), dtype=pl.String).implode()
    some = AnnotationTable(
        table.rows.filter(pl.col("concept").is_in(wanted)), table.coverage, table.concepts
    )
    labels = lay_labels(
        some, names, np.array([len(sequences[a]) for a in names]), folds=folds,
        clusters={a: a for a in names}, min_clusters={"select": 5},
    )  # fmt: skip
    measured = []
    for name, kind in (("ours", "sae"), ("sketch", "sae"), ("neurons", "neurons")):
        rows = Rows([store], frozenset(names), sequences, universe.work / "universe" / name)
        source = make_source(
            kind, rows, saes.get(name, saes["ours"]), set(names) - quarter, dense_share=SHARE
        )
        _LOG.info("universe: %s", name)
        one = measure(source, labels, ("interplm", "residue"))
        measured.append(type(one)(name, one.rows, one.sums, one.screened))
    clusters = len(quarter)
    return {
        "summary": _plain(summarise(measured, clusters)),
        "ours_minus": _plain(compare(measured[0], measured[1:], clusters)),
        "all_families": _all_families(measured),
        "residues": sum(map(len, sequences.values())),
        "test_proteins": clusters,
    }


def _all_families(measured: Sequence[Any]) -> dict[str, Any]:
    """Give the sketch's own figures: over all families, also those of few test proteins."""
    found: dict[str, Any] = {}
    for one in measured:
        for (score,), part in one.rows.group_by("score"):
            found[f"{one.name}_{score}"] = {
                "above_half": int((part["f1"] > 0.5).sum()),
                "families": part.height,
                "mean_f1": round(float(part["f1"].mean()), 4),
            }
    return found


def _strict(
    universe: Universe,
    store: ActivationStore,
    saes: dict[str, SparseAutoencoder],
    table: AnnotationTable,
    proteins: dict[str, Protein],
) -> dict[str, Any]:
    part = SamplePart(
        fit_residues=1, longest=1022, families=("pfam",), background=0.2, members=1, common=5,
        seed="known annotations 1",
    )  # fmt: skip
    path = universe.work / "strict.tsv"
    if not path.is_file():
        save_draw(Sampler(proteins, universe.split, part).draw(table, fit=False), path)
    drawn = [d for d in load_draw(path) if d.fold in ("select", "test")]
    here = set(store.accessions)
    extra = [proteins[d.accession] for d in drawn if d.accession not in here]
    stores = [store, universe.harvest("activations-strict", extra)]
    names = frozenset(d.accession for d in drawn)
    sequences = {a: proteins[a].sequence for a in names}
    found: dict[str, Any] = {}
    for name, baselines in (("ours", ("neurons", "kmers")), ("sketch", ())):
        rows = Rows(stores, names, sequences, universe.work / "strict" / name)
        settings = BenchSettings(baselines, dense_share=SHARE, null=99 if baselines else 0)
        _LOG.info("strict: %s", name)
        result = bench(rows, saes[name], table, universe.split, settings, weights=weights(drawn))
        result.rows.write_parquet(universe.work / f"strict-{name}.parquet")
        found[name] = _bench_figures(result)
    return found


def _bench_figures(result: BenchTable) -> dict[str, Any]:
    return {
        "facts": dict(result.facts),
        "summary": _plain(result.summary),
        "sae_minus": _plain(result.paired),
    }


def _plain(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None).round(5)).to_dicts()


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


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def main(data: Path, work: Path, split: Path, threads: int) -> None:
    """Measure and write ``pfam.json`` into the work folder."""
    result = pfam(Universe(data, work, Split.load(split), threads))
    (work / "pfam.json").write_text(json.dumps(result, indent=1))
