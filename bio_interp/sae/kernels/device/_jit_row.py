"""What the selection kernels share: order of floats as integers, histograms, compaction."""

import triton
import triton.language as tl


@triton.jit
def load_keys(source, start, width, BLOCK: tl.constexpr):
    """Load values and their keys: bits of what is above 0, and 0 for all else, NaN too."""
    at = start + tl.arange(0, BLOCK)
    value = tl.load(source + at, mask=at < width, other=0.0).to(tl.float32)
    key = tl.where(value > 0, value.to(tl.int32, bitcast=True), 0)
    return at, value, key


@triton.jit
def histogram(source, width, prefix, DIGIT: tl.constexpr, BLOCK: tl.constexpr):
    """Count the keys that begin as `prefix` by their next eight bits."""
    counts = tl.zeros([256], tl.int32)
    for start in range(0, width, BLOCK):
        _, _, key = load_keys(source, start, width, BLOCK)
        alike = key > 0
        if DIGIT > 0:
            alike = alike & ((key >> (32 - 8 * DIGIT)) == (prefix >> (32 - 8 * DIGIT)))
        counts += tl.histogram((key >> (24 - 8 * DIGIT)) & 255, 256, mask=alike)
    return counts


@triton.jit
def pick(counts, prefix, left, DIGIT: tl.constexpr):
    """Choose the next eight bits of the key of rank `left`; also give what rank is left."""
    bins = tl.arange(0, 256)
    at_least = tl.sum(counts, 0) - tl.cumsum(counts, 0) + counts
    digit = tl.max(tl.where(at_least >= left, bins, 0), 0)
    left -= tl.sum(tl.where(bins > digit, counts, 0), 0)
    return prefix | (digit << (24 - 8 * DIGIT)), left


@triton.jit
def kth_key(source, width, k, BLOCK: tl.constexpr):
    """Find the k-th largest key, 0 where fewer are above 0, and how many of its equals to take."""
    prefix = tl.zeros([], tl.int32)
    left = tl.zeros([], tl.int32) + k
    for digit in tl.static_range(4):
        counts = histogram(source, width, prefix, digit, BLOCK)
        prefix, left = pick(counts, prefix, left, digit)
    return prefix, left


@triton.jit
def compact_row(source, limit, values, features, width, cap, BLOCK: tl.constexpr):
    """Write the first `cap` entries above `limit` in order; count all of them."""
    taken = tl.zeros([], tl.int32)
    for start in range(0, width, BLOCK):
        at, value, _ = load_keys(source, start, width, BLOCK)
        on = value > limit
        place = taken + tl.cumsum(on.to(tl.int32), 0) - 1
        tl.store(values + place, value, mask=on & (place < cap))
        tl.store(features + place, at, mask=on & (place < cap))
        taken += tl.sum(on.to(tl.int32), 0)
    return taken


@triton.jit
def keep_row(
    source, names, width, least, ties, values, features, LISTED: tl.constexpr, BLOCK: tl.constexpr
):
    """Write entries whose key is above `least`, and the first `ties` of those equal to it."""
    taken = tl.zeros([], tl.int32)
    equals = tl.zeros([], tl.int32)
    for start in range(0, width, BLOCK):
        at, value, key = load_keys(source, start, width, BLOCK)
        equal = (key == least) & (key > 0)
        rank = equals + tl.cumsum(equal.to(tl.int32), 0) - 1
        on = (key > least) | (equal & (rank < ties))
        place = taken + tl.cumsum(on.to(tl.int32), 0) - 1
        name = at
        if LISTED:
            name = tl.load(names + at, mask=at < width, other=0)
        tl.store(values + place, value, mask=on)
        tl.store(features + place, name, mask=on)
        taken += tl.sum(on.to(tl.int32), 0)
        equals += tl.sum(equal.to(tl.int32), 0)
    return taken


@triton.jit
def take_row(
    source, names, width, values, features, d_sae, k, LISTED: tl.constexpr, BLOCK: tl.constexpr
):
    """Write the k largest above 0 in order, and empty slots after them."""
    least, ties = kth_key(source, width, k, BLOCK)
    taken = keep_row(source, names, width, least, ties, values, features, LISTED, BLOCK)
    for start in range(0, k, BLOCK):
        at = start + tl.arange(0, BLOCK)
        empty = (at >= taken) & (at < k)
        tl.store(values + at, 0.0, mask=empty)
        tl.store(features + at, d_sae, mask=empty)
