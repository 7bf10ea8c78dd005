"""Train the SAE on the harvest, and encode the proteins of the other folds."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from harvest import Harvest
from sample import EVALUATED

from bio_interp.atlas import probe_rows
from bio_interp.features import FeatureStore
from bio_interp.models import LanguageModel
from bio_interp.provenance import sha256_file
from bio_interp.sae import SparseAutoencoder, TrainConfig, fingerprint, train


def shuffled(rows: torch.Tensor, batch: int = 4096) -> Callable[[int], Iterator[torch.Tensor]]:
    """Give the rows of an epoch in a random order that only the epoch decides."""

    def epoch(number: int) -> Iterator[torch.Tensor]:
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(number))
        for part in order.split(batch):
            yield rows[part].float()

    return epoch


def fit_sae(
    harvest: Harvest, model: LanguageModel, site: str, sae: Mapping[str, Any], out: Path
) -> Path:
    """Train, then store the weights as int8; what ships is what is linked."""
    folder, small = out / "sae", out / "sae_int8"
    if not (small / "sae.json").is_file():
        facts = {
            "model": model.info.name,
            "weights_sha256": model.info.weights_sha256,
            "site": site,
        }
        rows = harvest.training_rows()
        trained = train(shuffled(rows), TrainConfig(**sae), folder=folder, provenance=facts)
        trained.fingerprint = fingerprint(trained, probe_rows(model, site))
        trained.save(small, weights="int8")
    return small


def encode(harvest: Harvest, sae_folder: Path, out: Path) -> FeatureStore:
    """Encode the proteins of select, calibrate and test."""
    sae = SparseAutoencoder.load(sae_folder)
    settings = {"sae": sha256_file(sae_folder / "sae.safetensors")}
    store = FeatureStore.create(out / "codes", d_sae=sae.config.d_sae, settings=settings)
    done = store.done()
    with store.writer(shard_proteins=1024) as writer:
        for name, rows in harvest.proteins(EVALUATED):
            if name not in done:
                writer.add(name, sae.encode(rows).to_scipy())
    return FeatureStore.open(out / "codes")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file."""
    return json.loads(path.read_text())
