"""Exact tails over clusters, and false discovery rates, for tens of millions of pairs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.errors import MismatchError

CHUNK = 1 << 16  # pairs at once; their arrays stay in the processor's cache
TOLERANCE = 1e-12  # what is left out of a sum, as a share of it
UNCHECKED = 4  # terms between two looks at which sums are done
STIRLING_FROM = 16  # from here on the series is exact to 1e-15


def cluster_tail(
    both: Int[ndarray, "..."] | int,
    fired: Int[ndarray, "..."] | int,
    bearing: Int[ndarray, "..."] | int,
    total: Int[ndarray, "..."] | int,
    *,
    min_overlap: int = 3,
    log: bool = False,
) -> Float[ndarray, "..."]:
    """Give the chance that a feature meets a concept in so many clusters, or in more.

    This is the upper tail ``P[X >= both]`` of the hypergeometric distribution: `fired` of `total`
    clusters are hit at random, and ``X`` of them are among the `bearing` ones, each cluster being
    hit equally often. Where clusters differ in size, large ones have more of everything, and the
    tail is too small: give `matched_total` for `total` then. It screens pairs; `null_maxima`
    settles claims.

    Parameters
    ----------
    both
        Clusters that bear the concept and are hit by the feature; broadcasts with the next two.
    fired, bearing
        Clusters hit by the feature, and clusters that bear the concept.
    total
        Clusters looked at.
    min_overlap
        Pairs that meet in fewer clusters get p = 1: they are never claimed, and count as tests.
    log
        Give natural logarithms, which do not underflow.

    Returns
    -------
    ndarray
        The tails, broadcast; exact to 1e-10 of themselves up to a million clusters.

    Raises
    ------
    MismatchError
        More clusters in common, hit or bearing than can be.

    Notes
    -----
    The first term comes from log-factorials, each next one from the ratio to the one before, until
    a geometric series bounds the rest. Left of the mean the lower tail is summed and taken from 1.

    Examples
    --------
    >>> p = cluster_tail(np.array([10, 5, 2]), 12, np.array([10, 10, 10]), 100)
    >>> np.round(-np.log10(p), 2).tolist()
    [11.42, 2.72, -0.0]
    """
    counts = both, fired, bearing, total
    tails = np.zeros(np.broadcast_shapes(*(np.shape(x) for x in counts)))
    table = _log_factorials(int(np.max(total, initial=1)))
    chunks = np.nditer(
        [*counts, tails],
        flags=["external_loop", "buffered", "zerosize_ok"],
        op_flags=[["readonly"], ["readonly"], ["readonly"], ["readonly"], ["writeonly"]],
        op_dtypes=[np.int64, np.int64, np.int64, np.int64, np.float64],
        casting="same_kind",
        buffersize=CHUNK,
    )
    with chunks:
        for k, n, m, of, tail in chunks:
            _check(k, n, m, of)
            tail[...] = 0.0
            tested = (k >= max(min_overlap, 1)) & (k > n + m - of)
            tail[tested] = _log_tail(k[tested], n[tested], m[tested], of[tested], table)
    return tails if log else np.exp(tails, out=tails)


def size_strata(
    sizes: Float[ndarray, "clusters"] | Int[ndarray, "clusters"], strata: int = 10
) -> Int[ndarray, "clusters"]:
    """Put clusters into strata of similar size (in residues), equally many in each.

    Examples
    --------
    >>> size_strata(np.array([80, 5000, 90, 3000]), strata=2).tolist()
    [0, 1, 0, 1]
    """
    rank = np.argsort(np.argsort(sizes, kind="stable"), kind="stable")
    return rank * strata // max(len(rank), 1)


def matched_total(
    fired: Int[ndarray, "*pairs strata"],
    bearing: Int[ndarray, "*pairs strata"],
    clusters: Int[ndarray, "*pairs strata"],
) -> Int[ndarray, "*pairs"]:
    """Give the total of `cluster_tail` that allows for clusters of different size.

    A large cluster is hit more often and bears more. Within a stratum of size chance meets
    ``fired * bearing / clusters``; this is the number of clusters, rounded down, of which chance
    would meet as many in all strata together. Exact for one stratum. For more it keeps the mean
    of ``X`` and gives it a little more variance than the strata do, so tails err to the safe side.

    Parameters
    ----------
    fired, bearing, clusters
        Clusters hit by a feature, bearing a concept, and all, by stratum (`size_strata`); they
        broadcast, so ``fired[:, None]`` meets every concept.

    Examples
    --------
    >>> matched_total(np.array([0, 8]), np.array([[0, 5], [5, 0]]), np.array([50, 50])).tolist()
    [50, 100]
    """
    met = (fired * (bearing / np.maximum(clusters, 1))).sum(-1)
    pairs = fired.sum(-1) * bearing.sum(-1).astype(float)
    total = clusters.sum(-1)
    # a product may miss a whole number by its last digits
    matched = np.floor(pairs / np.maximum(met, 1e-300) + 1e-6)
    return np.where(met > 0, np.minimum(matched, total), total).astype(np.int64)


def benjamini_hochberg(p: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
    """Adjust p-values for the false discovery rate over all that were tested.

    Parameters
    ----------
    p
        In [0, 1]; NaN where nothing was tested, which stays NaN and does not count.

    Returns
    -------
    ndarray
        q-values of the same shape: to claim all pairs of q < 0.05 makes 5 % wrong claims at most.
        (Benjamini & Hochberg 1995, J. R. Stat. Soc. B 57:289; as `scipy.stats` computes it.)

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, np.nan, 0.02, 1.0])).round(3).tolist()
    [0.03, nan, 0.03, 1.0]
    """
    from scipy.stats import false_discovery_control

    p = np.asarray(p, dtype=float)
    q = np.minimum(p, 1.0)
    tests = p.size - int(np.isnan(p).sum())
    # most pairs of a screen have p = 1, and so q = 1: sorting the others alone saves the memory
    small = p < 1.0
    if small.any():
        some = p[small]
        q[small] = np.minimum(false_discovery_control(some) * (tests / len(some)), 1.0)
    return q


def _check(
    k: Int[ndarray, "chunk"],
    n: Int[ndarray, "chunk"],
    m: Int[ndarray, "chunk"],
    total: Int[ndarray, "chunk"],
) -> None:
    wrong = (k < 0) | (k > np.minimum(n, m)) | (np.maximum(n, m) > total)
    if wrong.any():
        at = int(wrong.argmax())
        raise MismatchError(
            "counts that fit together: in common <= hit, bearing <= clusters",
            f"{k[at]} in common of {n[at]} hit and {m[at]} that bear, of {total[at]} clusters",
            "Count all of them over the same clusters.",
        )


def _log_tail(
    k: Int[ndarray, "chunk"],
    n: Int[ndarray, "chunk"],
    m: Int[ndarray, "chunk"],
    total: Int[ndarray, "chunk"],
    table: Float[ndarray, "total_plus_1"],
) -> Float[ndarray, "chunk"]:
    """Logarithm of the tail; `k` must be larger than the least that is possible."""
    upper = k * total > n * m
    j = np.where(upper, k, k - 1)  # the first term, and the largest
    none = total - n - m + j  # clusters neither hit nor bearing
    log_first = table[n] + table[total - n] + table[m] + table[total - m] - table[total]
    log_first -= table[j] + table[n - j] + table[m - j] + table[none]
    # to the right, hits in one margin alone turn into common ones; to the left, the other way
    falls = np.where(upper, n - j, j), np.where(upper, m - j, none)
    grows = np.where(upper, j, n - j), np.where(upper, none, m - j)
    log_sum = log_first + np.log(_series(*falls, *grows))
    with np.errstate(divide="ignore"):
        return np.where(upper, log_sum, np.log1p(-np.exp(np.minimum(log_sum, 0.0))))


def _series(
    a: Int[ndarray, "chunk"],
    b: Int[ndarray, "chunk"],
    c: Int[ndarray, "chunk"],
    d: Int[ndarray, "chunk"],
) -> Float[ndarray, "chunk"]:
    """Sum ``1 + r_1 + r_1 r_2 + ...`` with ``r_i = (a-i+1) (b-i+1) / ((c+i) (d+i))``."""
    sums = np.ones(len(a))
    at = np.arange(len(a))
    a, b, c, d = (x.astype(float) for x in (a, b, c, d))
    term, total = np.ones(len(a)), np.ones(len(a))
    while len(at):
        ratio = term
        for _ in range(UNCHECKED):
            c += 1.0
            d += 1.0
            ratio = a * b
            ratio /= c * d
            term *= ratio
            total += term
            a -= 1.0
            b -= 1.0
        # ratios only fall, so a geometric series is above the rest
        live: Bool[ndarray, "chunk"] = term * ratio > TOLERANCE * total * (1.0 - ratio)
        sums[at[~live]] = total[~live]
        at = at[live]
        a, b, c, d, term, total = (x[live] for x in (a, b, c, d, term, total))
    return sums


def _log_factorials(total: int) -> Float[ndarray, "total_plus_1"]:
    """Table of ``ln n! - n (ln total - 1)`` for n from 0 to `total`.

    In a hypergeometric probability all that is linear in n cancels. Left out beforehand, it takes
    no digits: entries are about ln(total) times smaller, and exact to their last place.
    """
    from scipy.special import gammaln

    n = np.arange(total + 1, dtype=float)
    few, many = n[:STIRLING_FROM], n[STIRLING_FROM:]
    small = gammaln(few + 1) - few * (np.log(max(total, 1)) - 1.0)
    series = 1 / (12 * many) - 1 / (360 * many**3) + 1 / (1260 * many**5) - 1 / (1680 * many**7)
    large = many * np.log(many / total) + 0.5 * np.log(2 * np.pi * many) + series
    return np.concatenate([small, large])
