"""Folding: one function of the inputs, written with other tensors.

An SAE from elsewhere may have decoder rows of any norm, and a tool elsewhere may know nothing of
input normalisation. Each fold moves a factor from one tensor to others; all that is measured in
the factor's units moves along: biases, thresholds, maxima and the skip.
"""

import torch
from torch import Tensor

from bio_interp.errors import MismatchError
from bio_interp.sae._model import SparseAutoencoder
from bio_interp.sae._norm import InputNorm

_EQUAL = 1e-5
"""Relative difference of norms that count as one; more where the dtype rounds them coarser."""


def fold_decoder_norms(sae: SparseAutoencoder) -> SparseAutoencoder:
    """Give the same SAE with decoder rows of unit norm.

    A feature whose decoder row had norm c is c times as strong: its encoder column, its bias, its
    threshold and its maximum are multiplied by c, so that the same features fire and the same rows
    are rebuilt. Rows of 0 stay 0. The fingerprint is left out: another feature may be strongest.

    Raises
    ------
    MismatchError
        Features compete within a row (topk) and their norms differ: another k would win.

    Examples
    --------
    >>> from bio_interp.sae import SaeConfig
    >>> free = {"W_enc": torch.ones(1, 2), "b_enc": torch.zeros(2), "b_dec": torch.zeros(1)}
    >>> free |= {"W_dec": torch.tensor([[3.0], [-1.0]]), "threshold": torch.tensor([1.0, 2.0])}
    >>> sae = SparseAutoencoder(SaeConfig(1, 2, "jumprelu", 1), free, InputNorm(torch.zeros(1), 1))
    >>> unit = fold_decoder_norms(sae)
    >>> unit.W_dec.tolist(), unit.threshold.tolist(), unit.encode(torch.tensor([[1.5]])).values
    ([[1.0], [-1.0]], [3.0, 2.0], tensor([4.5000]))
    """
    tensors = _exact(sae)
    norms = torch.linalg.vector_norm(tensors["W_dec"], dim=1)
    factor = torch.where(norms > 0, norms, 1.0)  # (d_sae,)
    near = max(_EQUAL, torch.finfo(sae.W_dec.dtype).eps)
    if sae.threshold is None and not torch.allclose(factor, factor[:1], rtol=near, atol=0.0):
        raise MismatchError(
            "an SAE whose features do not compete, or decoder rows of one norm",
            f"a topk SAE with norms from {float(factor.min()):.3g} to {float(factor.max()):.3g}",
            "Use it as it is: encoding, decoding and saving need no unit rows.",
        )
    tensors["W_dec"] /= factor.unsqueeze(1)
    for name in ("W_enc", "b_enc", "threshold", "feature_maxima"):
        if name in tensors:
            tensors[name] *= factor  # along d_sae, the last axis of each
    return _remade(sae, tensors, sae.norm, sae.out_norm if sae.out_norm is not sae.norm else None)


def fold_input_norm(sae: SparseAutoencoder) -> SparseAutoencoder:
    """Give the same SAE as tensors that read and write the model's units, without normalisation.

    For export to tools that only know ``W_enc``, ``b_enc``, ``W_dec`` and ``b_dec``. Codes are
    those of `sae` over the scale of what it writes, so that decoder rows keep their norm; the same
    features fire and `forward` rebuilds the same rows, up to the rounding of sums over inputs that
    are no longer centred. In a skip-transcoder the skip's constant part moves into ``b_dec``, so
    that `decode` alone differs by it.

    Examples
    --------
    >>> from bio_interp.sae import SaeConfig
    >>> tensors = {"W_enc": torch.ones(1, 1), "b_enc": torch.zeros(1), "b_dec": torch.ones(1)}
    >>> tensors |= {"W_dec": torch.ones(1, 1), "threshold": torch.ones(1)}
    >>> config, norm = SaeConfig(1, 1, "jumprelu", 1), InputNorm(torch.tensor([10.0]), 0.5)
    >>> plain = fold_input_norm(SparseAutoencoder(config, tensors, norm))
    >>> plain.b_enc.tolist(), plain.threshold.tolist(), plain.b_dec.tolist()
    ([-10.0], [2.0], [12.0])
    """
    tensors, mean, scale = _exact(sae), sae.norm.mean.double(), sae.norm.scale.double()
    scale_out = sae.out_norm.scale.double()
    tensors["b_enc"] = (tensors["b_enc"] - scale * (mean @ tensors["W_enc"])) / scale_out
    tensors["W_enc"] *= scale / scale_out
    tensors["b_dec"] = tensors["b_dec"] / scale_out + sae.out_norm.mean.double()
    for name in ("threshold", "feature_maxima"):
        if name in tensors:
            tensors[name] /= scale_out
    if "W_skip" in tensors:
        tensors["W_skip"] *= scale / scale_out
        tensors["b_dec"] -= mean @ tensors["W_skip"]
    norm, out_norm = _identity(sae.norm), _identity(sae.out_norm)
    folded = _remade(sae, tensors, norm, out_norm if sae.out_norm is not sae.norm else None)
    folded.fingerprint = sae.fingerprint  # FVU, L0 and the strongest feature are the same
    return folded


def _exact(sae: SparseAutoencoder) -> dict[str, Tensor]:
    return {name: tensor.to(torch.float64, copy=True) for name, tensor in sae.tensors().items()}


def _remade(
    sae: SparseAutoencoder, exact: dict[str, Tensor], norm: InputNorm, out_norm: InputNorm | None
) -> SparseAutoencoder:
    dtypes = {name: tensor.dtype for name, tensor in sae.tensors().items()}
    tensors = {name: tensor.to(dtypes[name]) for name, tensor in exact.items()}
    return SparseAutoencoder(
        sae.config, tensors, norm, out_norm=out_norm, provenance=sae.provenance
    )


def _identity(norm: InputNorm) -> InputNorm:
    return InputNorm(torch.zeros_like(norm.mean), 1.0)
