"""The sparse half of a training step, with gradients.

Only the encoder's forward pass is a dense product. What follows touches the k active features of
a row: decoding sums k rows of the decoder, and both weight gradients are segment sums over the
entries sorted by feature (`torch.nn.functional.embedding_bag`), which is stable and so
deterministic. The gradients equal those of the dense formula (tested against autograd).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bio_interp.sae._codes import SparseCodes, counts_to_indptr


@dataclass(frozen=True, slots=True)
class ByFeature:
    """The entries of some codes, sorted by feature.

    Attributes
    ----------
    order
        Place in the codes of each sorted entry; int64, shape ``(nnz,)``.
    rows
        Row of each sorted entry; int64, shape ``(nnz,)``.
    indptr
        Feature ``f`` owns sorted entries ``indptr[f]`` to ``indptr[f + 1]``.
    """

    order: Tensor
    rows: Tensor
    indptr: Tensor

    @classmethod
    def of(cls, codes: SparseCodes) -> "ByFeature":
        """Sort once; both weight gradients use it. Narrow integers sort faster."""
        features = codes.features.short() if codes.d_sae <= 1 << 15 else codes.features
        order = features.sort(stable=True).indices
        counts = torch.bincount(codes.features, minlength=codes.d_sae)
        return cls(order, codes.row_index()[order], counts_to_indptr(counts))

    def weighted_sum(self, source: Tensor, weights: Tensor) -> Tensor:
        """Sum rows of `source` ``(rows, d)``, times `weights` ``(nnz,)``, into each feature."""
        return _bags(self.rows, source, self.indptr, weights[self.order])


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


def _bags(index: Tensor, table: Tensor, indptr: Tensor, weights: Tensor) -> Tensor:
    return F.embedding_bag(
        index, table, indptr, mode="sum", per_sample_weights=weights, include_last_offset=True
    )


def decode_values(codes: SparseCodes, values: Tensor, decoder: Tensor) -> Tensor:
    """Sum the decoder's rows, times `values`, into ``(rows, d_model)``."""
    return _bags(codes.features.long(), decoder, codes.indptr, values)


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
        ones = rows.new_ones(rows.shape[0], 1)
        grad_bias = by_feature.weighted_sum(ones, grads[0]).squeeze(1)
        return None, grad_encoder, grad_bias, None, None


class _Decode(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, values: Tensor, decoder: Tensor, codes: SparseCodes, by_feature: ByFeature
    ) -> Tensor:
        with torch.enable_grad():  # torch's own kernel gives the gradient of the values
            leaf = values.detach().requires_grad_()
            decoded = decode_values(codes, leaf, decoder.detach())
        ctx.leaf, ctx.decoded, ctx.by_feature = leaf, decoded, by_feature
        return decoded.detach()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        grad = grads[0].contiguous()
        (grad_values,) = torch.autograd.grad(ctx.decoded, ctx.leaf, grad)
        grad_decoder = ctx.by_feature.weighted_sum(grad, ctx.leaf.detach())
        return grad_values, grad_decoder, None, None
