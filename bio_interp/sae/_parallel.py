"""What the processes of a data-parallel training tell each other.

Alone, outside `torch.distributed`, each function gives back what it was given. All processes must
call the same ones in the same order.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch import distributed as dist


def world_size() -> int:
    """Count the processes that train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Tell which of them this one is, from 0; the first one writes."""
    return dist.get_rank() if world_size() > 1 else 0


def total(tensor: Tensor) -> Tensor:
    """Sum a tensor over processes."""
    return _reduced(tensor, dist.ReduceOp.SUM) if world_size() > 1 else tensor


def mean(tensor: Tensor) -> Tensor:
    """Average a tensor over processes, which hold as many rows each."""
    return total(tensor) / world_size() if world_size() > 1 else tensor


def largest(tensor: Tensor) -> Tensor:
    """Take the maximum over processes, element by element."""
    return _reduced(tensor, dist.ReduceOp.MAX) if world_size() > 1 else tensor


def smallest(tensor: Tensor) -> Tensor:
    """Take the minimum over processes, element by element."""
    return _reduced(tensor, dist.ReduceOp.MIN) if world_size() > 1 else tensor


def gathered(values: Tensor) -> Tensor:
    """Put the values of all processes, ``(any,)`` each, one after another in order of rank."""
    if world_size() == 1:
        return values
    counts = [torch.zeros(1, dtype=torch.int64, device=values.device) for _ in range(world_size())]
    dist.all_gather(counts, torch.tensor([values.shape[0]], device=values.device))
    longest = max(int(count) for count in counts)
    padded = nn.functional.pad(values, (0, longest - values.shape[0]))
    parts = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(parts, padded)
    return torch.cat([part[: int(count)] for part, count in zip(parts, counts, strict=True)])


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Average gradients over processes, in place; one that a process lacks counts as 0."""
    if world_size() == 1:
        return
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        dist.all_reduce(parameter.grad)
        parameter.grad.div_(world_size())


def copy_from_first(module: nn.Module) -> None:
    """Give every process the parameters and buffers of the first."""
    if world_size() > 1:
        for tensor in module.state_dict().values():
            dist.broadcast(tensor, 0)


def wait_for_all() -> None:
    """Return when every process has come here."""
    if world_size() > 1:
        dist.barrier()


def _reduced(tensor: Tensor, how: "dist.ReduceOp.RedOpType") -> Tensor:
    copy = tensor.clone()
    dist.all_reduce(copy, how)
    return copy
