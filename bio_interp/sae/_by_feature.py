"""The entries of sparse codes in the order of their features, and sums over them."""

from dataclasses import dataclass

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
        return bags(self.rows, source, self.indptr, weights[self.order])

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


def bags(index: Tensor, table: Tensor, indptr: Tensor, weights: Tensor) -> Tensor:
    """Sum rows ``table[index]`` times `weights` between the places `indptr`."""
    return F.embedding_bag(
        index, table, indptr, mode="sum", per_sample_weights=weights, include_last_offset=True
    )


def dot_entries(a: Tensor, b: Tensor, in_a: Tensor, in_b: Tensor) -> Tensor:
    """Compute ``(a[in_a] * b[in_b]).sum(1)`` without gathering, in the order given.

    Rows of `a` that come one after another in `in_a` are read once.
    """
    offsets = in_a.new_zeros(1)  # not looked at: `in_a` says which row each entry belongs to
    return torch.ops.aten._embedding_bag_per_sample_weights_backward(a, b, in_b, offsets, in_a, 0)
