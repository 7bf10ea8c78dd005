"""The randomised-weight twin, with an SAE of its own, on the labels of the benchmark.

An SAE of the same sizes is trained anew on its activations of fit proteins, and measured on the
same proteins and labels as the SAE of the atlas.
"""

import json
from dataclasses import replace
from typing import Any

import polars as pl
import torch
from _residue_sets import (
    MIN_SELECT,
    Drawn,
    Measure,
    atlas_of,
    concepts,
    harvest,
    over_sets,
    plain,
)
from _settings import LONGEST, SPLIT, Settings, drawn_at, stage
from _twin_model import twin_model

from bio_interp.activations import read_rows
from bio_interp.annotations import AnnotationTable
from bio_interp.benchmarking import Rows, compare, make_source, measure, summarise
from bio_interp.linking import Labels, lay_labels
from bio_interp.models import LanguageModel
from bio_interp.sae import SparseAutoencoder, TrainConfig, train
from bio_interp.sequences import Protein, Split, read_proteins

CORPUS = "corpus/swissprot_2014_reps50.fasta.zst"


def twin(settings: Settings) -> dict[str, Any]:
    """Measure the SAE of each model's twin beside that of its atlas: ``{model: figures}``."""
    found = dict[str, Any]()
    for name in settings.models:
        if settings.finished and not (settings.work / name / "twin/sae/facts.json").is_file():
            continue
        facts = dict[str, Any]()
        sae = twin_sae(name, settings, facts)

        def model(_: str, name: str = name) -> LanguageModel:
            return twin_model(name, settings.work, settings.seed)

        sets = over_sets(name, settings, "twin", model, _measure(name, sae, settings))
        found[name] = {"facts": facts, "sets": sets}
    return found


def twin_sae(name: str, settings: Settings, facts: dict[str, Any]) -> SparseAutoencoder:
    """Train the twin's SAE with the sizes of the atlas's, or load it; note what was done."""
    sizes, folder = settings.sizes(name), settings.work / name / "twin/sae"
    theirs = atlas_of(name).sae
    if not (folder / "facts.json").is_file():
        seconds = dict[str, float]()
        trained = theirs.provenance["training"]
        config = TrainConfig(
            d_sae=theirs.config.d_sae,
            k=theirs.config.k or trained["k"],
            total_rows=sizes.twin_rows,
            lr=trained["lr"],
            batch_rows=min(2048, sizes.twin_rows // 4),
            seed=settings.seed,
        )
        with stage(f"{name} twin: read fit proteins", seconds):
            proteins = fit_proteins(settings, sizes.twin_residues)
            rows = _rows(twin_model(name, settings.work, settings.seed), name, proteins)
        with stage(f"{name} twin: train", seconds):
            sae = train(rows, config, folder=folder)
        done = {"d_sae": config.d_sae, "k": config.k, "rows": config.total_rows,
                "rows_of_the_atlas": trained["total_rows"], "residues": len(rows),
                "proteins": len(proteins), "lr": config.lr, "seconds": seconds,
                "fvu": round(_fvu(sae, rows[:8192].float()), 4)}  # fmt: skip
        (folder / "facts.json").write_text(json.dumps(done))
    facts |= json.loads((folder / "facts.json").read_text())
    return SparseAutoencoder.load(folder)


def fit_proteins(settings: Settings, residues: int) -> list[Protein]:
    """Draw one fit protein a cluster, up to so many residues."""
    split, chosen = Split.load(SPLIT), dict[str, Protein]()
    every = (p for p in read_proteins(settings.shared / CORPUS) if split.fold(p.accession) == "fit")
    for protein in sorted(every, key=lambda p: drawn_at(p.sequence)):
        if len(protein) <= LONGEST:
            chosen.setdefault(split.cluster(protein.accession), protein)
        if sum(map(len, chosen.values())) >= residues:
            break
    return list(chosen.values())


def _rows(model: LanguageModel, name: str, proteins: list[Protein]) -> torch.Tensor:
    read = read_rows(model, (p.sequence for p in proteins), atlas_of(name).site)
    return torch.cat([rows.half() for rows in read])


def _fvu(sae: SparseAutoencoder, rows: torch.Tensor) -> float:
    rest = rows - sae.decode(sae.encode(rows))
    return float(rest.pow(2).sum() / (rows - rows.mean(0)).pow(2).sum())


def _measure(name: str, sae: SparseAutoencoder, settings: Settings) -> Measure:
    """Measure the twin's SAE, and the atlas's again, on the labels that `bench` lays."""

    def figures(drawn: Drawn, rows: Rows, _: str, table: AnnotationTable) -> dict[str, Any]:
        labels = laid(drawn, rows, table)
        fit = {a for a in rows.names if drawn.split.fold(a) == "select"}
        atlas, folder = atlas_of(name), settings.work / name / drawn.one.name / "atlas"
        ours = harvest(drawn, atlas.model, atlas.site, folder)
        pair = [
            measure(make_source("sae", ours, atlas.sae, fit), labels),
            measure(replace(make_source("sae", rows, sae, fit), name="twin"), labels),
        ]
        clusters = len(set(labels.clusters[labels.proteins_of("test")].tolist()))
        rest = compare(pair[0], pair[1:], clusters)
        return {
            "title": drawn.one.title,
            "summary": plain(summarise(pair[1:], clusters).drop("protocol")),
            "sae_minus": plain(rest),
            "concepts": concepts(pl.concat([pair[1].rows])),
        }

    return figures


def laid(drawn: Drawn, rows: Rows, table: AnnotationTable) -> Labels:
    """Lay the labels as `bench` does."""
    return lay_labels(
        table,
        rows.names,
        rows.lengths,
        folds={a: drawn.split.fold(a) for a in rows.names},
        clusters={a: drawn.split.cluster(a) for a in rows.names},
        min_clusters={"select": MIN_SELECT},
    )
