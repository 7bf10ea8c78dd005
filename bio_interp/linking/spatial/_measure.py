"""Measure every feature on every chain, and test what comes of it over clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.errors import MismatchError
from bio_interp.linking.spatial._adaptive import MOST, standardised, sum_p
from bio_interp.linking.spatial._chains import SpatialChain
from bio_interp.linking.spatial._ground import STATISTICS, Ground
from bio_interp.linking.spatial._usual import excess_of_letters
from bio_interp.linking.statistics import benjamini_hochberg

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix, csr_matrix

FEWEST = 5
"""Clusters in which a feature must tell something to be tested."""

POOL = 199
"""Random placements of a feature's blocks in each chain."""

_CLOSER = [STATISTICS.index(name) for name in ("distance", "beyond")]  # less is what is tested


@dataclass(frozen=True)
class Measured:
    """Figures of all features, by `STATISTICS`; NaN where fewer than `FEWEST` clusters tell.

    Attributes
    ----------
    chains
        That were given, one a cluster.
    fires
        Of these, those where each feature fires.
    clusters
        Of these, those that tell something by each statistic.
    observed, expected
        Mean over these clusters, and of the random placements.
    effect
        Mean over these clusters of how far the observed value is from what is expected, in
        standard deviations of the random placements; above 0 for closer and for more.
    p, q
        Of this effect, one-sided; q over all features, for each statistic by itself.
    """

    chains: int
    fires: Int[ndarray, "features"]
    clusters: Int[ndarray, "features statistics"]
    observed: Float[ndarray, "features statistics"]
    expected: Float[ndarray, "features statistics"]
    effect: Float[ndarray, "features statistics"]
    p: Float[ndarray, "features statistics"]
    q: Float[ndarray, "features statistics"]


def measure_spatial(
    chains: Sequence[SpatialChain],
    codes: Sequence[csr_matrix],
    *,
    pool: int = POOL,
    most: int = MOST,
    seed: int = 0,
    tick: Callable[[int], None] | None = None,
) -> Measured:
    """Test, for every feature, whether where it fires has a meaning in space.

    Parameters
    ----------
    chains
        Chains that are not related; see `one_a_cluster`.
    codes
        Of each chain, ``(residues, features)``; a feature fires where it is above 0.
    pool
        Random placements of a feature's blocks in each chain.
    most
        Draws over clusters at most; see `sum_p`.
    seed
        Each feature has a stream of its own.
    tick
        Called with the number of features that are done.

    Raises
    ------
    MismatchError
        Codes are not of these chains.
    """
    firing = _Firing(chains, codes)
    shape = (firing.features, len(STATISTICS))
    fires, clusters = np.zeros(shape[0], np.int64), np.zeros(shape, np.int64)
    observed, expected, effect, p = (np.full(shape, np.nan) for _ in range(4))
    for feature in range(shape[0]):
        rng = np.random.default_rng([seed, feature])
        fires[feature], pools = firing.pools(feature, pool, rng)
        for number in range(shape[1]):
            told = pools[:, number][~np.isnan(pools[:, number, 0])]  # (clusters, pool)
            clusters[feature, number] = len(told)
            if len(told) >= FEWEST:
                means = told[:, 0].mean(), told[:, 1:].mean()
                observed[feature, number], expected[feature, number] = means
                scaled = standardised(-told if number in _CLOSER else told)
                effect[feature, number] = scaled[:, 0].mean()
                p[feature, number] = sum_p(scaled, rng, most=most)
        if tick:
            tick(feature + 1)
    q = np.stack([benjamini_hochberg(column) for column in p.T], axis=1)
    return Measured(len(chains), fires, clusters, observed, expected, effect, p, q)


class _Firing:
    """Where features fire, over the chains one after the other."""

    def __init__(self, chains: Sequence[SpatialChain], codes: Sequence[csr_matrix]) -> None:
        from scipy.sparse import csc_matrix, vstack

        _check(chains, codes)
        self._grounds = [Ground.of(chain) for chain in chains]
        self._excess = excess_of_letters(ground.usual for ground in self._grounds)
        self._offsets = np.cumsum([0, *(len(ground.shown) for ground in self._grounds)])
        self._columns: csc_matrix = csc_matrix(vstack(codes) if codes else (0, 0))
        self._columns.sort_indices()
        self.features: int = self._columns.shape[1]  # pyright: ignore[reportOptionalSubscript]

    def pools(
        self, feature: int, pool: int, rng: np.random.Generator
    ) -> tuple[int, Float[ndarray, "chains statistics pool"]]:
        """Count the chains where a feature fires, and measure it on those that tell something."""
        part = slice(*self._columns.indptr[feature : feature + 2])
        rows = self._columns.indices[part][self._columns.data[part] > 0]
        cuts = np.searchsorted(rows, self._offsets)
        fires, found = 0, list[ndarray]()
        for i in np.flatnonzero(np.diff(cuts)):
            ground = self._grounds[i]
            on = np.zeros(len(ground.shown), dtype=bool)
            on[rows[cuts[i] : cuts[i + 1]] - self._offsets[i]] = True
            fires += bool(on[ground.shown].any())
            measured = ground.pool(on, self._excess, pool, rng)
            found += [] if measured is None else [measured]
        empty = np.zeros((0, len(STATISTICS), pool + 1))
        return fires, np.stack(found) if found else empty


def _check(chains: Sequence[SpatialChain], codes: Sequence[csr_matrix]) -> None:
    wanted = [len(chain.sequence) for chain in chains]
    got = [rows.shape[0] for rows in codes]  # pyright: ignore[reportOptionalSubscript]
    if wanted != got:
        raise MismatchError(
            f"codes of {len(wanted)} chains with {sum(wanted)} residues",
            f"of {len(got)} with {sum(got)}",
            "Encode the sequences of these chains, in the same order.",
        )
