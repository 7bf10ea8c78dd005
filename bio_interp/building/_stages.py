"""The stages of a build, in order; each takes up what is there."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from bio_interp.annotations import AnnotationTable, collect
from bio_interp.building._job import Job
from bio_interp.building._sample import EVALUATED, Drawn, Sampler, load_draw, save_draw, weights
from bio_interp.errors import InputError, NotFoundError
from bio_interp.plugins import load_plugin
from bio_interp.provenance import atomic_path, sha256_file, write_json
from bio_interp.sequences import Protein, Split

if TYPE_CHECKING:
    from bio_interp.activations import ActivationStore
    from bio_interp.features import FeatureStore
    from bio_interp.linking import LinkTable

Shard = tuple[int, int]
WHOLE: Shard = (1, 1)
_SHARD_PROTEINS = 1024  # of the store of codes: what a kill loses at most
_DENSE = 0.05  # of the residues, where neurons are on at most; concepts are rarer
_log = logging.getLogger(__name__)


def annotate(job: Job) -> AnnotationTable:
    """Collect the annotations of all proteins of the folds that are linked."""
    folder = job.claim("annotations")
    if (folder / "annotations.json").is_file():
        return AnnotationTable.load(folder)
    sampler = Sampler(job.proteins, job.split, job.recipe.sample)
    proteins = [job.proteins[a] for fold in EVALUATED for a in sampler.candidates(fold)]
    tables: list[AnnotationTable] = []
    for source in annotation_sources(job):
        _log.info("annotations: %s", source.name)
        tables.append(source.read(proteins, folder / source.name))
    table = AnnotationTable.concat(tables)
    table.save(folder)
    return table


@dataclass(frozen=True)
class Source:
    """One source of annotations: an annotator and its files, or a finished table.

    An annotator plugin whose work takes long may have an attribute ``resumable = True``: it is
    then given the option ``folder``, where it keeps what it finished.
    """

    name: str
    paths: Sequence[Path]
    options: Mapping[str, str]
    resumable: bool

    def read(self, proteins: Sequence[Protein], folder: Path) -> AnnotationTable:
        """Read the annotations of some proteins; `folder` is for one that is resumable."""
        if self.name == "table":
            table = AnnotationTable.load(self.paths[0])
        else:
            more = {"folder": str(folder)} if self.resumable else {}
            options = {**self.options, **more}
            table = collect(self.paths, proteins=proteins, annotator=self.name, options=options)
        return _restricted(table, {p.accession for p in proteins})


def annotation_sources(job: Job) -> list[Source]:
    """List the sources of a recipe; their files are there."""
    part, sources = job.recipe.annotations, list[Source]()
    if part.table is not None:
        sources.append(Source("table", [job.file(part.table)], {}, False))
    for name, of in part.annotators.items():
        resumable = bool(getattr(load_plugin("annotators", name), "resumable", False))
        sources.append(Source(name, job.files(of.files), of.options, resumable))
    return sources


def _restricted(table: AnnotationTable, keep: set[str]) -> AnnotationTable:
    names = pl.Series(sorted(keep), dtype=pl.String).implode()
    mine = pl.col("accession").is_in(names)
    return AnnotationTable(table.rows.filter(mine), table.coverage.filter(mine), table.concepts)


def sample(job: Job) -> list[Drawn]:
    """Draw the proteins that are read."""
    folder = job.claim("sample")
    path = folder / "sample.tsv"
    if not path.is_file():
        table = annotate(job) if job.sample_needs_annotations else AnnotationTable.concat([])
        sampler = Sampler(job.proteins, job.split, job.recipe.sample)
        save_draw(sampler.draw(table, fit=job.recipe.sae.load is None), path)
    return load_draw(path)


def harvest(job: Job, shard: Shard = WHOLE) -> ActivationStore:
    """Read the drawn proteins with the model, block by block."""
    from bio_interp.activations import ActivationStore

    drawn = sample(job)
    folder = job.claim("activations")
    if (folder / "manifest.json").is_file():
        store = ActivationStore.open(folder)
        if not store.missing():  # the model need not be loaded
            return store
    info = job.model.info
    store = ActivationStore.create(
        folder,
        [job.proteins[d.accession] for d in drawn],
        d_model=job.d_model,
        settings={"model.site": job.recipe.model.site, "model.weights_sha256": info.weights_sha256},
    )
    store.harvest(job.model, job.recipe.model.site, job.proteins, shard=shard)
    return store


def harvested(job: Job) -> ActivationStore:
    """Open the finished harvest; `NotFoundError` where it is not finished."""
    from bio_interp.activations import ActivationStore

    folder = job.claim("activations")
    store = ActivationStore.open(folder)
    if missing := store.missing():
        raise NotFoundError(
            f"all {store.blocks} blocks of activations in {folder}",
            f"{len(missing)} not there yet",
            f"Run `bio-interp harvest {job.recipe.path}`, with every one of its shards.",
        )
    return store


def train(job: Job) -> Path:
    """Train the SAE, or check the one to start from; give the folder of what ships."""
    from bio_interp.atlas import probe_rows
    from bio_interp.building._training import load_sae, sae_folder, store_sae, train_sae

    folder, part, site = job.claim("sae"), job.recipe.sae, job.recipe.model.site
    if (folder / "sae.json").is_file():
        return folder
    if part.load is not None:
        sae = load_sae(sae_folder(job.file(part.load)), job.model, site)
    else:
        fit = {d.accession for d in sample(job) if d.fold == "fit"}
        store = harvested(job)
        device = training_device(job)
        sae = train_sae(store, fit, part, job.model, site, folder / "run", device)
    store_sae(sae, folder, part, probe_rows(job.model, site))
    return folder


def training_device(job: Job) -> str:
    """Resolve the device that the SAE is trained on: the model's."""
    from bio_interp.models import resolve_device

    return str(resolve_device(job.device))


