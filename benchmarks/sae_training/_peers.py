"""One training step of each peer, by its own code: loss, backward, clipping, optimizer, norms.

A peer's function takes the sizes and gives a step: rows in, nothing out. What a peer cannot be
imported for is said by the error.
"""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

Step = Callable[[Tensor], Any]


@dataclass(frozen=True)
class Sizes:
    """Sizes of an SAE and of its batches."""

    d_model: int
    d_sae: int
    k: int
    batch: int
    device: str = "cpu"

    @property
    def prefixes(self) -> list[int]:
        """Five Matryoshka prefixes, each twice the one before."""
        return [self.d_sae // 2**i for i in (4, 3, 2, 1, 0)]


def sae_lens(sizes: Sizes, kind: str) -> Step:
    """Make a step of SAELens' `SAETrainer`."""
    from sae_lens import saes
    from sae_lens.config import SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    name, more = {
        "topk": ("TopK", {"k": sizes.k}),
        "batchtopk": ("BatchTopK", {"k": float(sizes.k)}),
        "matryoshka": (
            "MatryoshkaBatchTopK",
            {"k": float(sizes.k), "matryoshka_widths": sizes.prefixes},
        ),
        "jumprelu": ("JumpReLU", {"jumprelu_sparsity_loss_mode": "tanh"}),
    }[kind]
    config = getattr(saes, f"{name}TrainingSAEConfig")(
        d_in=sizes.d_model, d_sae=sizes.d_sae, device=sizes.device, **more
    )
    sae = getattr(saes, f"{name}TrainingSAE")(config)
    settings = SAETrainerConfig(
        total_training_samples=10**9,
        train_batch_size_samples=sizes.batch,
        lr_end=3e-5,
        device=sizes.device,
    )
    trainer = SAETrainer(settings, sae, iter(()))

    def step(x: Tensor) -> None:
        trainer._train_step(sae, x)
        trainer.n_training_steps += 1

    return step


def dictionary_learning(sizes: Sizes, kind: str) -> Step:
    """Make a step of dictionary_learning's trainer."""
    from dictionary_learning.trainers.batch_top_k import BatchTopKTrainer
    from dictionary_learning.trainers.jumprelu import JumpReluTrainer
    from dictionary_learning.trainers.top_k import TopKTrainer

    shared = {
        "steps": 10**6,
        "activation_dim": sizes.d_model,
        "dict_size": sizes.d_sae,
        "layer": 0,
        "lm_name": "none",
        "device": sizes.device,
    }
    if kind == "jumprelu":
        trainer = JumpReluTrainer(**shared, target_l0=sizes.k)
    else:
        trainer = {"topk": TopKTrainer, "batchtopk": BatchTopKTrainer}[kind](**shared, k=sizes.k)
    done = [0]

    def step(x: Tensor) -> None:
        trainer.update(done[0], x)
        done[0] += 1

    return step


def sparsify(sizes: Sizes, kind: str) -> Step:
    """Make a step as sparsify's trainer takes it, with Adam."""
    from sparsify import SparseCoder, SparseCoderConfig

    config = SparseCoderConfig(num_latents=sizes.d_sae, k=sizes.k)
    sae = SparseCoder(sizes.d_model, config, device=sizes.device)
    optimizer = torch.optim.Adam(sae.parameters(), lr=3e-4)

    def step(x: Tensor) -> None:
        sae.set_decoder_norm_to_unit_norm()
        out = sae(x)
        out.fvu.backward()
        sae.remove_gradient_parallel_to_decoder_directions()
        optimizer.step()
        optimizer.zero_grad()

    return step


def overcomplete(sizes: Sizes, kind: str) -> Step:
    """Make a step as overcomplete's `train_sae` takes it."""
    _without_vision("overcomplete")
    from overcomplete.sae import TopKSAE

    sae = TopKSAE(sizes.d_model, sizes.d_sae, top_k=sizes.k, device=sizes.device)
    optimizer = torch.optim.Adam(sae.parameters(), lr=3e-4)

    def step(x: Tensor) -> None:
        optimizer.zero_grad()
        _, _, rebuilt = sae(x)
        (x - rebuilt).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(sae.parameters(), 1.0)
        optimizer.step()

    return step


def _without_vision(name: str) -> None:
    """Let parts of a package be imported without its ``__init__``, which loads vision models."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(name)
    package = ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations or [])
    sys.modules.setdefault(name, package)


PEERS: dict[str, tuple[Callable[[Sizes, str], Step], tuple[str, ...]]] = {
    "sae_lens": (sae_lens, ("topk", "batchtopk", "matryoshka", "jumprelu")),
    "dictionary_learning": (dictionary_learning, ("topk", "batchtopk", "jumprelu")),
    "sparsify": (sparsify, ("topk",)),
    "overcomplete": (overcomplete, ("topk",)),
}
