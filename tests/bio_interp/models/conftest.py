"""A small ESM-2, random SAEs of every architecture, and their formula written out densely."""

import random

import pytest
import torch
from esm.model.esm2 import ESM2

from bio_interp.models import Esm2Engine, LoadOptions
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder

WIDTH, D_SAE, K = 32, 80, 6


def _random_sae(architecture="relu", *, seed=0, width=WIDTH, d_sae=D_SAE, d_out=None, skip=False):
    torch.manual_seed(seed)
    out = d_out or width
    tensors = {
        "W_enc": torch.randn(width, d_sae) / width**0.5,
        "b_enc": 0.1 * torch.randn(d_sae),
        "W_dec": torch.nn.functional.normalize(torch.randn(d_sae, out)),
        "b_dec": 0.1 * torch.randn(out),
    }
    if architecture != "topk":
        tensors["threshold"] = torch.rand(d_sae)
    if skip:
        tensors["W_skip"] = 0.1 * torch.randn(width, out)
    norm = InputNorm(0.3 * torch.randn(width), 0.7)
    out_norm = InputNorm(0.3 * torch.randn(out), 1.3) if d_out else None
    config = SaeConfig(width, d_sae, architecture, K, d_out)
    return SparseAutoencoder(config, tensors, norm, out_norm=out_norm)


def _codes_by_hand(sae, rows):
    pre = (rows - sae.norm.mean) * sae.norm.scale @ sae.W_enc + sae.b_enc
    if sae.config.architecture == "topk":
        lowest = pre.sort(dim=1, descending=True).values[:, K - 1 : K]
        return pre * (pre >= lowest) * (pre > 0)
    return pre * (pre > sae.threshold) * (pre > 0)


def _rows_by_hand(sae, codes, rows):
    rebuilt = codes @ sae.W_dec + sae.b_dec
    if sae.W_skip is not None:
        rebuilt = rebuilt + (rows - sae.norm.mean) * sae.norm.scale @ sae.W_skip
    return rebuilt / sae.out_norm.scale + sae.out_norm.mean


@pytest.fixture(scope="session")
def random_sae():
    """Make a random SAE or transcoder."""
    return _random_sae


@pytest.fixture(scope="session")
def codes_by_hand():
    return _codes_by_hand


@pytest.fixture(scope="session")
def rows_by_hand():
    return _rows_by_hand


@pytest.fixture(scope="session")
def toy():
    """Three layers of width 32."""
    torch.manual_seed(0)
    module = ESM2(num_layers=3, embed_dim=WIDTH, attention_heads=4).eval()
    for name, weights in module.named_parameters():
        if name.endswith("bias") or "layer_norm" in name:
            torch.nn.init.normal_(weights, float("layer_norm.weight" in name), 0.2)
    return module


@pytest.fixture(scope="session")
def engine(toy):
    """The toy in fp32; proteins longer than 60 are read in windows."""
    options = LoadOptions(device="cpu", precision="fp32")
    return Esm2Engine(toy, name="toy", options=options, window=60, overlap=20, token_budget=90)


@pytest.fixture(scope="session")
def made_up():
    """Make up proteins of these lengths."""

    def make(*lengths):
        pick = random.Random(0)
        return ["".join(pick.choices("ACDEFGHIKLMNPQRSTVWY", k=n)) for n in lengths]

    return make
