"""The dense decoder, for dictionaries so small that tensor cores beat a gather."""

import torch
from torch import Tensor

from bio_interp.sae.kernels._entries import Entries
from bio_interp.sae.kernels._functions import Decoded
from bio_interp.sae.kernels._reference import at_entries


def decode_dense(entries: Entries, decoder: Tensor, bias: Tensor, target: Tensor) -> Decoded:
    """See `Kernels.decode`; two products in the dtype of the decoder."""
    codes = _scatter(entries, entries.values, decoder.dtype)
    residual = target.float() - torch.addmm(bias, codes, decoder).float()
    grads = (residual.to(decoder.dtype) @ decoder.T).float()  # (rows, d_sae)
    scaled = at_entries(entries, grads) * (-2.0 / residual.numel())
    return Decoded(residual.to(target.dtype), residual.square().mean(), scaled)


def weight_gradients_dense(
    entries: Entries, decoded: Decoded, x: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """See `Kernels.weight_gradients`; scaled after the products, whose numbers stay near 1."""
    factor = -2.0 / decoded.residual.numel()
    slopes = _scatter(entries, decoded.grad_values / factor, x.dtype)  # (rows, d_sae)
    codes = _scatter(entries, entries.values, x.dtype)
    times = scale * factor
    grad_bias = slopes.float().sum(0) * times
    return (
        (slopes.T @ x).float() * times,
        grad_bias,
        (codes.T @ decoded.residual).float() * times,
    )


def _scatter(entries: Entries, values: Tensor, dtype: torch.dtype) -> Tensor:
    padded = torch.zeros(len(entries), entries.d_sae + 1, dtype=dtype, device=values.device)
    at = entries.rows.long(), entries.features.long()
    return padded.index_put_(at, values.to(dtype))[:, : entries.d_sae]