def encode(job: Job, shard: Shard = WHOLE) -> FeatureStore:
    """Encode the proteins of select, calibrate and test.

    A shard of several goes into a store of its own; without shards, everything is put into one
    store in the order of the harvest, taking what shards have encoded.
    """
    from bio_interp.features import FeatureStore
    from bio_interp.sae import SparseAutoencoder

    folder = job.claim("codes")
    harvest, weights_file = harvested(job), train(job) / "sae.safetensors"
    sae = SparseAutoencoder.load(weights_file.parent)
    settings = {"sae": sha256_file(weights_file)}
    parts = [FeatureStore.open(f.parent) for f in sorted(folder.glob("*-of-*/manifest.json"))]
    place = folder / ("all" if shard == WHOLE else f"{shard[0]:03d}-of-{shard[1]:03d}")
    store = FeatureStore.create(place, d_sae=sae.config.d_sae, settings=settings)
    done, wanted = store.done(), {d.accession for d in sample(job) if d.fold in EVALUATED}
    have = {name: part for part in parts for name in part.accessions} if shard == WHOLE else {}
    with store.writer(shard_proteins=_SHARD_PROTEINS) as writer:
        for block in range(shard[0] - 1, harvest.blocks, shard[1]):
            names = [harvest.accessions[i] for i in harvest.members(block)]
            todo = [name for name in names if name in wanted and name not in done]
            fresh = dict(harvest.proteins_of(block, set(todo) - set(have)))
            for name in todo:
                codes = sae.encode(fresh[name]) if name in fresh else have[name].protein(name)
                writer.add(name, codes)
    return FeatureStore.open(place)


def link(job: Job) -> tuple[LinkTable, Mapping[str, Any]]:
    """Link features to concepts, price calls, and measure both on the test fold."""
    from bio_interp.linking import LinkTable

    folder = job.claim("links")
    if (folder / "figures.json").is_file():
        import json

        return LinkTable.load(folder), json.loads((folder / "figures.json").read_text())
    return _link(job, folder)


def _link(job: Job, folder: Path) -> tuple[LinkTable, Mapping[str, Any]]:
    from bio_interp.linking import calibration_figures, link, link_figures

    drawn, table, store = sample(job), annotate(job), encode(job)
    least = {
        "min_select": job.recipe.link.min_select,
        "min_calibrate": job.recipe.link.min_calibrate,
    }
    _check_concepts(job, table, drawn)
    linked, calls = link(store, table, job.split, weights=weights(drawn), **least)
    tested = sum(d.weight for d in drawn if d.fold == "test")
    measured: dict[str, Any] = {
        "links": link_figures(linked),
        "calibration": calibration_figures(linked, calls, tested),
    }
    if job.recipe.report.baselines:
        measured["bench"] = _benchmark(job, drawn, table, folder / "bench")
    with atomic_path(folder / "test_calls.parquet") as path:
        calls.write_parquet(path)
    linked.save(folder)
    write_json(folder / "figures.json", measured)
    return linked, measured


def _benchmark(
    job: Job, drawn: Sequence[Drawn], table: AnnotationTable, folder: Path
) -> dict[str, Any]:
    """Benchmark the features beside baselines; the page is kept, the baselines' values are not."""
    from bio_interp.benchmarking import BenchSettings, Rows, bench, names_of, save_bench
    from bio_interp.sae import SparseAutoencoder

    part, least = job.recipe.report, job.recipe.link.min_select
    names = [d.accession for d in drawn if d.fold in ("select", "test")]
    sequences = {name: job.proteins[name].sequence for name in names}
    rows = Rows([harvested(job)], frozenset(names), sequences, folder / "sources")
    baselines = names_of(",".join(part.baselines))
    settings = BenchSettings(baselines, least, null=part.null, dense_share=_DENSE)
    sae = SparseAutoencoder.load(train(job))
    found = bench(rows, sae, table, job.split, settings, weights=weights(drawn))
    save_bench(found, folder)
    shutil.rmtree(folder / "sources")
    return {"facts": dict(found.facts), **found.summed_up()}


def _check_concepts(job: Job, table: AnnotationTable, drawn: Sequence[Drawn]) -> None:
    """Refuse to link where no concept is borne by enough clusters."""
    least, names = job.recipe.link, [d.accession for d in drawn if d.fold in EVALUATED]
    if not count_concepts(table, job.split, names, least.min_select, least.min_calibrate):
        raise InputError(
            f"a concept that {least.min_select} clusters of select and {least.min_calibrate} of "
            "calibrate bear",
            f"none of {table.concepts.height} concepts in {len(names)} proteins",
            "Give more proteins or annotations, or lower link.min_select and link.min_calibrate.",
        )


def count_concepts(
    table: AnnotationTable, split: Split, names: Iterable[str], select: int, calibrate: int
) -> int:
    """Count the concepts that enough clusters of select and calibrate bear."""
    wanted, clusters = set(names), dict[tuple[str, str], set[str]]()
    for concept, accession in table.rows.select("concept", "accession").iter_rows():
        if accession in wanted:
            fold, cluster = split.fold(accession), split.cluster(accession)
            clusters.setdefault((concept, fold), set()).add(cluster)
    return sum(
        len(found) >= select and len(clusters.get((concept, "calibrate"), ())) >= calibrate
        for (concept, fold), found in clusters.items()
        if fold == "select"
    )
