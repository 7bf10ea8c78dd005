"""Which pre-activations become codes.

A rule takes a `Product` and rows and returns the entries that stay on, all of them above zero and
by feature within a row. (Top-k first, ReLU on the survivors: the ReLU of the dense matrix would
cost as much as the selection.)
"""

import torch
from torch import Tensor

from bio_interp.sae._codes import SparseCodes, counts_to_indptr
from bio_interp.sae._parallel import gathered, rank, smallest, total, world_size
from bio_interp.sae._product import PreActivations, Product
from bio_interp.sae._search import (
    Search,
    can_search,
    kth_largest,
    places_at_least,
    true_places,
)

_MARGIN = 0.9
"""Candidates are those above this share of the last batch's threshold."""


def select_topk(product: Product, x: Tensor, k: int) -> SparseCodes:
    """Keep the `k` largest of each row (arXiv 2406.04093).

    Rows with fewer than `k` entries above zero keep those.
    """
    return SparseCodes.cat([_topk_of(pre, k) for pre in product.blocks(x)])


def select_batchtopk(product: Product, x: Tensor, k: int, hint: float = 0.0) -> SparseCodes:
    """Keep the ``k * rows`` largest of the whole batch (arXiv 2412.06410).

    Where several processes train together the batch is that of all of them; each has as many
    rows, keeps its own share, and `hint` is the same for all. Of entries equal to the lowest that
    is kept the first are, by rank and place, so that their number is exact.

    The search runs over entries above 0.9 of `hint`, the last batch's threshold; where those are
    too few it begins anew without it, so that `hint` changes the time and never the result. A
    top-k of the whole matrix takes about ten times as long.
    """
    own = min(k, product.weight.shape[0]) * x.shape[0]
    budget = own * world_size()
    floor = _MARGIN * hint
    codes = _at_least(product, x, x.new_tensor(floor)) if hint > 0 else None
    if codes is None or int(total((codes.values >= floor).sum())) < budget:
        codes = _at_least(product, x, smallest(_batch_floor(product, x, own)))
    kept = codes.values > 0
    everyone = gathered(codes.values)
    if everyone.shape[0] > budget:
        cut = everyone.topk(budget, sorted=False).values.min()
        kept &= _first_at_least(codes.values, cut, budget - int((everyone > cut).sum()))
    return codes.where(true_places(kept))


def select_threshold(product: Product, x: Tensor, threshold: Tensor) -> SparseCodes:
    """Keep what is strictly above the threshold of its feature and above 0: no row sees another.

    `threshold` has the shape ``(d_sae,)``.
    """
    lowest = threshold.clamp_min(0.0)
    codes = _at_least(product, x, lowest)
    return codes.where(true_places(codes.values > lowest.index_select(0, codes.features)))


def lowest_value(codes: SparseCodes) -> Tensor:
    """Smallest activation of a batch, over all processes; 0 where nothing is on."""
    ends = torch.cat([codes.values, codes.values.new_full((1,), float("inf"))])
    lowest = smallest(ends.min())
    return torch.where(lowest.isinf(), torch.zeros_like(lowest), lowest)


def _topk_of(pre: PreActivations, k: int) -> SparseCodes:
    if pre.slack is None and not (
        pre.dense.device.type == "cpu" and can_search(pre.dense.shape[1])
    ):
        return _dense_topk(pre.dense.to(pre.x.dtype), k)
    search = Search(pre.dense, k)
    floor = pre.exact_floor(search.row_floor(k))
    flat = search.places_at_least(floor if pre.slack is None else floor - pre.slack)
    codes = pre.codes_at(flat)
    return codes.where(true_places(_largest_of_rows(codes, k)))


def _dense_topk(pre: Tensor, k: int) -> SparseCodes:
    top = pre.topk(min(k, pre.shape[1]), dim=1, sorted=False)
    features, order = top.indices.sort(dim=1)
    values = top.values.gather(1, order)  # (rows, k)
    on = values > 0
    return SparseCodes(counts_to_indptr(on.sum(1)), features[on].int(), values[on], pre.shape[1])


def _largest_of_rows(codes: SparseCodes, k: int) -> Tensor:
    """Mark the `k` largest values above zero of each row, ``(nnz,)``."""
    counts = codes.indptr.diff().unsqueeze(1)
    widest = int(counts.max()) if counts.shape[0] else 0
    if widest <= k:
        return codes.values > 0
    columns = torch.arange(widest, device=counts.device)
    side_by_side = codes.values.new_zeros(counts.shape[0], widest)
    side_by_side.masked_scatter_(columns < counts, codes.values)
    top = side_by_side.topk(k, dim=1, sorted=False)
    chosen = (top.indices + codes.indptr[:-1].unsqueeze(1))[top.values > 0]
    return torch.zeros_like(codes.values, dtype=torch.bool).index_fill_(0, chosen, True)


def _at_least(product: Product, x: Tensor, floor: Tensor) -> SparseCodes:
    """Find entries of at least `floor`, a number or one a feature, and perhaps a few below it."""
    alike = product.alike(x)
    parts: list[SparseCodes] = []
    for rows in alike:
        for pre in product.blocks(x.index_select(0, rows) if len(alike) > 1 else x):
            flat = _places(pre.dense, floor - pre.widest_slack())
            parts.append(pre.codes_at(flat))
    codes = SparseCodes.cat(parts)
    return codes if len(alike) == 1 else _in_order(codes, torch.cat(alike))


def _places(dense: Tensor, floor: Tensor) -> Tensor:
    if floor.ndim or not can_search(dense.shape[1]):
        return places_at_least(dense, floor.expand(dense.shape[1]).contiguous())
    return Search(dense, 1).places_at_least(floor)


def _first_at_least(values: Tensor, cut: Tensor, equal_ones: int) -> Tensor:
    """Mark what is above `cut` and, of what equals it, the first ones over all processes."""
    equal = values == cut
    before = gathered(equal.sum().unsqueeze(0))[: rank()].sum()
    return (values > cut) | (equal & (equal.cumsum(0) <= equal_ones - before))


def _in_order(codes: SparseCodes, numbers: Tensor) -> SparseCodes:
    """Put the rows, whose `numbers` are a permutation, into order."""
    order = numbers[codes.row_index()].sort(stable=True).indices
    counts = torch.empty_like(numbers).index_copy_(0, numbers, codes.indptr.diff())
    return SparseCodes(
        counts_to_indptr(counts), codes.features[order], codes.values[order], codes.d_sae
    )


def _batch_floor(product: Product, x: Tensor, count: int) -> Tensor:
    """Give a number that at least `count` exact entries reach; 0 where it is not known."""
    if not can_search(product.weight.shape[0]):
        return x.new_zeros(())
    blocks = product.blocks(x)
    k = -(-count // x.shape[0])
    maxima = [pre.exact_floor(Search(pre.dense, k).group_maxima()).flatten() for pre in blocks]
    return kth_largest(torch.cat(maxima), count)
