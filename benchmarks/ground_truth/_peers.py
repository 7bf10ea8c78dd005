"""Train each peer's SAE by its own code, and read it as ours, by its own forward rule.

Every peer gets the rows in the units that its documentation asks for (`scale`), the schedule that
everybody has (warm-up over a twentieth of the steps, linear decay over the last fifth), and its own
defaults for the rest. Peers with an L1 penalty and no target for L0 have the weight steered as ours
is: without it their L0, and so every score, would be whatever the weight happened to give.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder

# torchvision, which no peer uses here, breaks their import where it was built for another torch
sys.modules.setdefault("torchvision", None)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Task:
    """Sizes and settings that all trainings of a round have."""

    d_model: int
    d_sae: int
    k: int
    batch: int
    steps: int
    lr: float
    seed: int

    @property
    def prefixes(self) -> tuple[int, ...]:
        """Matryoshka prefixes: an eighth, three eighths, all."""
        return self.d_sae // 8, 3 * self.d_sae // 8, self.d_sae

    @property
    def warmup(self) -> int:
        """Steps of warm-up."""
        return max(1, self.steps // 20)

    @property
    def decay(self) -> int:
        """Steps of decay, at the end."""
        return self.steps // 5


class Steer:
    """Find the L1 weight at which about k features are on, as `bio_interp.sae` does."""

    def __init__(self, task: Task, weight: float) -> None:
        self.task, self.weight, self.step = task, weight, 0
        self.l0 = self.start = float(task.k)

    def next(self, codes: Tensor) -> float:
        """Give the weight for the next step, from the codes of this one."""
        now, k = float((codes != 0).sum(1).float().mean()), self.task.k
        if self.step == 0:
            self.l0, self.start = now, max(now, k)
        self.l0 += 0.1 * (now - self.l0)
        self.step += 1
        left = max(0.0, 1 - self.step / (0.5 * self.task.steps))
        excess = min(10.0, max(0.1, self.l0 / (k * (self.start / k) ** left)))
        self.weight *= excess**0.01
        return self.weight * excess * min(1.0, self.step / self.task.warmup)


def sae_lens(task: Task, kind: str, rows: Tensor) -> SparseAutoencoder:
    """Train with SAELens' `SAETrainer`; rows of norm sqrt(d_model), as its scaler makes them."""
    from sae_lens import saes

    sae, trainer = _sae_lens_trainer(task, kind)
    scale = task.d_model**0.5 / float(rows.norm(dim=1).mean())
    steer = Steer(task, 1.0) if kind in ("gated", "relu") else None
    for x in (rows * scale).split(task.batch)[: task.steps]:
        out = trainer._train_step(sae, x)
        trainer.n_training_steps += 1
        if steer:
            weight = trainer.coefficient_schedulers["l1"]
            weight.current_value = weight.final_value = steer.next(out.feature_acts)
    with tempfile.TemporaryDirectory() as folder:
        sae.save_inference_model(folder)
        used = saes.SAE.load_from_disk(folder)
    reads_centred = bool(used.cfg.apply_b_dec_to_input)
    return _checked(task, kind, _parts(used, reads_centred), scale, used, rows)


