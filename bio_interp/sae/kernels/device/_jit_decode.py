"""Decoding, residual, squared loss and gradient of the values in one pass over the decoder's rows.

The gradient of a value is the product of its decoder row with the residual, a sum over the width.
The residual of a tile of the width needs the decoder on that tile alone. So each tile of the
active rows is loaded once, gives the residual of that tile, and is multiplied by it while it is
still in registers: nothing of the decoder is read twice, and nothing but the residual is written.
"""

import triton
import triton.language as tl


@triton.jit
def load_tile(decoder, feature, live, at, d):
    """Load a tile of the decoder's rows, ``(slots, tile)`` in float32; 0 outside."""
    place = decoder + feature.to(tl.int64)[:, None] * d + at[None, :]
    return tl.load(place, mask=live[:, None] & (at < d)[None, :], other=0.0).to(tl.float32)


@triton.jit
def load_slots(features, values, first, count, BK: tl.constexpr):
    """Load features and values of up to BK slots; empty slots are not live."""
    slot = first + tl.arange(0, BK)
    inside = tl.arange(0, BK) < count
    feature = tl.load(features + slot, mask=inside, other=0)
    value = tl.load(values + slot, mask=inside, other=0.0)
    return feature, value, value > 0


@triton.jit
def short_row(
    features, values, first, count, decoder, bias, target, residual, grads, d, factor,
    BK: tl.constexpr, BD: tl.constexpr,
):  # fmt: skip
    """Do a row of at most BK slots; each element of the decoder is read once."""
    feature, value, live = load_slots(features, values, first, count, BK)
    grad = tl.zeros([BK], tl.float32)
    loss = tl.zeros([], tl.float32)
    for start in range(0, d, BD):
        at = start + tl.arange(0, BD)
        weights = load_tile(decoder, feature, live, at, d)
        goal = tl.load(target + at, mask=at < d, other=0.0).to(tl.float32)
        goal -= tl.load(bias + at, mask=at < d, other=0.0).to(tl.float32)
        left = goal - tl.sum(value[:, None] * weights, 0)  # (BD,)
        tl.store(residual + at, left, mask=at < d)
        grad += tl.sum(weights * left[None, :], 1)
        loss += tl.sum(left * left, 0)
    slot = tl.arange(0, BK)
    tl.store(grads + first + slot, grad * factor, mask=slot < count)
    return loss


@triton.jit
def long_row(
    features, values, first, count, decoder, bias, target, residual, grads, d, factor,
    BK: tl.constexpr, BD: tl.constexpr,
):  # fmt: skip
    """Do a row of any number of slots, BK at a time; the decoder's rows are read twice."""
    loss = tl.zeros([], tl.float32)
    for start in range(0, d, BD):
        at = start + tl.arange(0, BD)
        left = tl.load(target + at, mask=at < d, other=0.0).to(tl.float32)
        left -= tl.load(bias + at, mask=at < d, other=0.0).to(tl.float32)
        for done in range(0, count, BK):
            feature, value, live = load_slots(features, values, first + done, count - done, BK)
            left -= tl.sum(value[:, None] * load_tile(decoder, feature, live, at, d), 0)
        tl.store(residual + at, left, mask=at < d)
        loss += tl.sum(left * left, 0)
    tl.debug_barrier()  # the residual is read back below
    for done in range(0, count, BK):
        feature, value, live = load_slots(features, values, first + done, count - done, BK)
        grad = tl.zeros([BK], tl.float32)
        for start in range(0, d, BD):
            at = start + tl.arange(0, BD)
            left = tl.load(residual + at, mask=at < d, other=0.0).to(tl.float32)
            grad += tl.sum(load_tile(decoder, feature, live, at, d) * left[None, :], 1)
        slot = tl.arange(0, BK)
        tl.store(grads + first + done + slot, grad * factor, mask=slot < count - done)
    return loss


@triton.jit
def decode_rows(
    indptr, features, values, decoder, bias, target, residual, losses, grads, d, factor,
    BK: tl.constexpr, BD: tl.constexpr,
):  # fmt: skip
    """Decode one row a program."""
    row = tl.program_id(0).to(tl.int64)
    first = tl.load(indptr + row)
    count = tl.load(indptr + row + 1) - first
    target += row * d
    residual += row * d
    if count <= BK:
        loss = short_row(
            features, values, first, count, decoder, bias, target, residual, grads, d, factor,
            BK, BD,
        )  # fmt: skip
    else:
        loss = long_row(
            features, values, first, count, decoder, bias, target, residual, grads, d, factor,
            BK, BD,
        )  # fmt: skip
    tl.store(losses + row, loss)
