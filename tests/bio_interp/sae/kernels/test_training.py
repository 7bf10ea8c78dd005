from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from bio_interp.sae import InputNorm, SaeRun, SparseAutoencoder, TrainConfig, train, train_many
from bio_interp.sae._trainable import TrainableSae
from bio_interp.sae.kernels import KernelSae, UnitRowAdam, _plan

ROWS, D_MODEL, D_SAE, BATCH = 48, 6, 16, 6
WEIGHTS = ("W_enc", "b_enc", "W_dec", "b_dec", "feature_maxima")


@pytest.fixture(autouse=True)
def _sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the sparse kernels, which so small a decoder would not."""
    monkeypatch.setattr(_plan, "_BREAK_EVEN", 0)


def config(architecture: str, kernels: str, **more: Any) -> TrainConfig:
    """Features die, and gradients are clipped."""
    settings: dict[str, Any] = {
        "d_sae": D_SAE, "k": 2, "total_rows": 3 * BATCH, "batch_rows": BATCH, "lr": 3e-2,
        "log_every": 1, "dead_after_rows": BATCH, "norm_rows": ROWS, "grad_clip": 0.05,
    }  # fmt: skip
    return TrainConfig(architecture=architecture, kernels=kernels, **(settings | more))


def run(
    rows: Tensor | list[Any], settings: TrainConfig, folder: Path
) -> tuple[SparseAutoencoder, list[Mapping[str, float]]]:
    metrics: list[Mapping[str, float]] = []
    sae = train(rows, settings, folder=folder, on_step=lambda step, m: metrics.append(dict(m)))
    return sae, metrics


@pytest.mark.parametrize("architecture", ["topk", "batchtopk"])
def test_a_training_by_kernels_equals_one_in_plain_torch(
    interpreted, architecture: str, tmp_path: Path
) -> None:
    rows = [torch.randn(ROWS, D_MODEL)]
    plain, expected = run(rows, config(architecture, "torch"), tmp_path / "torch")
    mine, found = run(rows, config(architecture, "triton"), tmp_path / "triton")
    assert expected[-1]["dead"] > 0
    assert expected[-1]["auxk"] > 0
    for ours, theirs in zip(found, expected, strict=True):
        for name in ("loss", "fvu", "auxk", "l0", "dead"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-4), name
    for name in WEIGHTS:
        torch.testing.assert_close(
            getattr(mine, name), getattr(plain, name), rtol=1e-3, atol=2e-5, msg=name
        )
    if architecture == "batchtopk":
        torch.testing.assert_close(mine.threshold, plain.threshold)


def test_a_skip_transcoder_by_kernels_equals_one_in_plain_torch(
    interpreted, tmp_path: Path
) -> None:
    pairs = [(torch.randn(ROWS, D_MODEL), torch.randn(ROWS, 5))]
    saes = [
        run(pairs, config("topk", name, skip=True, total_rows=2 * BATCH), tmp_path / name)[0]
        for name in ("torch", "triton")
    ]
    for name in (*WEIGHTS, "W_skip"):
        mine, theirs = (getattr(sae, name) for sae in saes)
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=2e-5, msg=name)


def test_an_interrupted_pass_with_kernels_ends_with_the_same_bits(
    interpreted, tmp_path: Path
) -> None:
    """The list of dead features, which is made every third step, is part of the checkpoint."""
    rows = [torch.randn(ROWS, D_MODEL)]
    steps = {"log_every": 3, "checkpoint_every": 2, "total_rows": 4 * BATCH}
    runs = {name: SaeRun(config("topk", name, **steps)) for name in ("triton", "torch")}
    whole = train_many(rows, runs, folder=tmp_path / "whole")

    class Stop(Exception):
        pass

    def stop(step: int, metrics: Any) -> None:
        raise Stop

    with pytest.raises(Stop):
        train_many(rows, runs, folder=tmp_path / "cut", on_step=stop)
    checkpoint = torch.load(tmp_path / "cut/checkpoints/last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 2  # batches, not steps of each run
    resumed = train_many(rows, runs, folder=tmp_path / "cut")
    for name in runs:
        for part in WEIGHTS:
            assert torch.equal(getattr(resumed[name], part), getattr(whole[name], part)), part


def test_very_many_dead_features_take_turns(monkeypatch) -> None:
    monkeypatch.setattr("bio_interp.sae.kernels._trainable.MOST_DEAD", 5)
    seen: list[Tensor] = []

    def record(x: Tensor, residual: Tensor, encoder: Tensor, *more: Any, k: int) -> Tensor:
        seen.append(encoder.detach())
        return x.new_zeros(())

    monkeypatch.setattr("bio_interp.sae.kernels._trainable.auxk_loss", record)
    rows = torch.randn(2, D_MODEL)
    sae = KernelSae(InputNorm.measure(rows), config("topk", "torch", log_every=100))
    sae.rows_since_fired.fill_(1000)
    for _ in range(4):
        sae(rows)
    dead = int(sae.listed.sum())
    assert 10 < dead < D_SAE
    assert max(len(part) for part in seen) <= 5
    turns = -(-dead // 5)
    assert len(torch.cat(seen[:turns]).unique(dim=0)) == dead


def test_runs_of_one_pass_become_what_each_becomes_alone(interpreted, tmp_path: Path) -> None:
    rows = [torch.randn(ROWS, D_MODEL)]
    configs = {
        "kernels": config("batchtopk", "triton", total_rows=2 * BATCH),
        "others": config("topk", "triton", total_rows=2 * BATCH, lr=1e-2, seed=1),
        "plain": config("batchtopk", "torch", total_rows=2 * BATCH),
    }
    runs = {name: SaeRun(settings) for name, settings in configs.items()}
    steps: list[int] = []
    together = train_many(
        rows, runs, folder=tmp_path / "together", on_step=lambda step, _: steps.append(step)
    )
    assert steps == [1, 2]  # of the pass, not of optimizers
    for name, settings in configs.items():
        alone, _ = run(rows, settings, tmp_path / name)
        for part in WEIGHTS:
            assert torch.equal(getattr(together[name], part), getattr(alone, part)), (name, part)


def test_products_in_bfloat16_train_nearly_the_same(interpreted, tmp_path: Path) -> None:
    """The first losses are near and not equal; later ones depend on which features won."""
    rows = [torch.randn(ROWS, D_MODEL)]
    losses: dict[str, float] = {}
    for precision in ("fp32", "bf16"):
        settings = config("topk", "triton", precision=precision, total_rows=BATCH)
        losses[precision] = run(rows, settings, tmp_path / precision)[1][0]["loss"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)
    assert losses["bf16"] != losses["fp32"]


class _NoWaiting(TorchDispatchMode):
    """Refuse what makes the host wait for a device: scalars, and shapes that depend on data."""

    REFUSED = (
        "_local_scalar_dense",
        "nonzero",
        "masked_select",
        "bincount",
        "unique",
        "is_nonzero",
    )

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.name().removeprefix("aten::")
        assert not name.startswith(self.REFUSED), f"{name} waits for the device"
        if name.startswith(("index.", "index_put")):
            places = [place for place in args[1] if place is not None]
            assert all(place.dtype is not torch.bool for place in places), f"{name} by a mask"
        return func(*args, **(kwargs or {}))


@contextmanager
def no_waiting() -> Iterator[None]:
    with _NoWaiting():
        yield


def step(trainable: TrainableSae, optimizer: torch.optim.Optimizer, rows: Tensor) -> None:
    optimizer.zero_grad()
    trainable(rows).total.backward()
    trainable.finish_gradient()
    optimizer.step()
    trainable.renormalise()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("architecture", ["topk", "batchtopk"])
def test_the_host_never_waits_in_a_step(interpreted, architecture: str, precision: str) -> None:
    rows = torch.randn(BATCH, D_MODEL)
    settings = config(architecture, "triton", log_every=100, precision=precision)
    trainable = KernelSae(InputNorm.measure(rows), settings)
    optimizer = UnitRowAdam([{"params": list(trainable.parameters())}], [trainable])
    step(trainable, optimizer, rows)  # lists the dead
    with no_waiting():
        step(trainable, optimizer, rows)
    for parameter in trainable.parameters():
        assert parameter.dtype is torch.float32
        assert parameter.isfinite().all()
    norms = trainable.decoder.norm(dim=1)
    torch.testing.assert_close(norms, torch.ones_like(norms))


def test_the_check_for_waiting_finds_it_in_the_plain_step() -> None:
    rows = torch.randn(BATCH, D_MODEL)
    trainable = TrainableSae(InputNorm.measure(rows), config("topk", "torch"))
    with pytest.raises(AssertionError, match=r"waits|by a mask"), no_waiting():
        trainable(rows)
