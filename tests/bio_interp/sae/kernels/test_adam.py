from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bio_interp.sae.kernels import AdamStep, UnitRowAdam, load_kernels


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


def parameters() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((6, 4), (6, 4), (6,))
    made = [torch.randn(shape, generator=generator) for shape in shapes]
    made[1] = F.normalize(made[1])
    return [nn.Parameter(tensor) for tensor in made]


def give_gradients(params: list[nn.Parameter], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in params:
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def own(params: list[nn.Parameter], clip: float = 1.0) -> UnitRowAdam:
    return UnitRowAdam(
        params,
        matrices=params[:2],
        unit=params[1],
        kernels=lambda device: load_kernels("torch", device),
        lr=1e-2,
        clip=clip,
    )


def test_steps_equal_projection_clipping_torch_adam_and_unit_rows_one_after_the_other() -> None:
    mine, theirs = parameters(), parameters()
    optimizer, plain = own(mine), torch.optim.Adam(theirs, lr=1e-2)
    for seed in range(4):
        give_gradients(mine, seed)
        give_gradients(theirs, seed)
        optimizer.step()
        decoder = theirs[1]
        along = (decoder.grad * decoder.data).sum(1, keepdim=True)
        decoder.grad -= along * decoder.data
        nn.utils.clip_grad_norm_(theirs, 1.0)
        plain.step()
        decoder.data = F.normalize(decoder.data)
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b)


def test_the_state_of_the_optimizer_survives_saving() -> None:
    mine, other = parameters(), parameters()
    first, second = own(mine), own(other)
    for seed in range(2):
        give_gradients(mine, seed)
        first.step()
    for a, b in zip(mine, other, strict=True):
        b.data = a.data.clone()
    second.load_state_dict(deepcopy(first.state_dict()))
    for optimizer, params in ((first, mine), (second, other)):
        give_gradients(params, 9)
        optimizer.step()
    for a, b in zip(mine, other, strict=True):
        assert torch.equal(a, b)
