"""Both weight gradients in one walk over the entries sorted by feature.

A program adds up one chunk of the entries of one feature on one tile of the width: values times
residuals for the decoder, gradients of the values times inputs for the encoder. A feature of
several chunks leaves partial sums, which a second kernel adds in order. Each gradient is written
once and in a fixed order: no atomics, the same bits in every run, no ``(rows, k, d)`` tensor.
"""

import triton
import triton.language as tl


@triton.jit
def add_chunk(
    first, last, order, rows, values, grads, x, residual, d_in, d_out, at,
    BE: tl.constexpr, BD: tl.constexpr,
):  # fmt: skip
    """Add up sorted entries `first` to `last` on one tile: encoder, decoder, bias."""
    encoder = tl.zeros([BD], tl.float32)
    decoder = tl.zeros([BD], tl.float32)
    bias = tl.zeros([], tl.float32)
    for start in range(first, last, BE):
        entry = start + tl.arange(0, BE)
        live = entry < last
        slot = tl.load(order + entry, mask=live, other=0)
        row = tl.load(rows + slot, mask=live, other=0).to(tl.int64)
        value = tl.load(values + slot, mask=live, other=0.0)
        grad = tl.load(grads + slot, mask=live, other=0.0)
        read = tl.load(
            x + row[:, None] * d_in + at[None, :],
            mask=live[:, None] & (at < d_in)[None, :], other=0.0,
        )  # fmt: skip
        left = tl.load(
            residual + row[:, None] * d_out + at[None, :],
            mask=live[:, None] & (at < d_out)[None, :], other=0.0,
        )  # fmt: skip
        encoder += tl.sum(grad[:, None] * read.to(tl.float32), 0)
        decoder += tl.sum(value[:, None] * left.to(tl.float32), 0)
        bias += tl.sum(grad, 0)
    return encoder, decoder, bias


@triton.jit
def store_sums(
    encoder, decoder, bias, to_encoder, to_decoder, to_bias, at, d_in, d_out, is_first,
):  # fmt: skip
    """Write the sums of one tile; the bias goes with the first tile."""
    tl.store(to_encoder + at, encoder, mask=at < d_in)
    tl.store(to_decoder + at, decoder, mask=at < d_out)
    tl.store(to_bias, bias, mask=is_first)


@triton.jit
def sum_chunks(
    owner, starts, long_starts, indptr, order, rows, values, grads, x, residual, scale,
    grad_encoder, grad_decoder, grad_bias, part_encoder, part_decoder, part_bias,
    d_sae, d_in, d_out, factor,
    CHUNK: tl.constexpr, BE: tl.constexpr, BD: tl.constexpr,
):  # fmt: skip
    """Add up one chunk on one tile; one program each."""
    chunk, number = tl.program_id(0), tl.program_id(1)
    at = number * BD + tl.arange(0, BD)
    feature = tl.load(owner + chunk).to(tl.int64)
    if feature < d_sae:
        rank = chunk - tl.load(starts + feature)
        begin, end = tl.load(indptr + feature), tl.load(indptr + feature + 1)
        first = begin + rank * CHUNK
        last = tl.minimum(first + CHUNK, end)
        encoder, decoder, bias = add_chunk(
            first, last, order, rows, values, grads, x, residual, d_in, d_out, at, BE, BD
        )
        if end - begin > CHUNK:
            part = (tl.load(long_starts + feature) + rank).to(tl.int64)
            store_sums(
                encoder, decoder, bias, part_encoder + part * d_in, part_decoder + part * d_out,
                part_bias + part, at, d_in, d_out, number == 0,
            )  # fmt: skip
        else:
            times = tl.load(scale)
            store_sums(
                encoder * times, decoder * (times * factor), bias * times,
                grad_encoder + feature * d_in, grad_decoder + feature * d_out,
                grad_bias + feature, at, d_in, d_out, number == 0,
            )  # fmt: skip


@triton.jit
def sum_partials(
    long_starts, indptr, scale, grad_encoder, grad_decoder, grad_bias,
    part_encoder, part_decoder, part_bias, d_in, d_out, factor,
    CHUNK: tl.constexpr, BD: tl.constexpr,
):  # fmt: skip
    """Add the partial sums of a feature of several chunks in order; one program a feature."""
    feature, number = tl.program_id(0).to(tl.int64), tl.program_id(1)
    count = tl.load(indptr + feature + 1) - tl.load(indptr + feature)
    if count > CHUNK:
        at = number * BD + tl.arange(0, BD)
        encoder = tl.zeros([BD], tl.float32)
        decoder = tl.zeros([BD], tl.float32)
        bias = tl.zeros([], tl.float32)
        first = tl.load(long_starts + feature).to(tl.int64)
        for part in range(first, first + tl.cdiv(count, CHUNK)):
            encoder += tl.load(part_encoder + part * d_in + at, mask=at < d_in, other=0.0)
            decoder += tl.load(part_decoder + part * d_out + at, mask=at < d_out, other=0.0)
            bias += tl.load(part_bias + part)
        times = tl.load(scale)
        store_sums(
            encoder * times, decoder * (times * factor), bias * times,
            grad_encoder + feature * d_in, grad_decoder + feature * d_out,
            grad_bias + feature, at, d_in, d_out, number == 0,
        )  # fmt: skip
