"""The encoder's product with the running threshold behind it, so that it need not be written.

Slots are reserved by integer atomics, in an order that changes from run to run; the list is
sorted by feature afterwards, so that results do not.
"""

import triton
import triton.language as tl


@triton.jit
def tile_of(rows, BM: tl.constexpr, BN: tl.constexpr):
    """Give first row and first feature of a program; programs that follow share the features.

    All rows of a batch fit the L2 cache and the encoder may not, so it is read once.
    """
    tiles = tl.cdiv(rows, BM)
    return tl.program_id(0) % tiles * BM, tl.program_id(0) // tiles * BN


@triton.jit
def product(
    x, encoder, bias, row, inside, features, d_sae, d_model, BM: tl.constexpr, BN: tl.constexpr,
    BK: tl.constexpr, WIDEN: tl.constexpr,
):  # fmt: skip
    """Multiply a tile of rows ``(BM,)`` by a tile of features ``(BN,)``, in float32.

    With `WIDEN` bfloat16 becomes float32 first: the same products, for Triton's interpreter, whose
    `tl.dot` takes bfloat16 for integers (seen in 3.7.1).
    """
    total = tl.zeros([BM, BN], tl.float32)
    x_rows = x + row.to(tl.int64)[:, None] * d_model
    encoder_rows = encoder + features.to(tl.int64)[None, :] * d_model
    for start in range(0, d_model, BK):
        at = start + tl.arange(0, BK)
        a = tl.load(x_rows + at[None, :], mask=inside[:, None] & (at < d_model)[None, :], other=0.0)
        b = tl.load(
            encoder_rows + at[:, None],
            mask=(features < d_sae)[None, :] & (at < d_model)[:, None],
            other=0.0,
        )
        if WIDEN:
            a, b = a.to(tl.float32), b.to(tl.float32)
        total = tl.dot(a, b, total, input_precision="ieee")
    return (
        total + tl.load(bias + features, mask=features < d_sae, other=0.0).to(tl.float32)[None, :]
    )


@triton.jit
def encode_above(
    x, encoder, bias, floor, values, features, counts, rows, d_sae, d_model, cap,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, WIDEN: tl.constexpr,
):  # fmt: skip
    """List what is above the floor of each row; one program a tile of rows and features."""
    first_row, first_feature = tile_of(rows, BM, BN)
    row = first_row + tl.arange(0, BM)
    feature = first_feature + tl.arange(0, BN)
    inside = row < rows
    pre = product(x, encoder, bias, row, inside, feature, d_sae, d_model, BM, BN, BK, WIDEN)
    limit = tl.maximum(tl.load(floor + row, mask=inside, other=0.0), 0.0)
    on = (pre > limit[:, None]) & inside[:, None] & (feature < d_sae)[None, :]
    found = tl.sum(on.to(tl.int32), 1)  # (BM,)
    first = tl.atomic_add(counts + row, found, mask=inside & (found > 0))
    place = first[:, None] + tl.cumsum(on.to(tl.int32), 1) - 1  # (BM, BN)
    keep = on & (place < cap)
    slot = row.to(tl.int64)[:, None] * cap + place
    tl.store(values + slot, pre, mask=keep)
    tl.store(features + slot, tl.broadcast_to(feature[None, :], [BM, BN]), mask=keep)


@triton.jit
def encode_rows(
    x, encoder, bias, order, wanted, pre, rows, d_sae, d_model,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, WIDEN: tl.constexpr,
):  # fmt: skip
    """Write the dense product of the first `wanted` rows of `order`; other programs end at once."""
    first_row, first_feature = tile_of(rows, BM, BN)
    number = first_row + tl.arange(0, BM)
    count = tl.load(wanted)
    if first_row < count:
        inside = number < count
        row = tl.load(order + number, mask=inside, other=0)
        feature = first_feature + tl.arange(0, BN)
        total = product(x, encoder, bias, row, inside, feature, d_sae, d_model, BM, BN, BK, WIDEN)
        place = pre + row.to(tl.int64)[:, None] * d_sae + feature[None, :]
        tl.store(place, total, mask=inside[:, None] & (feature < d_sae)[None, :])
