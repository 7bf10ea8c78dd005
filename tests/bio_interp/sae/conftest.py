"""Planted superposition: rows that are sparse sums of known directions, and SAEs trained on it."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bio_interp.sae import SparseAutoencoder, TrainConfig, train

D_MODEL, PLANTED, ON = 32, 64, 3


@dataclass(frozen=True)
class Planted:
    directions: Tensor
    rows: Tensor


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
