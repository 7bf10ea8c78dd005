"""The sparse half of a training step, with gradients.

Only the encoder's forward pass is a dense product. What follows touches the k active features of
a row: decoding sums k rows of the decoder, and both weight gradients are segment sums over the
entries sorted by feature (`torch.nn.functional.embedding_bag`), which is stable and so
deterministic. The gradient of the values is taken in that order too, so that a decoder's row is
read once. The gradients equal those of the dense formula (tested against autograd).
"""

from typing import Any

import torch
from torch import Tensor

from bio_interp.sae._by_feature import ByFeature, bags
from bio_interp.sae._codes import SparseCodes


def sparse_pre_activations(
    rows: Tensor, encoder: Tensor, bias: Tensor, codes: SparseCodes, by_feature: ByFeature
) -> Tensor:
    """Give ``codes.values`` the gradient of ``rows @ encoder.T + bias`` at those entries.

    Parameters
    ----------
    rows
        Normalised inputs, shape ``(rows, d_model)``; no gradient reaches them.
    encoder
        Shape ``(d_sae, d_model)``.
    bias
        Shape ``(d_sae,)``.
    codes
        The entries selected from the dense pre-activations, whose values are copied.
    by_feature
        The same entries sorted.
    """
    return _PreActivations.apply(rows, encoder, bias, codes.values, by_feature)  # type: ignore[no-any-return]


def sparse_decode(
    values: Tensor, decoder: Tensor, codes: SparseCodes, by_feature: ByFeature
) -> Tensor:
    """Decode entries into rows, ``(rows, d_model)``, with gradients to values and decoder."""
    return _Decode.apply(values, decoder, codes, by_feature)  # type: ignore[no-any-return]


def sparse_decode_on(
    values: Tensor, decoder: Tensor, near: SparseCodes, by_feature: ByFeature, places: Tensor
) -> Tensor:
    """Decode as `sparse_decode` does, where only the entries at `places` are not zero.

    The others, which only have a gradient, are left out of all sums.
    """
    return _DecodeOn.apply(values, decoder, near, by_feature, places)  # type: ignore[no-any-return]


def decode_values(codes: SparseCodes, values: Tensor, decoder: Tensor) -> Tensor:
    """Sum the decoder's rows, times `values`, into ``(rows, d_model)``."""
    return bags(codes.features.long(), decoder, codes.indptr, values)


class _PreActivations(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, encoder: Tensor, bias: Tensor, values: Tensor, by_feature: ByFeature
    ) -> Tensor:
        ctx.save_for_backward(rows)
        ctx.by_feature = by_feature
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (rows,) = ctx.saved_tensors
        by_feature: ByFeature = ctx.by_feature
        grad_encoder = by_feature.weighted_sum(rows, grads[0])
        return None, grad_encoder, by_feature.total(grads[0]), None, None


class _Decode(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, values: Tensor, decoder: Tensor, codes: SparseCodes, by_feature: ByFeature
    ) -> Tensor:
        ctx.save_for_backward(values, decoder)
        ctx.by_feature = by_feature
        return decode_values(codes, values, decoder)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        values, decoder = ctx.saved_tensors
        by_feature: ByFeature = ctx.by_feature
        grad = grads[0].contiguous()
        grad_values = by_feature.dots(decoder, grad)
        return grad_values, by_feature.weighted_sum(grad, values), None, None


class _DecodeOn(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        values: Tensor,
        decoder: Tensor,
        near: SparseCodes,
        by_feature: ByFeature,
        places: Tensor,
    ) -> Tensor:
        on, decoded = near.where(places), values.index_select(0, places)
        ctx.save_for_backward(decoded, decoder)
        ctx.on, ctx.by_feature = on, by_feature
        return decode_values(on, decoded, decoder)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        values, decoder = ctx.saved_tensors
        grad = grads[0].contiguous()
        grad_decoder = ByFeature.of(ctx.on).weighted_sum(grad, values)
        return ctx.by_feature.dots(decoder, grad), grad_decoder, None, None, None
