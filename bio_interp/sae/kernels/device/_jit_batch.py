"""Selection over a whole batch: the entries of all rows compete for ``k * rows`` slots.

The kernels read either the rows' lists of what is above the running threshold or, where a list
overflowed or all of them hold too little, the dense rows. Which of the two is decided by a number
on the device, so that the host need not wait.
"""

import triton
import triton.language as tl

from bio_interp.sae.kernels.device._jit_row import histogram, keep_row, load_keys, pick


@triton.jit
def count_digits(
    pre, values, counts, listed, state, out, d_sae, cap, DIGIT: tl.constexpr, BLOCK: tl.constexpr
):
    """Make the histogram of one row; `state` holds the prefix found so far."""
    row = tl.program_id(0).to(tl.int64)
    prefix = tl.load(state).to(tl.int32)
    if tl.load(listed) != 0:
        found = histogram(values + row * cap, tl.load(counts + row), prefix, DIGIT, BLOCK)
    else:
        found = histogram(pre + row * d_sae, d_sae, prefix, DIGIT, BLOCK)
    tl.store(out + row * 256 + tl.arange(0, 256), found)


@triton.jit
def pick_digit(totals, state, DIGIT: tl.constexpr):
    """Move `state`, (prefix, rank left), one digit on."""
    counts = tl.load(totals + tl.arange(0, 256))
    prefix, left = pick(counts, tl.load(state), tl.load(state + 1), DIGIT)
    tl.store(state, prefix)
    tl.store(state + 1, left)


@triton.jit
def tally(source, width, least, BLOCK: tl.constexpr):
    """Count what is above a key and what equals it."""
    above = tl.zeros([], tl.int32)
    equal = tl.zeros([], tl.int32)
    for start in range(0, width, BLOCK):
        _, _, key = load_keys(source, start, width, BLOCK)
        above += tl.sum((key > least).to(tl.int32), 0)
        equal += tl.sum(((key == least) & (key > 0)).to(tl.int32), 0)
    return above, equal


@triton.jit
def count_kept(pre, values, counts, listed, state, aboves, equals, d_sae, cap, BLOCK: tl.constexpr):
    """Count what each row keeps; one program a row."""
    row = tl.program_id(0).to(tl.int64)
    least = tl.load(state).to(tl.int32)
    if tl.load(listed) != 0:
        above, equal = tally(values + row * cap, tl.load(counts + row), least, BLOCK)
    else:
        above, equal = tally(pre + row * d_sae, d_sae, least, BLOCK)
    tl.store(aboves + row, above)
    tl.store(equals + row, equal)


@triton.jit
def write_kept(
    pre, values, counts, listed, state, features, indptr, ties, out_values, out_features, out_rows,
    d_sae, cap, BLOCK: tl.constexpr,
):  # fmt: skip
    """Write what each row keeps from its first slot on; one program a row."""
    row = tl.program_id(0).to(tl.int64)
    least = tl.load(state).to(tl.int32)
    first, equal = tl.load(indptr + row), tl.load(ties + row)
    out_values += first
    out_features += first
    if tl.load(listed) != 0:
        names, width = features + row * cap, tl.load(counts + row)
        keep_row(
            values + row * cap, names, width, least, equal, out_values, out_features, True, BLOCK
        )
    else:
        source = pre + row * d_sae
        keep_row(source, features, d_sae, least, equal, out_values, out_features, False, BLOCK)
    for start in range(first, tl.load(indptr + row + 1), BLOCK):
        at = start + tl.arange(0, BLOCK)
        tl.store(out_rows + at, row.to(tl.int32), mask=at < tl.load(indptr + row + 1))
