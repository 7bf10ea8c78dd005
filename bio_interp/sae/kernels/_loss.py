"""The loss of a batch of entries, as one function with a gradient."""

from typing import Any

import torch
from torch import Tensor

from bio_interp.sae.architectures import Weights
from bio_interp.sae.kernels._entries import Entries
from bio_interp.sae.kernels._functions import Decoded, Kernels


def sparse_loss(
    kernels: Kernels, entries: Entries, weights: Weights, x: Tensor, target: Tensor
) -> tuple[Tensor, Tensor]:
    """Give the mean square of ``target - rebuilt``, with gradients, and the residual, without.

    Gradients reach all four weights and the target. They equal those of the dense formula, with
    the entries' values for pre-activations (tested against autograd).

    Parameters
    ----------
    kernels
        Who computes.
    entries
        What `kernels` selected from `x`.
    weights
        Those of the SAE, float32.
    x, target
        Rows read and rows to rebuild, ``(rows, d_in)`` and ``(rows, d_out)``; the decoder is used
        in the dtype of `x`.
    """
    return _SparseLoss.apply(
        weights.encoder, weights.b_enc, weights.decoder, weights.b_dec, target, x, entries, kernels
    )  # type: ignore[no-any-return]


class _SparseLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        encoder: Tensor,
        b_enc: Tensor,
        decoder: Tensor,
        b_dec: Tensor,
        target: Tensor,
        x: Tensor,
        entries: Entries,
        kernels: Kernels,
    ) -> tuple[Tensor, Tensor]:
        goal = target.detach().to(x.dtype).contiguous()
        decoded = kernels.decode(entries, decoder.detach().to(x.dtype), b_dec.detach(), goal)
        ctx.decoded, ctx.entries, ctx.kernels, ctx.x = decoded, entries, kernels, x
        ctx.mark_non_differentiable(decoded.residual)
        return decoded.loss, decoded.residual

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        decoded: Decoded = ctx.decoded
        kernels: Kernels = ctx.kernels
        scale = grads[0].contiguous()
        encoder, b_enc, decoder = kernels.weight_gradients(ctx.entries, decoded, ctx.x, scale)
        factor = scale * (-2.0 / decoded.residual.numel())
        b_dec = decoded.residual.sum(0, dtype=torch.float32) * factor
        target = decoded.residual * -factor if ctx.needs_input_grad[4] else None
        return encoder, b_enc, decoder, b_dec, target, None, None, None
