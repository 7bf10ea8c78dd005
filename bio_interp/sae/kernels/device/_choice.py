"""From rows to entries: the list above the floor, then exactly the largest."""

from dataclasses import dataclass

import torch
from torch import Tensor

from bio_interp.sae.kernels._entries import Entries
from bio_interp.sae.kernels._plan import power_of_two, selection_route, shortlist
from bio_interp.sae.kernels.device import _jit_batch as batch_kernels
from bio_interp.sae.kernels.device import _jit_encode as encode_kernels
from bio_interp.sae.kernels.device import _jit_select as select_kernels
from bio_interp.sae.kernels.device._launch import launch

_ENCODE = {"BM": 128, "BN": 64, "BK": 64, "num_warps": 8}
"""The largest tile that compiles without spilling registers; not tuned."""
_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Lists:
    """What each row has above its floor.

    Attributes
    ----------
    values, features
        Shape ``(rows, cap)``, in order of features; what is past `counts` means nothing.
    counts
        Entries above the floor, of which at most `cap` are listed; int32, ``(rows,)``.
    pre
        Dense pre-activations ``(rows, d_sae)``; where they were not written, room for them.
    """

    values: Tensor
    features: Tensor
    counts: Tensor
    pre: Tensor

    @property
    def cap(self) -> int:
        """How long a list can be."""
        return self.values.shape[1]


def topk(
    x: Tensor, encoder: Tensor, bias: Tensor, k: int, floor: Tensor, *, route: str | None
) -> Entries:
    """See `Kernels.select_topk`."""
    rows, d_sae = x.shape[0], encoder.shape[0]
    k = min(k, d_sae)
    lists = _lists(x, encoder, bias, floor, shortlist(d_sae, k, whole_batch=False), route)
    if _is_fused(x, route):
        failed = (lists.counts < k) | (lists.counts > lists.cap)
        _write_pre(x, encoder, bias, lists.pre, failed)
    values = torch.empty(rows, k, dtype=torch.float32, device=x.device)
    features = torch.empty(rows, k, dtype=torch.int32, device=x.device)
    sources = lists.pre, lists.values, lists.features, lists.counts
    sizes = d_sae, lists.cap, k
    kernel = select_kernels.take_largest
    launch(kernel, (rows,), *sources, values, features, *sizes, BLOCK=_block(d_sae))
    return Entries.of_rows(features, values, d_sae)


def batchtopk(
    x: Tensor, encoder: Tensor, bias: Tensor, k: int, floor: Tensor, *, route: str | None
) -> Entries:
    """See `Kernels.select_batchtopk`."""
    rows, d_sae = x.shape[0], encoder.shape[0]
    slots = min(k, d_sae) * rows
    floor = floor.max().expand(rows).contiguous()  # enough above one floor: the rest is below it
    lists = _lists(x, encoder, bias, floor, shortlist(d_sae, k, whole_batch=True), route)
    listed = (lists.counts.sum() >= slots) & (lists.counts <= lists.cap).all()
    if _is_fused(x, route):
        _write_pre(x, encoder, bias, lists.pre, (~listed).expand(rows))
    state = torch.zeros(2, dtype=torch.int64, device=x.device)
    state[1].fill_(slots)
    return _take_of_batch(lists, listed.int(), state, slots, k)


def _take_of_batch(lists: Lists, listed: Tensor, state: Tensor, slots: int, k: int) -> Entries:
    rows, d_sae = lists.pre.shape
    device = listed.device
    sizes = {"d_sae": d_sae, "cap": lists.cap, "BLOCK": _block(d_sae)}
    source = lists.pre, lists.values, lists.counts, listed, state
    digits = torch.empty(rows, 256, dtype=torch.int32, device=device)
    for digit in range(4):
        launch(batch_kernels.count_digits, (rows,), *source, digits, DIGIT=digit, **sizes)
        totals = digits.sum(0, dtype=torch.int64)
        launch(batch_kernels.pick_digit, (1,), totals, state, DIGIT=digit)
    above, equal = torch.empty(2, rows, dtype=torch.int32, device=device)
    launch(batch_kernels.count_kept, (rows,), *source, above, equal, **sizes)
    before = equal.cumsum(0) - equal
    ties = (state[1] - before).clamp_min(0).minimum(equal).int()  # equals that a row may keep
    indptr = torch.zeros(rows + 1, dtype=torch.int32, device=device)
    torch.cumsum(above + ties, 0, dtype=torch.int32, out=indptr[1:])
    values = torch.zeros(slots, dtype=torch.float32, device=device)
    features = torch.full((slots,), d_sae, dtype=torch.int32, device=device)
    owner = torch.zeros(slots, dtype=torch.int32, device=device)
    taken = indptr, ties, values, features, owner
    launch(batch_kernels.write_kept, (rows,), *source, lists.features, *taken, **sizes)
    return Entries(features, values, owner, indptr, d_sae, 2 * k)


def _is_fused(x: Tensor, route: str | None) -> bool:
    route = route or selection_route(x.shape[1], bytes_each=x.element_size())
    return route == "fused"


def _lists(
    x: Tensor, encoder: Tensor, bias: Tensor, floor: Tensor, cap: int, route: str | None
) -> Lists:
    rows, d_sae = x.shape[0], encoder.shape[0]
    values = torch.empty(rows, cap, dtype=torch.float32, device=x.device)
    if not _is_fused(x, route):
        pre = torch.addmm(bias, x, encoder.T)
        features = torch.empty(rows, cap, dtype=torch.int32, device=x.device)
        counts = torch.empty(rows, dtype=torch.int32, device=x.device)
        kernel, found = select_kernels.keep_above, (values, features, counts)
        launch(kernel, (rows,), pre, floor, *found, d_sae, cap, BLOCK=_block(d_sae))
        return Lists(values, features, counts, pre)
    features = torch.full((rows, cap), d_sae, dtype=torch.int32, device=x.device)
    counts = torch.zeros(rows, dtype=torch.int32, device=x.device)
    kernel, found = encode_kernels.encode_above, (values, features, counts)
    sizes = rows, d_sae, x.shape[1], cap
    grid = _tiles(rows, d_sae)
    launch(kernel, grid, x, encoder, bias, floor, *found, *sizes, WIDEN=_widen(x), **_ENCODE)
    features, order = features.sort(dim=1)
    pre = torch.empty(rows, d_sae, dtype=torch.float32, device=x.device)
    return Lists(values.gather(1, order), features, counts, pre)


def _write_pre(x: Tensor, encoder: Tensor, bias: Tensor, pre: Tensor, failed: Tensor) -> None:
    """Write the dense rows that are needed after all; how many they are the host does not know."""
    rows, d_sae = pre.shape
    order = failed.int().argsort(descending=True, stable=True)
    kernel, which = encode_kernels.encode_rows, (order, failed.sum())
    sizes = rows, d_sae, x.shape[1]
    grid = _tiles(rows, d_sae)
    launch(kernel, grid, x, encoder, bias, *which, pre, *sizes, WIDEN=_widen(x), **_ENCODE)


def _tiles(rows: int, d_sae: int) -> tuple[int]:
    return (-(-rows // _ENCODE["BM"]) * -(-d_sae // _ENCODE["BN"]),)


def _widen(x: Tensor) -> bool:
    return x.device.type == "cpu"  # that is, in the interpreter


def _block(d_sae: int) -> int:
    return min(_LONGEST, power_of_two(d_sae))
