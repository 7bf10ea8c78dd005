"""Chains that fold at random, and codes on them."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from bio_interp.linking.spatial import SpatialChain


def folded(name: str, length: int, rng: np.random.Generator, **properties) -> SpatialChain:
    """Walk 3.8 angstrom a step, turned back to the middle wherever it leads out of a sphere."""
    radius = 4.0 * length ** (1 / 3)
    places = [rng.normal(size=3)]
    for _ in range(length - 1):
        step = rng.normal(size=3)
        if np.linalg.norm(places[-1]) > radius:
            step = step / np.linalg.norm(step) - places[-1] / np.linalg.norm(places[-1])
        places.append(places[-1] + 3.8 * step / np.linalg.norm(step))
    return SpatialChain(name, "A" * length, np.array(places), properties)


@pytest.fixture(scope="session")
def chains() -> list[SpatialChain]:
    rng = np.random.default_rng(0)
    return [folded(f"c{i}", int(rng.integers(80, 160)), rng) for i in range(12)]


def as_codes(columns: list[list[np.ndarray]]) -> list[csr_matrix]:
    """Turn, for each chain, the activations of each feature into codes."""
    return [csr_matrix(np.stack(own, axis=1).astype(np.float32)) for own in columns]
