"""Exact p-values of sums over clusters, with as many draws as each needs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

MOST = 99_999
"""Draws at most: the smallest p is 0.00001."""

ENOUGH = 20
"""Draws that reach the observed sum, after which no more are needed."""

_STEPS = (200, 2_000, 10_000)  # draws at a time; the last again and again


def standardised(pools: Float[ndarray, "clusters pool"]) -> Float[ndarray, "clusters pool"]:
    """Bring the pool of each cluster to mean 0 and standard deviation 1."""
    centred = pools - pools.mean(axis=1, keepdims=True)
    return centred / centred.std(axis=1, keepdims=True)


def sum_p(
    pools: Float[ndarray, "clusters pool"],
    rng: np.random.Generator,
    *,
    most: int = MOST,
    enough: int = ENOUGH,
) -> float:
    """Test whether the sum of the observed values is larger than chance makes it.

    Parameters
    ----------
    pools
        For each cluster the observed value, first, and values drawn under the null hypothesis in
        the same way. Any of a pool is then as likely to be the observed one, independently
        of other clusters, so that sums of one value from each pool, drawn at random, are what the
        observed sum is compared with. This is exact, however small the pools are.
    rng
        Source of randomness.
    most, enough
        Draws stop after `most`, or when `enough` of them have reached the observed sum.

    Returns
    -------
    float
        ``enough / draws`` where it stopped early (Besag & Clifford 1991, Biometrika 78:301), else
        ``(1 + reached) / (1 + draws)`` (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39).

    Examples
    --------
    >>> pools = np.stack([np.r_[9.0, np.arange(9)]] * 5)
    >>> bool(sum_p(pools, np.random.default_rng(0)) < 0.001)
    True
    """
    clusters, size = pools.shape
    narrow = np.uint16 if size <= 2**16 else np.uint32  # drawn four times as fast as int64
    observed = pools[:, 0].sum() - 1e-9 * np.abs(pools).sum(axis=0).max()  # equal sums reach it
    reached = done = 0
    for step in (*_STEPS[:-1], *[_STEPS[-1]] * (most // _STEPS[-1] + 1)):
        step = min(step, most - done)
        sums, drawn = np.zeros(step), rng.integers(0, size, (clusters, step), dtype=narrow)
        for pool, draw in zip(pools, drawn, strict=True):
            sums += pool[draw]
        hits = np.flatnonzero(sums >= observed)
        if reached + len(hits) >= enough:
            return enough / (done + int(hits[enough - reached - 1]) + 1)
        reached, done = reached + len(hits), done + step
    return (1 + reached) / (1 + done)
