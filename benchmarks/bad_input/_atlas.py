"""A small atlas of the reference model, whose weights ship with this project."""

from pathlib import Path
from random import Random

import polars as pl
import torch

from bio_interp.annotations import AnnotationTable
from bio_interp.atlas import AtlasInfo, sequence_hash
from bio_interp.features import FeatureStore
from bio_interp.linking import link
from bio_interp.models import LoadOptions, load_model
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder
from bio_interp.sequences import Split

QUIET, RUN = "ACDEFGHIKLMNPQRSTVY", "W" * 20


def make_atlas(folder: Path) -> Path:
    """Plant runs of tryptophan, which random directions of the model's activations tell."""
    model = load_model("reference", LoadOptions(device="cpu", precision="fp32"))
    site, width = list(model.info.sites.items())[-1]
    sequences, rows = _planted(Random(0))
    names, texts = list(sequences), list(sequences.values())
    activations = [reading.rows[site].float() for reading in model.activations(texts, [site])]
    sae = _directions(torch.cat(activations[:20]), width)
    store = FeatureStore.create(folder / "codes", d_sae=sae.config.d_sae, settings={})
    with store.writer() as writer:
        for name, found in zip(names, activations, strict=True):
            writer.add(name, sae.encode(found).to_scipy())
    split = Split({name: (name, name.rstrip("0123456789")) for name in names}, {})  # type: ignore[misc]
    coverage = [
        {"accession": n, "start": 1, "end": len(s), "kind": "toy", "state": "looked", "source": "t"}
        for n, s in sequences.items()
    ]
    table, _ = link(store, AnnotationTable.from_records(rows, coverage, [_CONCEPT]), split)
    atlas = folder / "atlas"
    sae.save(atlas)
    table.save(atlas)
    seen = pl.DataFrame({"sequence_hash": [sequence_hash(texts[1])]})
    seen.write_parquet(atlas / "exposure.parquet")
    facts = {"split_sha256": "", "decoys": {}, "measured": {}, "data": (), "versions": {}}
    AtlasInfo(
        name="planted",
        version="1",
        model="reference",
        site=site,
        model_sha256=model.info.weights_sha256,
        licence="CC0",
        citation=(),
        domain_limit=100.0,
        **facts,
    ).save(atlas)
    return atlas


_CONCEPT = {
    "concept": "toy:W",
    "name": "tryptophan run",
    "kind": "toy",
    "level": "span",
    "world": "closed",
    "source": "t",
    "release": "1",
    "members": [],
    "xrefs": [],
}


def _planted(rng: Random) -> tuple[dict[str, str], list[dict[str, object]]]:
    sequences: dict[str, str] = {}
    rows: list[dict[str, object]] = []
    for fold in ("select", "calibrate", "test"):
        for i in range(60):
            name, before = f"{fold}{i}", "".join(rng.choices(QUIET, k=rng.randint(5, 40)))
            after = "".join(rng.choices(QUIET, k=30))
            sequences[name] = before + (RUN if i % 2 else "") + after
            if i % 2:
                start, end = len(before) + 1, len(before) + 20
                row = {"accession": name, "start": start, "end": end, "concept": "toy:W"}
                rows.append({**row, "evidence": "", "source": "t"})
    return sequences, rows


def _directions(some: torch.Tensor, width: int) -> SparseAutoencoder:
    generator = torch.Generator().manual_seed(0)
    decoder = torch.nn.functional.normalize(torch.randn(64, width, generator=generator), dim=1)
    mean, scale = some.mean(dim=0), float((some - some.mean(dim=0)).norm(dim=1).mean())
    tensors = {
        "W_enc": decoder.T.contiguous(),
        "b_enc": torch.zeros(64),
        "W_dec": decoder,
        "b_dec": torch.zeros(width),
        "threshold": torch.full((64,), 0.1),
    }
    config = SaeConfig(d_model=width, d_sae=64, architecture="batchtopk", k=4)
    return SparseAutoencoder(config, tensors, InputNorm(mean, scale))
