"""BatchTopK over the batches of several processes as if they were one."""

import torch
from torch import Tensor

from bio_interp.sae._codes import SparseCodes, from_flat
from bio_interp.sae._parallel import gathered, rank, smallest, total, world_size

_SLACK = 0.9
"""Candidates are those above this share of the last batch's threshold."""


def select_batchtopk_global(pre: Tensor, k: int, hint: float = 0.0) -> SparseCodes:
    """Keep this process's share of the ``k * rows`` largest, rows counted over all processes.

    Processes show each other the values of their candidates and cut at the same one. Of entries
    that are equal to it the first are kept, by rank and place, so that the number is exact.

    Parameters
    ----------
    pre
        Pre-activations of this process, ``(rows, d_sae)``; as many rows as every other has.
    k
        Features on in a row, on average.
    hint
        Threshold of the last batch, the same on all; it changes the time and never the result.
    """
    rows, d_sae = pre.shape
    budget = min(k, d_sae) * rows * world_size()
    flat = pre.flatten()
    candidates = _above(flat, max(0.0, _SLACK * hint))
    if hint > 0 and int(total(_count(candidates))) < budget:
        candidates = _above(flat, 0.0)
    values = flat[candidates]
    if values.shape[0] > budget:
        own = values.topk(budget, sorted=False).indices.sort().values
        candidates, values = candidates[own], values[own]
    everyone = gathered(values)
    if everyone.shape[0] > budget:
        cut = everyone.topk(budget, sorted=False).values.min()
        equal = values == cut
        left = budget - int((everyone > cut).sum())
        left -= int(gathered(_count(equal.nonzero()))[: rank()].sum())
        kept = (values > cut) | (equal & (equal.cumsum(0) <= left))
        candidates, values = candidates[kept], values[kept]
    return from_flat(candidates, values, rows=rows, d_sae=d_sae)


def lowest_of_all(codes: SparseCodes) -> Tensor:
    """Smallest activation of a batch over all processes; 0 where nothing is on."""
    ends = torch.cat([codes.values, codes.values.new_full((1,), float("inf"))])
    lowest = smallest(ends.min())
    return torch.where(lowest.isinf(), torch.zeros_like(lowest), lowest)


def _above(flat: Tensor, level: float) -> Tensor:
    return (flat > level).nonzero().squeeze(1)


def _count(entries: Tensor) -> Tensor:
    return torch.tensor([entries.shape[0]], device=entries.device)
