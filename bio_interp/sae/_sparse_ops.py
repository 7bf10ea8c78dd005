"""The sparse half of a training step, with gradients.

Only the encoder's forward pass is a dense product. What follows touches the k active features of
a row: decoding sums k rows of the decoder, and both weight gradients are segment sums over the
entries sorted by feature (`torch.nn.functional.embedding_bag`), which is stable and so
deterministic. The gradient of the values is taken in that order too, so that a decoder's row is
read once. The gradients equal those of the dense formula (tested against autograd).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bio_interp.sae._codes import SparseCodes, counts_to_indptr
from bio_interp.sae._product import dot_entries


@dataclass(frozen=True, slots=True)
class ByFeature:
    """The entries of some codes, sorted by feature.

    Attributes
    ----------
    order
        Place in the codes of each sorted entry; int64, shape ``(nnz,)``.
    rows, features
        Row and feature of each sorted entry; int64, shape ``(nnz,)``.
    indptr
        Feature ``f`` owns sorted entries ``indptr[f]`` to ``indptr[f + 1]``.
    """

    order: Tensor
    rows: Tensor
    features: Tensor
    indptr: Tensor

    @classmethod
    def of(cls, codes: SparseCodes) -> "ByFeature":
        """Sort once; both weight gradients use it. Narrow integers sort faster."""
        narrow = codes.features.short() if codes.d_sae <= 1 << 15 else codes.features
        features, order = narrow.sort(stable=True)
        counts = torch.bincount(codes.features, minlength=codes.d_sae)
        return cls(order, codes.row_index()[order], features.long(), counts_to_indptr(counts))

    def weighted_sum(self, source: Tensor, weights: Tensor) -> Tensor:
        """Sum rows of `source` ``(rows, d)``, times `weights` ``(nnz,)``, into each feature."""
        return _bags(self.rows, source, self.indptr, weights[self.order])

    def total(self, weights: Tensor) -> Tensor:
        """Sum `weights` ``(nnz,)`` into each feature, ``(d_sae,)``."""
        sums = weights.new_zeros(self.indptr.shape[0] - 1)
        return sums.index_add_(0, self.features, weights[self.order])

    def dots(self, table: Tensor, source: Tensor) -> Tensor:
        """Multiply each entry's row of `table` ``(d_sae, d)`` with its row of `source`, ``(nnz,)``.

        In the order of the codes.
        """
        products = dot_entries(table, source, self.features, self.rows)
        return torch.empty_like(products).index_copy_(0, self.order, products)


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