def _sae_lens_trainer(task: Task, kind: str) -> tuple[Any, Any]:
    from sae_lens import saes
    from sae_lens.config import SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    k = float(task.k)
    name, more = {
        "topk": ("TopK", {"k": task.k}),
        "batchtopk": ("BatchTopK", {"k": k}),
        "matryoshka_batchtopk": (
            "MatryoshkaBatchTopK",
            {"k": k, "matryoshka_widths": list(task.prefixes)},
        ),
        "jumprelu": ("JumpReLU", {"jumprelu_sparsity_loss_mode": "quadratic", "target_l0": k}),
        "gated": ("Gated", {}),
        "relu": ("Standard", {}),
    }[kind]
    torch.manual_seed(task.seed)
    sizes = {"d_in": task.d_model, "d_sae": task.d_sae}
    config = getattr(saes, f"{name}TrainingSAEConfig")(**sizes, **more)
    sae = getattr(saes, f"{name}TrainingSAE")(config)
    settings = SAETrainerConfig(
        total_training_samples=task.steps * task.batch,
        train_batch_size_samples=task.batch,
        lr=task.lr,
        lr_end=task.lr,
        lr_warm_up_steps=task.warmup,
        lr_decay_steps=task.decay,
        dead_feature_window=max(1, task.steps // 50),
    )
    return sae, SAETrainer(settings, sae, iter(()))


def dictionary_learning(task: Task, kind: str, rows: Tensor) -> SparseAutoencoder:
    """Train with dictionary_learning's trainer; rows of mean square norm 1, as it asks for."""
    trainer = _dictionary_learning_trainer(task, kind)
    scale = 1 / float(rows.square().sum(1).mean()) ** 0.5
    steer = Steer(task, task.d_model**-0.5) if kind in ("gated", "relu") else None
    for step, x in enumerate((rows * scale).split(task.batch)[: task.steps]):
        if steer:
            with torch.no_grad():
                trainer.l1_penalty = steer.next(trainer.ae.encode(x[:256]))
        trainer.update(step, x)
    used = trainer.ae
    return _checked(task, kind, _parts(used, kind != "jumprelu"), scale, used, rows)


def _dictionary_learning_trainer(task: Task, kind: str) -> Any:
    from dictionary_learning.trainers import (
        batch_top_k,
        gdm,
        jumprelu,
        matryoshka_batch_top_k,
        standard,
        top_k,
    )

    shares = [(b - a) / task.d_sae for a, b in pairwise((0, *task.prefixes))]
    # the threshold is averaged from its default on, or over half of a shorter training
    topk = {"k": task.k, "threshold_start_step": min(1000, task.steps // 2)}
    l1 = {"sparsity_warmup_steps": None}
    target = {"target_l0": task.k, "sparsity_warmup_steps": task.steps // 4}
    nested = {**topk, "group_fractions": shares}
    make, more = {
        "topk": (top_k.TopKTrainer, topk),
        "batchtopk": (batch_top_k.BatchTopKTrainer, topk),
        "matryoshka_batchtopk": (matryoshka_batch_top_k.MatryoshkaBatchTopKTrainer, nested),
        "jumprelu": (jumprelu.JumpReluTrainer, target),
        "gated": (gdm.GatedSAETrainer, l1),
        "relu": (standard.StandardTrainerAprilUpdate, l1),
    }[kind]
    torch.manual_seed(task.seed)
    trainer = make(
        steps=task.steps, activation_dim=task.d_model, dict_size=task.d_sae, layer=0, lm_name="",
        lr=task.lr, warmup_steps=task.warmup, decay_start=task.steps - task.decay,
        seed=task.seed, device="cpu", **more,
    )  # fmt: skip
    trainer.dead_feature_threshold = task.steps * task.batch // 50
    return trainer


def _parts(sae: Any, reads_centred: bool) -> dict[str, Tensor]:
    """Read the tensors of a peer's SAE; `reads_centred` where it subtracts b_dec from its input."""
    if hasattr(sae, "encoder"):  # dictionary_learning's linear layers
        parts = {"W_enc": sae.encoder.weight.T, "W_dec": sae.decoder.weight.T}
        parts["b_enc"] = getattr(sae, "mag_bias", sae.encoder.bias)
        names = ("b_dec", "decoder_bias", "bias")
        parts["b_dec"] = next(getattr(sae, name) for name in names if hasattr(sae, name))
    else:
        parts = {"W_enc": sae.W_enc, "W_dec": sae.W_dec, "b_dec": sae.b_dec}
        parts["b_enc"] = sae.b_mag if hasattr(sae, "b_mag") else sae.b_enc
    parts = {name: part.detach().clone().float() for name, part in parts.items()}
    threshold = getattr(sae, "threshold", None)
    parts["threshold"] = torch.zeros_like(parts["b_enc"])
    if threshold is not None:
        parts["threshold"] += threshold.detach()
    gate = next((getattr(sae, n) for n in ("gate_bias", "b_gate") if hasattr(sae, n)), None)
    if gate is not None:
        grown = sae.r_mag.detach().exp()
        parts["threshold"] = parts["b_enc"] - grown * gate.detach()
        parts["W_enc"] = parts["W_enc"] * grown
    if reads_centred:
        parts["b_enc"] = parts["b_enc"] - parts["b_dec"] @ parts["W_enc"]
    norms = parts["W_dec"].norm(dim=1).clamp_min(1e-12)
    parts["W_dec"] = parts["W_dec"] / norms.unsqueeze(1)
    for name in ("W_enc", "b_enc", "threshold"):
        parts[name] = parts[name] * norms
    return parts


def _checked(
    task: Task, kind: str, parts: dict[str, Tensor], scale: float, peer: Any, rows: Tensor
) -> SparseAutoencoder:
    """Make an SAE of ours and compare what both make of the same rows."""
    architecture = kind.removeprefix("matryoshka_")
    if architecture == "topk":
        del parts["threshold"]
    config = SaeConfig(task.d_model, task.d_sae, architecture, task.k)  # type: ignore[arg-type]
    sae = SparseAutoencoder(config, parts, InputNorm(torch.zeros(task.d_model), scale))
    x = rows[:1024]
    with torch.no_grad():
        theirs = peer(x * scale) / scale
    error = (sae(x) - theirs).norm(dim=1) / theirs.norm(dim=1).clamp_min(1e-6)
    if float(error.quantile(0.99)) > 1e-3:  # one row in a hundred may sit on a threshold
        raise RuntimeError(f"{kind}: read wrongly, reconstructions differ by {error.max():.2g}")
    return sae


Train = Callable[[Task, str, Tensor], SparseAutoencoder]
KINDS = ("topk", "batchtopk", "matryoshka_batchtopk", "jumprelu", "gated", "relu")
PEERS: dict[str, Train] = {"dictionary_learning": dictionary_learning, "sae_lens": sae_lens}
