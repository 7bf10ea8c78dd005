"""Find the few large entries of a dense matrix on a CPU, several times faster than `topk`.

Floating-point numbers above zero keep their order when their bits are read as integers, and
integer comparisons use the whole width of the processor's vectors. Numbers at or below zero read
as something below 1, which is all that is asked of them here.
"""

import torch
from torch import Tensor

_GROUP = 32  # entries of which the largest is looked at first; halved where many are wanted
_INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
_BYTES = 8  # booleans that are looked at together


def can_search(d_sae: int) -> bool:
    """Tell whether a matrix of this width can be searched: its rows fall into whole groups."""
    return d_sae % _GROUP == 0


def row_floor(dense: Tensor, k: int) -> Tensor:
    """Give for each row a number that at least `k` of its entries reach, ``(rows, 1)``.

    It is the k-th largest of the largest entries of groups, so hardly more than `k` reach it; 0
    where fewer than `k` groups have an entry above zero.
    """
    largest = _maxima(dense, k)
    if largest.shape[1] < k:
        return dense.new_zeros(dense.shape[0], 1)
    keys = largest.topk(k, dim=1, sorted=False).values.amin(1, keepdim=True)
    return keys.clamp_min_(0).view(dense.dtype)


def group_maxima(dense: Tensor, k: int) -> Tensor:
    """Give the largest of each group of entries of a row, or 0, ``(rows, groups)``.

    There are at least four groups for each of the `k` entries wanted, if that makes groups of
    eight or more.
    """
    return _maxima(dense, k).clamp_min_(0).view(dense.dtype)


def kth_largest(values: Tensor, count: int) -> Tensor:
    """Give the `count`-th largest of ``(n,)``; 0 where there are fewer or it is below 0."""
    if values.shape[0] < count:
        return values.new_zeros(())
    return values.topk(count, sorted=False).values.min().clamp_min(0)


def places_at_least(dense: Tensor, floor: Tensor) -> Tensor:
    """Find entries that are not below `floor`, as ascending flat indices.

    Entries at 0 or below it are found only where some floor is below 0.

    Parameters
    ----------
    dense
        Shape ``(rows, d_sae)``, contiguous.
    floor
        Float32 or the dtype of `dense`, broadcast against it. Where it must be rounded to the
        dtype of `dense` it is rounded down.
    """
    if floor.dtype != dense.dtype:
        floor = (floor - floor.abs() * torch.finfo(dense.dtype).eps).to(dense.dtype)
    if bool((floor < 0).any()):
        return true_places(dense >= floor)
    lowest = _as_integers(floor.contiguous()).clamp_min(1)
    return true_places(_as_integers(dense) >= lowest)


def true_places(mask: Tensor) -> Tensor:
    """Find where a boolean tensor is true, as ascending flat indices.

    Eight booleans are looked at as one integer first, which is what makes it fast where few are
    true.
    """
    flat = mask.flatten()
    if flat.shape[0] % _BYTES:
        return flat.nonzero().squeeze(1)
    eights = flat.view(torch.int64).nonzero().squeeze(1)
    inside = flat.view(-1, _BYTES).index_select(0, eights).flatten().nonzero().squeeze(1)
    return eights[inside >> 3] * _BYTES + (inside & 7)


def _maxima(dense: Tensor, k: int) -> Tensor:
    rows, d_sae = dense.shape
    size = _GROUP
    while size > _BYTES and d_sae // size < 4 * k:
        size //= 2
    # entries far apart make a group: the maximum then runs along contiguous rows
    return _as_integers(dense).view(rows, size, d_sae // size).amax(1)


def _as_integers(tensor: Tensor) -> Tensor:
    return tensor.view(_INTEGERS[tensor.element_size()])
