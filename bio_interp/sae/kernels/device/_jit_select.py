"""Selection: entries above a running threshold first, then exactly the largest of those.

Values are compared as integers: the bits of a float above zero order as the float does, and all
else counts as 0. The k-th largest is found by four histograms of eight bits, so ties and orders
never depend on timing; among equal values the lowest features win.
"""

import triton
import triton.language as tl

from bio_interp.sae.kernels.device._jit_row import compact_row, take_row


@triton.jit
def keep_above(pre, floor, values, features, counts, d_sae, cap, BLOCK: tl.constexpr):
    """List what of a row is above its floor, in order of features; one program a row."""
    row = tl.program_id(0).to(tl.int64)
    limit = tl.maximum(tl.load(floor + row), 0.0)
    taken = compact_row(
        pre + row * d_sae, limit, values + row * cap, features + row * cap, d_sae, cap, BLOCK
    )
    tl.store(counts + row, taken)


@triton.jit
def take_largest(
    pre, values, features, counts, out_values, out_features, d_sae, cap, k, BLOCK: tl.constexpr
):
    """Take the k largest of a row from its list, or from all of it where the list cannot do."""
    row = tl.program_id(0).to(tl.int64)
    count = tl.load(counts + row)
    out_values += row * k
    out_features += row * k
    if (count >= k) & (count <= cap):
        listed, names = values + row * cap, features + row * cap
        take_row(listed, names, count, out_values, out_features, d_sae, k, True, BLOCK)
    else:
        take_row(
            pre + row * d_sae, features, d_sae, out_values, out_features, d_sae, k, False, BLOCK
        )
