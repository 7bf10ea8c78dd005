"""A toy model and SAE, quick and deterministic, for the tests of encoding."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch

from bio_interp.models import ModelInfo, Reading
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder

LETTERS = "ACDEFGHIKLMNPQRSTVWYUOBZXJ"


@dataclass
class ToyModel:
    """A row is the residue's one-hot letter and half of the next one's."""

    def __post_init__(self) -> None:
        self.read: list[str] = []
        self.info = ModelInfo(
            name="toy",
            sites={"layer.1": len(LETTERS)},
            weights_sha256="0" * 64,
            licence="CC0-1.0",
            citation="",
            objective="masked",
        )

    def activations(self, sequences, sites, *, edits=None) -> Iterator[Reading]:
        for index, sequence in enumerate(sequences):
            self.read.append(sequence)
            letters = torch.tensor([LETTERS.index(letter) for letter in sequence])
            rows = torch.nn.functional.one_hot(letters, len(LETTERS)).float()
            rows[:-1] += 0.5 * rows[1:].clone()
            yield Reading(index, {site: rows for site in sites})

    def logits(self, sequences, *, masked=None, edits=None):
        raise AssertionError("encoding needs no logits")


@pytest.fixture(autouse=True, scope="module")
def _disk_may_be_lazy():
    """Thousands of small stores are written here; flushing each to the disk takes minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bio_interp.provenance.os.fsync", lambda _: None)
        yield


@pytest.fixture
def toy_source() -> SimpleNamespace:
    generator = torch.Generator().manual_seed(0)
    width, d_sae = len(LETTERS), 24
    decoder = torch.randn(d_sae, width, generator=generator)
    decoder /= decoder.norm(dim=1, keepdim=True)
    tensors = {
        "W_enc": decoder.T.clone(),
        "b_enc": torch.zeros(d_sae),
        "W_dec": decoder,
        "b_dec": torch.zeros(width),
    }
    config = SaeConfig(d_model=width, d_sae=d_sae, architecture="topk", k=4)
    sae = SparseAutoencoder(config, tensors, InputNorm(torch.zeros(width), 1.0))
    return SimpleNamespace(name="toy-atlas", model=ToyModel(), site="layer.1", sae=sae)
