"""Probes: what a linear readout finds, of all neurons (the ceiling) or of a few features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.benchmarking._dense import DenseColumns, write_by_feature
from bio_interp.benchmarking._rows import Rows
from bio_interp.benchmarking._sources import BASELINES, TAILS, Source
from bio_interp.errors import InputError
from bio_interp.linking import Labels

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from torch import Tensor

    from bio_interp.sae import SparseAutoencoder

SIZES = (1, 2, 5, 10)
PROBES = ("probe", *(f"ksparse{k}" for k in SIZES))
_BACKGROUND, _BEARING = 20_000, 1_000  # residues of a sample: at random, and of each concept


@dataclass(frozen=True)
class _Sample:
    """Residues of select that probes are fitted on, and the concepts that each bears."""

    at: Int[ndarray, "sampled"]
    bears: Bool[ndarray, "sampled concepts"]


def make_probe(
    name: str, rows: Rows, sae: SparseAutoencoder, labels: Labels, *, dense_share: float
) -> Source:
    """Make a source with one score a concept, fitted on residues of select.

    Parameters
    ----------
    name
        ``probe``: logistic regression on all neurons, what a linear readout can reach at most; or
        ``ksparse1`` ... ``ksparse10``: on the k features of the SAE whose mean differs most
        between residues with and without the concept (Gurnee et al. 2023, arXiv 2305.01610).
    rows, sae, labels
        Activations, the SAE of them, concepts along them.
    dense_share
        Share of the residues where a score counts as on.

    Notes
    -----
    Thresholds are chosen on select as for any source, where the probe was fitted too: that flatters
    its score there and can only cost it on test.
    """
    sample = _sample(labels)
    fit = _dense_probes if name == "probe" else _sparse_probes(sae, int(name[len("ksparse") :]))
    score = fit(rows, sample)
    # other annotations give other probes of the same name
    fitted = sha256(sample.at.tobytes() + sample.bears.tobytes()).hexdigest()[:16]
    path = rows.folder / f"{name}-{fitted}.npy"
    values = write_by_feature(path, score, rows.residues, sample.bears.shape[1])
    return Source(name, DenseColumns(values, share=dense_share, both=False), TAILS)


def _sample(labels: Labels) -> _Sample:
    """Draw residues of select at random, and some of each concept."""
    rng = np.random.default_rng(0)
    inside = labels.residue_mask(labels.proteins_of("select"))
    everywhere = np.flatnonzero(inside)
    drawn = [rng.choice(everywhere, min(_BACKGROUND, len(everywhere)), replace=False)]
    masks = list[ndarray]()
    for concept in range(labels.concepts.height):
        mask = labels.positives.where(labels.positives.label == concept).mask(labels.residues)
        bearing = np.flatnonzero(mask & inside)
        drawn.append(rng.choice(bearing, min(_BEARING, len(bearing)), replace=False))
        masks.append(mask)
    at = np.unique(np.concatenate(drawn))
    return _Sample(at, np.stack([mask[at] for mask in masks], axis=1))


def _sampled(rows: Rows, at: Int[ndarray, "sampled"]) -> Tensor:
    """Read the rows of a sample."""
    import torch

    parts, first = list["Tensor"](), 0
    for _, part in rows.proteins():
        own = at[(at >= first) & (at < first + len(part))] - first
        parts.append(part[torch.from_numpy(own)])
        first += len(part)
    return torch.cat(parts)


def _logistic(x: ndarray, y: Bool[ndarray, "sampled"]) -> tuple[ndarray, float]:
    from sklearn.linear_model import LogisticRegression

    if y.all() or not y.any():
        return np.zeros(x.shape[1]), 0.0
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=200, tol=1e-3).fit(x, y)
    return model.coef_[0], float(model.intercept_[0])


def _dense_probes(rows: Rows, sample: _Sample) -> Iterator[Tensor]:
    import torch

    some = _sampled(rows, sample.at)
    mean, scale = some.mean(0), some.std(0).clamp_min(1e-6)
    x = ((some - mean) / scale).numpy()
    fitted = [_logistic(x, y) for y in sample.bears.T]
    weight = torch.from_numpy(np.stack([w for w, _ in fitted], axis=1).astype(np.float32))
    bias = torch.tensor([b for _, b in fitted])
    for _, part in rows.proteins():
        yield ((part - mean) / scale) @ weight + bias


def _sparse_probes(sae: SparseAutoencoder, k: int) -> Callable[[Rows, _Sample], Iterator[Tensor]]:
    def fit(rows: Rows, sample: _Sample) -> Iterator[Tensor]:
        import torch

        codes = sae.encode(_sampled(rows, sample.at)).to_scipy()
        spread = _spread(codes)
        weight = np.zeros((sae.config.d_sae, sample.bears.shape[1]), np.float32)
        bias = np.zeros(sample.bears.shape[1], np.float32)
        for concept, y in enumerate(sample.bears.T):
            features = _differing(codes, y, spread, k)
            x = codes[:, features].toarray() / spread[features]
            coefficients, bias[concept] = _logistic(x, y)
            weight[features, concept] = coefficients / spread[features]
        for _, part in rows.proteins():
            yield torch.from_numpy(sae.encode(part.float()).to_scipy() @ weight + bias)

    return fit


def _spread(codes: csr_matrix) -> Float[ndarray, "d_sae"]:
    """Measure the standard deviation of each feature; 1 where it is never on."""
    mean = np.asarray(codes.mean(axis=0)).ravel()
    square = np.asarray(codes.multiply(codes).mean(axis=0)).ravel()
    return np.where(square > 0, np.sqrt(np.maximum(square - mean**2, 1e-12)), 1.0)


def _differing(
    codes: csr_matrix, y: Bool[ndarray, "sampled"], spread: Float[ndarray, "d_sae"], k: int
) -> Int[ndarray, "k"]:
    """Find the features whose mean differs most, in standard deviations."""
    inside, outside = (
        np.asarray(codes[np.flatnonzero(of)].mean(axis=0)).ravel() if of.any() else 0.0
        for of in (y, ~y)
    )
    return np.argsort(-np.abs(inside - outside) / spread, kind="stable")[:k]


def names_of(text: str) -> tuple[str, ...]:
    """Resolve ``default``, ``full``, ``none``, or names with commas between them.

    Raises
    ------
    InputError
        A name that is not a baseline's.
    """
    everything = (*BASELINES, "ica", *PROBES)
    known: dict[str, tuple[str, ...]] = {
        "none": (), "default": BASELINES, "full": everything,
    }  # fmt: skip
    if text in known:
        return known[text]
    names = [name.strip() for name in text.split(",")]
    if wrong := [name for name in names if name not in everything]:
        raise InputError(
            f"baselines default, full, none, or of {', '.join(everything)}",
            repr(wrong[0]),
            "Check the spelling; put commas between names.",
        )
    return tuple(dict.fromkeys(names))
