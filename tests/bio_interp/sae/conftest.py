"""Planted superposition: rows that are sparse sums of known directions, and SAEs trained on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bio_interp.sae import InputNorm, SparseAutoencoder, TrainConfig, train
from bio_interp.sae._trainable import TrainableSae

D_MODEL, PLANTED, ON = 32, 64, 3


@dataclass(frozen=True)
class Planted:
    directions: Tensor
    rows: Tensor


@dataclass(frozen=True)
class Kind:
    """An architecture, and whether it writes another site than it reads."""

    fields: dict[str, Any]
    transcodes: bool = False

    def parts(self, rows: Tensor) -> tuple[Tensor, ...]:
        """What is read and, for a transcoder, what is written: one column fewer."""
        written = rows.roll(1, 1)[:, 1:] * 3 + 1
        return (rows, written) if self.transcodes else (rows,)

    def started(self, rows: Tensor, **more) -> TrainableSae:
        """Before the first step; 14 features and k = 3 unless told otherwise."""
        settings = {"d_sae": 14, "k": 3, "total_rows": 4000, "batch_rows": len(rows)}
        config = TrainConfig(**{**settings, **self.fields, **more})
        parts = self.parts(rows)
        norms = [InputNorm.measure(part) for part in parts]
        sae = TrainableSae(norms[0], config, norms[1] if self.transcodes else None)
        sae.calibrate(*parts)
        return sae

    def trained(self, rows: Tensor, *, steps: int = 12, **more) -> TrainableSae:
        """After some steps on the same rows."""
        sae = self.started(rows, **more)
        self.step(sae, [rows] * steps)
        return sae

    def step(self, sae: TrainableSae, batches: Sequence[Tensor], *, lr: float = 1e-2) -> None:
        """Learn from each batch as `train` does."""
        optimizer = torch.optim.Adam(sae.parameters(), lr=lr)
        for rows in batches:
            optimizer.zero_grad()
            sae(*self.parts(rows)).total.backward()
            sae.project_gradient()
            optimizer.step()
            sae.renormalise()


KINDS = {
    "topk": Kind({"architecture": "topk"}),
    "batchtopk": Kind({"architecture": "batchtopk"}),
    "jumprelu": Kind({"architecture": "jumprelu"}),
    "gated": Kind({"architecture": "gated"}),
    "relu": Kind({"architecture": "relu"}),
    "matryoshka topk": Kind({"architecture": "topk", "prefixes": (3, 8)}),
    "matryoshka batchtopk": Kind({"architecture": "batchtopk", "prefixes": (3, 8)}),
    "transcoder": Kind({"architecture": "batchtopk"}, transcodes=True),
    "topk transcoder": Kind({"architecture": "topk"}, transcodes=True),
    "skip-transcoder": Kind({"architecture": "jumprelu", "skip": True}, transcodes=True),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS.keys())
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each architecture, Matryoshka and transcoders among them."""
    return request.param


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _torch_seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def planted() -> Planted:
    """64 directions in 32 dimensions, 3 on in a row on average, far from the origin."""
    # not the seed of the trainings, whose first weights would be the planted directions
    generator = torch.Generator().manual_seed(1000)
    directions = torch.randn(PLANTED, D_MODEL, generator=generator)
    directions = torch.nn.functional.normalize(directions)
    on = torch.rand(30_000, PLANTED, generator=generator) < ON / PLANTED
    strength = 1 + torch.rand(30_000, PLANTED, generator=generator)
    noise = 0.01 * torch.randn(30_000, D_MODEL, generator=generator)
    return Planted(directions, (on * strength) @ directions + noise + 5.0)


@pytest.fixture(scope="session")
def trained(
    planted: Planted, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[SparseAutoencoder, Path]]:
    """One SAE of each architecture, with the folder of its run."""
    saes: dict[str, tuple[SparseAutoencoder, Path]] = {}
    for name in ("topk", "batchtopk"):
        config = TrainConfig(
            d_sae=PLANTED,
            k=ON,
            total_rows=200_000,
            architecture=name,
            batch_rows=512,
            lr=4e-3,
            log_every=50,
            norm_rows=4096,
        )
        folder = tmp_path_factory.mktemp(name)
        sae = train(list(planted.rows.split(1000)), config, folder=folder)
        saes[name] = (sae, folder)
    return saes


@pytest.fixture(params=["topk", "batchtopk"])
def sae(
    request: pytest.FixtureRequest, trained: dict[str, tuple[SparseAutoencoder, Path]]
) -> SparseAutoencoder:
    return trained[request.param][0]
