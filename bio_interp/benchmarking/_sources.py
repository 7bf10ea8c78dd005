"""What is benchmarked: the SAE, and the baselines beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.benchmarking._dense import DenseColumns, write_by_feature
from bio_interp.benchmarking._kmers import SIZE, kmer_codes
from bio_interp.benchmarking._rows import Rows, sae_codes
from bio_interp.features import FeatureStore
from bio_interp.linking.counting import BINS, Columns, StoreColumns

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from torch import Tensor

    from bio_interp.sae import SparseAutoencoder

BASELINES = ("neurons", "pca", "random", "kmers")
_FITTED = 100_000  # rows that components are fitted on
# a dense feature is on in many residues, but most concepts are rare: cut finer at the top
TAILS: Float[ndarray, "bins"] = 1 - np.geomspace(1, 1e-4, BINS)


@dataclass(frozen=True)
class Source:
    """Features to be benchmarked.

    Attributes
    ----------
    name
        ``"sae"``, ``"neurons"`` ...
    columns
        Their activations along the residues of the benchmark.
    shares
        Where their bins are cut (`bin_edges`); equal steps where None.
    """

    name: str
    columns: Columns
    shares: Float[ndarray, "bins"] | None = None


def make_source(
    name: str, rows: Rows, sae: SparseAutoencoder, fit: set[str], *, dense_share: float = 0.5
) -> Source:
    """Make a source by name.

    Parameters
    ----------
    name
        ``sae``; ``neurons`` (both signs); ``pca`` (principal
        components, both signs); ``random`` (as many random directions as the SAE has features,
        and the `k` highest of them on in a residue); ``kmers`` (one-hot residues, words of two
        and three); ``ica`` (independent components, both signs).
    rows
        What they tell of.
    sae
        The SAE; sets the number of random directions and `k`.
    fit
        Proteins that means and components are fitted on: none of test.
    dense_share
        Share of the residues where neurons and components are on.
    """
    if name == "sae":
        weights = sha256(sae.W_enc.detach().cpu().numpy().tobytes()).hexdigest()
        folder = rows.encode(name, sae.config.d_sae, sae_codes(sae), of=weights)
        store = FeatureStore.open(folder)
        return Source(name, StoreColumns(store))
    if name == "kmers":
        code = rows.encode(name, SIZE, partial(_kmers, rows))
        return Source(name, StoreColumns(FeatureStore.open(code)))
    if name == "random":
        code = _random(sae, rows.sample(fit, _FITTED).mean(0))
        store = FeatureStore.open(rows.encode(name, sae.config.d_sae, code))
        return Source(name, StoreColumns(store))
    project, size = _FITS[name](rows, fit)
    path = rows.folder / f"{name}.npy"
    parts = (project(part) for _, part in rows.proteins())
    values = write_by_feature(path, parts, rows.residues, size)
    return Source(name, DenseColumns(values, share=dense_share, both=True), TAILS)


def _kmers(rows: Rows, names: Sequence[str], _: Tensor) -> csr_matrix:
    from scipy.sparse import csr_matrix, vstack

    return csr_matrix(vstack([kmer_codes(rows.sequences[name]) for name in names]))


Project = Callable[["Tensor"], "Tensor"]


def _neurons(rows: Rows, _: set[str]) -> tuple[Project, int]:
    def as_they_are(part: Tensor) -> Tensor:
        return part

    return as_they_are, rows.d_model


def _pca(rows: Rows, fit: set[str]) -> tuple[Project, int]:
    import torch

    some = rows.sample(fit, _FITTED)
    mean = some.mean(0)
    _, vectors = torch.linalg.eigh((some - mean).T @ (some - mean))
    axes = vectors.flip(1)  # the largest first
    return _along(mean, axes), rows.d_model


def _ica(rows: Rows, fit: set[str]) -> tuple[Project, int]:
    """Fit FastICA on the leading principal components (Hyvarinen 1999, IEEE TNN 10:626)."""
    import torch
    from sklearn.decomposition import FastICA

    some = rows.sample(fit, _FITTED)
    size = min(256, rows.d_model)
    model = FastICA(size, whiten="unit-variance", random_state=0, max_iter=200, tol=1e-3)
    model.fit(some.numpy())
    axes = torch.from_numpy(model.components_.T.astype(np.float32))
    mean = torch.from_numpy(np.asarray(model.mean_, np.float32))
    return _along(mean, axes), size


def _along(mean: Tensor, axes: Tensor) -> Project:
    def project(part: Tensor) -> Tensor:
        return (part - mean) @ axes

    return project


_FITS: dict[str, Callable[[Rows, set[str]], tuple[Project, int]]] = {
    "neurons": _neurons,
    "pca": _pca,
    "ica": _ica,
}


def _random(sae: SparseAutoencoder, mean: Tensor):
    import torch
    from scipy.sparse import csr_matrix

    size, k = sae.config.d_sae, sae.config.k or 32
    generator = torch.Generator().manual_seed(0)
    axes = torch.nn.functional.normalize(torch.randn(len(mean), size, generator=generator), dim=0)

    def code(_: Sequence[str], rows: Tensor) -> csr_matrix:
        top = ((rows - mean) @ axes).relu().topk(k)
        row = np.repeat(np.arange(len(rows)), k)
        codes = csr_matrix(
            (top.values.numpy().ravel(), (row, top.indices.numpy().ravel())), (len(rows), size)
        )
        codes.eliminate_zeros()
        return codes

    return code
