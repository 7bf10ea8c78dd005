"""Adam in one pass; for the decoder with projection before it and unit rows after it."""

import triton
import triton.language as tl


@triton.jit
def row_squares(weights, grad, out, d, UNIT: tl.constexpr, BD: tl.constexpr):
    """Sum the squares of a row of the gradient, without its part along the weights if UNIT."""
    row = tl.program_id(0).to(tl.int64)
    weights += row * d
    grad += row * d
    square = tl.zeros([], tl.float32)
    along = tl.zeros([], tl.float32)
    for start in range(0, d, BD):
        at = start + tl.arange(0, BD)
        g = tl.load(grad + at, mask=at < d, other=0.0)
        if UNIT:
            along += tl.sum(g * tl.load(weights + at, mask=at < d, other=0.0), 0)
        else:
            square += tl.sum(g * g, 0)
    if UNIT:
        for start in range(0, d, BD):
            at = start + tl.arange(0, BD)
            g = tl.load(grad + at, mask=at < d, other=0.0)
            g -= along * tl.load(weights + at, mask=at < d, other=0.0)
            square += tl.sum(g * g, 0)
    tl.store(out + row, square)


@triton.jit
def adam_rows(
    weights, grad, mean, square, clip, d, rate, eps, root, new_mean, old_square, new_square,
    UNIT: tl.constexpr, BD: tl.constexpr,
):  # fmt: skip
    """Step one row a program: gradient along the row removed, clipped, Adam, unit norm.

    `rate` is the learning rate over its bias correction, `root` the root of the other correction;
    `new_mean` is ``1 - beta1``, `old_square` beta2 and `new_square` ``1 - beta2``, which would
    lose digits if it were computed here in float32.
    """
    row = tl.program_id(0).to(tl.int64) * d
    factor = tl.load(clip)
    along = tl.zeros([], tl.float32)
    norm = tl.zeros([], tl.float32)
    if UNIT:
        for start in range(0, d, BD):
            at = start + tl.arange(0, BD)
            w = tl.load(weights + row + at, mask=at < d, other=0.0)
            along += tl.sum(w * tl.load(grad + row + at, mask=at < d, other=0.0), 0)
    for start in range(0, d, BD):
        at = start + tl.arange(0, BD)
        inside, place = at < d, row + at
        w = tl.load(weights + place, mask=inside, other=0.0)
        g = (tl.load(grad + place, mask=inside, other=0.0) - along * w) * factor
        m = tl.load(mean + place, mask=inside, other=0.0)
        v = tl.load(square + place, mask=inside, other=0.0)
        m += (g - m) * new_mean
        v = old_square * v + new_square * g * g
        w -= rate * m / (tl.sqrt(v) / root + eps)
        tl.store(mean + place, m, mask=inside)
        tl.store(square + place, v, mask=inside)
        tl.store(weights + place, w, mask=inside)
        norm += tl.sum(w * w, 0)
    if UNIT:
        tl.debug_barrier()  # the weights are read back below
        norm = tl.maximum(tl.sqrt(norm), 1e-12)
        for start in range(0, d, BD):
            at = start + tl.arange(0, BD)
            w = tl.load(weights + row + at, mask=at < d, other=0.0)
            tl.store(weights + row + at, w / norm, mask=at < d)
