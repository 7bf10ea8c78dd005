"""Which pre-activations become codes.

A rule takes the dense pre-activations of a batch and returns the entries that stay on; all of
them are above zero (top-k first, ReLU on the survivors: the ReLU of the dense matrix would cost
as much as the selection).
"""

import torch
from torch import Tensor

from bio_interp.sae._codes import SparseCodes, compact, counts_to_indptr, from_flat

_SLACK = 0.9
"""Candidates are those above this share of the last batch's threshold."""


def select_topk(pre: Tensor, k: int, *, ascending: bool = True) -> SparseCodes:
    """Keep the `k` largest of each row (arXiv 2406.04093), by feature where `ascending`.

    Rows with fewer than `k` entries above zero keep those.
    """
    rows, d_sae = pre.shape
    top = pre.topk(min(k, d_sae), dim=1, sorted=False)
    values, features = top.values, top.indices  # (rows, k)
    if ascending:
        features, order = features.sort(dim=1)
        values = values.gather(1, order)
    on = values > 0
    if bool(on.all()):
        indptr = torch.arange(rows + 1, device=pre.device) * values.shape[1]
        return SparseCodes(indptr, features.flatten().int(), values.flatten(), d_sae)
    return SparseCodes(counts_to_indptr(on.sum(1)), features[on].int(), values[on], d_sae)


def select_batchtopk(pre: Tensor, k: int, hint: float = 0.0) -> SparseCodes:
    """Keep the ``k * rows`` largest of the whole batch (arXiv 2412.06410).

    The search runs only over entries above 0.9 of `hint`, the last batch's threshold; where those
    are too few it runs over all entries above zero, so that `hint` changes the time and never
    the result. A top-k of the whole matrix takes about ten times as long.
    """
    rows, d_sae = pre.shape
    budget = min(k, d_sae) * rows
    flat = pre.flatten()
    candidates = (flat > _SLACK * hint).nonzero().squeeze(1)
    if hint > 0 and candidates.shape[0] < budget:
        candidates = (flat > 0).nonzero().squeeze(1)
    values = flat[candidates]
    if candidates.shape[0] > budget:
        kept = values.topk(budget, sorted=False).indices.sort().values
        candidates, values = candidates[kept], values[kept]
    return from_flat(candidates, values, rows=rows, d_sae=d_sae)


def select_threshold(pre: Tensor, threshold: Tensor) -> SparseCodes:
    """Keep what is strictly above the threshold of its feature and above 0: no row sees another.

    `threshold` has the shape ``(d_sae,)``.
    """
    return compact(pre, pre > threshold.clamp_min(0.0))


def lowest_value(codes: SparseCodes) -> Tensor:
    """Smallest activation of a batch, its threshold; 0 where nothing is on."""
    return codes.values.min() if codes.values.shape[0] else codes.values.new_zeros(())
