from collections.abc import Sequence
from copy import deepcopy

import pytest
import torch
from torch.nn import functional as F

from bio_interp.errors import MismatchError
from bio_interp.sae import InputNorm, TrainConfig
from bio_interp.sae._trainable import TrainableSae
from bio_interp.sae.kernels import AdamStep, KernelSae, UnitRowAdam


@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (3, 600)], ids=str)
def test_a_step_equals_the_reference(interpreted, reference, unit: bool, shape) -> None:
    weights, grad = F.normalize(torch.randn(shape)), torch.randn(shape)
    start = (weights, torch.randn(shape), torch.rand(shape))
    numbers = AdamStep(lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-8, step=3)
    clip = torch.tensor(0.5)
    states = []
    for kernels in (interpreted(), reference):
        mine = [tensor.clone() for tensor in start]
        kernels.adam(mine[0], grad, (mine[1], mine[2]), clip, numbers, unit=unit)
        squares = kernels.squares(weights, grad, unit=unit)
        states.append([*mine, squares])
    for mine, theirs in zip(*states, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-6)
    if unit:
        torch.testing.assert_close(states[0][0].norm(dim=1), torch.ones(shape[0]))


def sae_of(seed: int, kind: type[TrainableSae]) -> TrainableSae:
    """Make an SAE with a skip, whose `KernelSae` computes by the reference."""
    config = TrainConfig(d_sae=6, k=2, total_rows=64, batch_rows=32, skip=True, seed=seed)
    return kind(InputNorm(torch.zeros(4), 1.0), config)


def adam(*saes: TrainableSae) -> UnitRowAdam:
    rates = (1e-2, 3e-2)
    groups = [
        {"params": list(s.parameters()), "lr": lr} for s, lr in zip(saes, rates, strict=False)
    ]
    return UnitRowAdam(groups, saes)


def step(optimizer: torch.optim.Optimizer, saes: Sequence[TrainableSae], seed: int) -> list[float]:
    """Take a step with random gradients, as the training module does; give their norms."""
    norms: list[float] = []
    for sae in saes:
        generator = torch.Generator().manual_seed(100 + seed)  # not that of the first weights
        for parameter in sae.parameters():
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        norms.append(float(sae.finish_gradient()))
    optimizer.step()
    for sae in saes:
        sae.renormalise()
    return norms


def test_steps_equal_projection_clipping_torch_adam_and_unit_rows_one_after_the_other() -> None:
    mine, theirs = sae_of(0, KernelSae), sae_of(0, TrainableSae)
    optimizer, plain = adam(mine), torch.optim.Adam(theirs.parameters(), lr=1e-2, fused=True)
    for seed in range(4):
        norms = step(optimizer, [mine], seed)
        assert norms == pytest.approx(step(plain, [theirs], seed), rel=1e-5)
        assert norms[0] > mine.config.grad_clip
    for (name, a), b in zip(mine.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, msg=name)


def test_saes_of_one_optimizer_do_not_touch_each_other_whoever_steps_them() -> None:
    pair, alone = [[sae_of(0, TrainableSae), sae_of(1, KernelSae)] for _ in range(2)]
    together, plain = adam(*pair), torch.optim.Adam(alone[0].parameters(), lr=1e-2, fused=True)
    own = UnitRowAdam([{"params": list(alone[1].parameters()), "lr": 3e-2}], alone[1:])
    for seed in range(3):
        step(together, pair, seed)
        step(plain, alone[:1], seed)
        step(own, alone[1:], seed)
    for mine, theirs in zip(pair, alone, strict=True):
        for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(a, b)


def test_the_state_of_the_optimizer_survives_saving() -> None:
    mine, other = sae_of(0, KernelSae), sae_of(1, KernelSae)
    first, second = adam(mine), adam(other)
    for seed in range(2):
        step(first, [mine], seed)
    other.load_state_dict(mine.state_dict())
    second.load_state_dict(deepcopy(first.state_dict()))
    for optimizer, sae in ((first, mine), (second, other)):
        step(optimizer, [sae], 9)
    for a, b in zip(mine.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_processes_that_share_a_batch_are_refused(monkeypatch) -> None:
    monkeypatch.setattr("bio_interp.sae.kernels._optimizer.world_size", lambda: 2)
    with pytest.raises(MismatchError, match="one process"):
        adam(sae_of(0, KernelSae))
