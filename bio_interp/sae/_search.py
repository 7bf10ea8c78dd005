"""Find the few large entries of a dense matrix on a CPU, several times faster than `topk`.

Floating-point numbers above zero keep their order when their bits are read as integers, and
integer comparisons use the whole width of the processor's vectors. Numbers at or below zero read
as something below 1, which is all that is asked of them here. The largest entry of each group of
neighbours tells which groups are worth a look.
"""

import torch
from torch import Tensor

_GROUPS = (64, 32, 16, 8)
_INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
_BYTES = 8  # booleans that are looked at together


def can_search(d_sae: int) -> bool:
    """Tell whether a matrix of this width can be searched: its rows fall into whole groups."""
    return d_sae % _GROUPS[0] == 0


class Search:
    """A matrix whose large entries are looked for.

    Parameters
    ----------
    dense
        Shape ``(rows, d_sae)``, contiguous.
    k
        About how many entries of a row are wanted: there are twice as many groups where groups of
        eight allow it.
    """

    def __init__(self, dense: Tensor, k: int) -> None:
        self.dense = dense
        rows, d_sae = dense.shape
        fitting = [size for size in _GROUPS if d_sae % size == 0 and d_sae >= 2 * k * size]
        self._size = fitting[0] if fitting else _GROUPS[-1]
        self._keys = _as_integers(dense)
        self._maxima = self._keys.view(rows, d_sae // self._size, self._size).amax(2)

    def group_maxima(self) -> Tensor:
        """Give the largest of each group of entries of a row, or 0, ``(rows, groups)``."""
        return self._maxima.clamp_min(0).view(self.dense.dtype)

    def row_floor(self, k: int) -> Tensor:
        """Give for each row a number that at least `k` of its entries reach, ``(rows, 1)``.

        It is the k-th largest of the largest entries of groups, so not many more than `k` reach
        it; 0 where fewer than `k` groups have an entry above zero.
        """
        if self._maxima.shape[1] < k:
            return self.dense.new_zeros(self.dense.shape[0], 1)
        keys = self._maxima.topk(k, dim=1, sorted=False).values.amin(1, keepdim=True)
        return keys.clamp_min_(0).view(self.dense.dtype)

    def places_at_least(self, floor: Tensor) -> Tensor:
        """Find the entries that are not below `floor`, a number or one a row, ``(rows, 1)``.

        Gives ascending flat indices; entries at 0 or below it only where some floor is below 0.
        """
        rows, groups = self._maxima.shape
        floor = _rounded_down(floor, self.dense.dtype).expand(rows, 1).contiguous()
        if bool((floor < 0).any()):
            return true_places(self.dense >= floor)
        lowest = _as_integers(floor).clamp_min_(1)
        chosen = true_places(self._maxima >= lowest)  # groups
        entries = self._keys.view(-1, self._size).index_select(0, chosen)
        row = torch.div(chosen, groups, rounding_mode="floor")
        inside = true_places(entries >= lowest.index_select(0, row))
        which = torch.div(inside, self._size, rounding_mode="floor")
        return chosen.index_select(0, which) * self._size + (inside - which * self._size)


def places_at_least(dense: Tensor, floor: Tensor) -> Tensor:
    """Find the entries not below the `floor` of their feature, ``(d_sae,)``, as `Search` does."""
    floor = _rounded_down(floor, dense.dtype)
    if bool((floor < 0).any()):
        return true_places(dense >= floor)
    return true_places(_as_integers(dense) >= _as_integers(floor).clamp_min(1))


def kth_largest(values: Tensor, count: int) -> Tensor:
    """Give the `count`-th largest of ``(n,)``; 0 where there are fewer or it is below 0."""
    if values.shape[0] < count:
        return values.new_zeros(())
    return values.topk(count, sorted=False).values.min().clamp_min(0)


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


def _rounded_down(floor: Tensor, dtype: torch.dtype) -> Tensor:
    if floor.dtype == dtype:
        return floor
    return (floor - floor.abs() * torch.finfo(dtype).eps).to(dtype)


def _as_integers(tensor: Tensor) -> Tensor:
    return tensor.view(_INTEGERS[tensor.element_size()])
