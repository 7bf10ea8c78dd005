"""Measure the stages of a build on a sample, for its plan."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bio_interp.annotations import AnnotationTable
from bio_interp.building._job import Job
from bio_interp.building._sample import EVALUATED, Drawn, Sampler
from bio_interp.building._stages import annotation_sources, count_concepts, training_device
from bio_interp.sequences import Protein, Split, make_split

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from torch import Tensor

    from bio_interp.sae import SparseAutoencoder

_PROTEINS = 24  # through the model
_STEPS, _EVERY = 12, 4  # of training, and between reports
_SCANNED = (2, 10)  # proteins annotated, to tell the cost of a protein from that of starting
_CLUSTERED = 400  # proteins clustered
_LINKED = 150  # proteins linked
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Measured:
    """What a sample cost.

    Attributes
    ----------
    seconds_per_residue
        Of ``harvest`` (the model and writing) and ``encode``.
    split_seconds, annotate_seconds, training_seconds, link_seconds
        Of the whole stages, scaled up from the sample.
    start_seconds
        Loading libraries and model, and reading the sequences.
    code_bytes_per_residue, l0
        Of the stored codes, and codes a residue.
    link_bytes
        Of the links of the sample.
    sae_parameters
        Numbers in the SAE.
    peak_bytes
        Most memory that this process held so far.
    """

    seconds_per_residue: Mapping[str, float]
    split_seconds: float
    annotate_seconds: float
    training_seconds: float
    link_seconds: float
    start_seconds: float
    code_bytes_per_residue: float
    l0: float
    link_bytes: float
    sae_parameters: int
    d_model: int
    peak_bytes: float


def measure(job: Job, split: Split, drawn: Sequence[Drawn]) -> Measured:
    """Put a sample of the drawn proteins through every stage, in a temporary folder."""
    begin = time.process_time()
    chosen = _evenly([job.proteins[d.accession] for d in drawn], _PROTEINS)
    with tempfile.TemporaryDirectory(prefix="bio_interp_plan_") as name:
        folder = Path(name)
        harvest, rows = _model(job, chosen)
        sae = _sae(job, rows)
        encode, code_bytes, codes = _encode(sae, chosen, rows, folder)
        training = 0.0 if job.recipe.sae.load else _training(job, rows, folder)
        sampler = Sampler(job.proteins, split, job.recipe.sample)
        candidates = [job.proteins[a] for fold in EVALUATED for a in sampler.candidates(fold)]
        annotating, table = _annotate(job, candidates, folder)
        linking, link_bytes = _link(job, table, split, drawn, codes, folder)
        cluster = _split(job) if job.recipe.data.split is None else 0.0
    return Measured(
        {"harvest": harvest, "encode": encode},
        cluster,
        annotating,
        training,
        linking,
        begin,  # processor time of this process so far
        code_bytes,
        codes.nnz / sum(map(len, chosen)),
        link_bytes,
        sum(p.numel() for p in sae.parameters()),
        job.d_model,
        _peak(),
    )


def _model(job: Job, proteins: Sequence[Protein]) -> tuple[float, list[Tensor]]:
    """Time the model: seconds a residue, and the rows of every protein."""
    site = job.recipe.model.site
    for _ in job.model.activations([p.sequence for p in proteins[:2]], [site]):
        pass  # the first batch pays for what later ones do not
    begin = time.perf_counter()
    readings = job.model.activations([p.sequence for p in proteins], [site])
    rows = [reading.rows[site].half().cpu().float() for reading in readings]
    return (time.perf_counter() - begin) / sum(map(len, proteins)), rows


def _sae(job: Job, rows: Sequence[Tensor]) -> SparseAutoencoder:
    """Load the recipe's SAE, or make one of its sizes that has never been trained."""
    import torch

    from bio_interp.building._training import sae_folder
    from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder

    part = job.recipe.sae
    if part.load is not None:
        return SparseAutoencoder.load(sae_folder(job.file(part.load)), d_model=job.d_model)
    together, d_sae, k = torch.cat(list(rows)), part.d_sae or 1, part.k or 1
    norm = InputNorm.measure(together)
    w_dec = torch.nn.functional.normalize(
        torch.randn(d_sae, job.d_model, generator=torch.Generator().manual_seed(0)), dim=1
    )
    pre = norm.apply_to(together[:: max(1, len(together) // 256)]) @ w_dec.T
    threshold = float(np.quantile(pre.numpy(), 1 - min(1.0, k / d_sae)))
    config = SaeConfig(job.d_model, d_sae, "batchtopk", k)
    tensors = {
        "W_enc": w_dec.T,
        "b_enc": torch.zeros(d_sae),
        "W_dec": w_dec,
        "b_dec": torch.zeros(job.d_model),
        "threshold": torch.full((d_sae,), max(threshold, 0.0)),
    }
    return SparseAutoencoder(config, tensors, norm)


def _encode(
    sae: SparseAutoencoder, proteins: Sequence[Protein], rows: Sequence[Tensor], folder: Path
) -> tuple[float, float, csr_matrix]:
    """Time encoding: seconds and stored bytes a residue, and the codes."""
    from scipy.sparse import csr_matrix, vstack

    from bio_interp.features import FeatureStore

    begin = time.perf_counter()
    codes = [sae.encode(part).to_scipy() for part in rows]
    store = FeatureStore.create(folder / "codes", d_sae=sae.config.d_sae, settings={})
    with store.writer() as writer:
        for protein, part in zip(proteins, codes, strict=True):
            writer.add(protein.accession, part)
    residues = sum(map(len, proteins))
    spent = (time.perf_counter() - begin) / residues
    # what a shard holds whatever its size is not counted a residue
    stored = sum(p.stat().st_size for p in folder.rglob("*.npy")) - 16 * sae.config.d_sae
    return spent, stored / residues, csr_matrix(vstack(codes))


class _EnoughError(Exception):
    """Raised to end a training that is only measured."""


def _training(job: Job, rows: Sequence[Tensor], folder: Path) -> float:
    """Time the start and some steps of training; seconds of all of it."""
    import torch

    from bio_interp.building._training import train_config
    from bio_interp.sae import train

    config = train_config(job.recipe.sae)
    short = replace(config, log_every=_EVERY)  # the schedule stays
    together = torch.cat(list(rows))
    copies = -(-max(config.norm_rows, 4 * config.batch_rows) // len(together))
    many, begin = together.repeat(copies, 1), time.perf_counter()
    reports: list[float] = []

    def on_step(step: int, _: Mapping[str, float]) -> None:
        reports.append(time.perf_counter())
        if step >= _STEPS:
            raise _EnoughError

    with suppress(_EnoughError):
        train(
            lambda _: iter(many[torch.randperm(len(many))].split(8192)),
            short,
            folder=folder / "sae",
            on_step=on_step,
            device=training_device(job),
        )
    if len(reports) < 2:  # fewer steps than that in all
        return time.perf_counter() - begin
    step = min(b - a for a, b in pairwise(reports)) / _EVERY
    return reports[0] - begin - _EVERY * step + config.steps * step


def _annotate(
    job: Job, candidates: Sequence[Protein], folder: Path
) -> tuple[float, AnnotationTable]:
    """Time the annotators; seconds of all of it, and what they found.

    One that reads files reads them now; one that searches proteins searches a few.
    """
    taken, tables = 0.0, list[AnnotationTable]()
    for source in annotation_sources(job):
        groups = [candidates]
        if source.resumable:
            groups = [_evenly(candidates, count) for count in _SCANNED]
        seconds, table = list[float](), AnnotationTable.concat([])
        for i, group in enumerate(groups):
            begin = time.perf_counter()
            table = source.read(group, folder / f"{source.name}-{i}")
            seconds.append(time.perf_counter() - begin)
        tables.append(table)
        taken += seconds[0]
        if source.resumable and len(groups[1]) > len(groups[0]):
            residues = [sum(map(len, group)) for group in (*groups, candidates)]
            each = max(0.0, seconds[1] - seconds[0]) / (residues[1] - residues[0])
            taken += each * (residues[2] - residues[0])
    return taken, AnnotationTable.concat(tables)


def _link(
    job: Job, table: AnnotationTable, split: Split, drawn: Sequence[Drawn], codes: csr_matrix,
    folder: Path,
) -> tuple[float, float]:  # fmt: skip
    """Time linking on some of the proteins, with codes of the sample in place of their own.

    Seconds of all of it (they grow with residues times concepts), and bytes of the links.
    """
    from bio_interp.features import FeatureStore
    from bio_interp.linking import link

    of = {fold: [d.accession for d in drawn if d.fold == fold] for fold in EVALUATED}
    evaluated = [name for names in of.values() for name in names]
    some = [name for names in of.values() for name in _evenly(names, _LINKED)]
    rows, d_sae = codes.get_shape()
    store = FeatureStore.create(folder / "linked", d_sae=d_sae, settings={})
    first = 0
    with store.writer() as writer:
        for name in some:
            at = (first + np.arange(len(job.proteins[name]))) % rows
            writer.add(name, codes[at])
            first += len(at)
    least = job.recipe.link
    whole = count_concepts(table, split, evaluated, least.min_select, least.min_calibrate)
    part = count_concepts(table, split, some, 1, 1)
    if not part:
        return 0.0, 0.0
    begin = time.perf_counter()
    linked, _ = link(store, table, split, min_select=1, min_calibrate=1)
    spent = time.perf_counter() - begin
    linked.save(folder / "links")
    size = sum(p.stat().st_size for p in (folder / "links").iterdir())
    share = sum(len(job.proteins[a]) for a in evaluated) / max(1, first)
    concepts = whole / max(1, part)
    return spent * share * concepts, size * concepts


def _split(job: Job) -> float:
    """Time clustering on some proteins; seconds of all of it."""
    everything = list(job.proteins.values())
    some = _evenly(everything, _CLUSTERED)
    begin = time.perf_counter()
    make_split(some, method=job.recipe.data.split_method)
    return (time.perf_counter() - begin) * len(everything) / len(some)


def _evenly(items: Sequence[_Item], count: int) -> list[_Item]:
    """Take up to `count` items, evenly apart."""
    at = np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)
    return [items[i] for i in at]


def _peak() -> float:
    """Most memory that this process held, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
