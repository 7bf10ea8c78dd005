"""Sparse codes: which features are on in each row, and how strongly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from bio_interp.errors import MismatchError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, slots=True)
class SparseCodes:
    """Feature activations of many rows, in compressed rows (CSR).

    Attributes
    ----------
    indptr
        Row ``i`` owns entries ``indptr[i]`` to ``indptr[i + 1]``; int64, shape ``(rows + 1,)``.
    features
        Index of the feature of each entry, ascending within a row where they come from
        `SparseAutoencoder.encode`; int32, shape ``(nnz,)``.
    values
        Activation of each entry, above zero; shape ``(nnz,)``.
    d_sae
        How many features there are.

    Examples
    --------
    >>> codes = SparseCodes.from_dense(torch.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]]))
    >>> codes.indptr.tolist(), codes.features.tolist(), codes.values.tolist()
    ([0, 1, 3], [1, 0, 2], [2.0, 1.0, 3.0])
    """

    indptr: Tensor
    features: Tensor
    values: Tensor
    d_sae: int

    @classmethod
    def from_dense(cls, dense: Tensor) -> "SparseCodes":
        """Keep the entries above zero of a ``(rows, d_sae)`` matrix."""
        return compact(dense, dense > 0)

    @classmethod
    def cat(cls, parts: Sequence["SparseCodes"]) -> "SparseCodes":
        """Stack the rows of several codes of one dictionary; at least one."""
        if len({part.d_sae for part in parts}) != 1:
            raise MismatchError(
                "codes of one dictionary",
                f"widths {sorted({part.d_sae for part in parts})}",
                "Stack only codes that one SAE made.",
            )
        if len(parts) == 1:
            return parts[0]
        counts = torch.cat([part.indptr.diff() for part in parts])
        return cls(
            counts_to_indptr(counts),
            torch.cat([part.features for part in parts]),
            torch.cat([part.values for part in parts]),
            parts[0].d_sae,
        )

    @classmethod
    def at(cls, flat: Tensor, values: Tensor, *, rows: int, d_sae: int) -> "SparseCodes":
        """Build codes from ascending indices into a flattened ``(rows, d_sae)`` matrix."""
        # divisions of 64-bit integers are slow: find where rows begin instead
        indptr = torch.searchsorted(flat, torch.arange(rows + 1, device=flat.device) * d_sae)
        codes = cls(indptr, flat, values, d_sae)
        return cls(indptr, (flat - codes.row_index() * d_sae).int(), values, d_sae)

    def where(self, places: Tensor) -> "SparseCodes":
        """Keep the entries at these ascending places, ``(n,)``."""
        indptr = torch.searchsorted(places, self.indptr)
        features, values = (
            self.features.index_select(0, places),
            self.values.index_select(0, places),
        )
        return SparseCodes(indptr, features, values, self.d_sae)

    def __len__(self) -> int:
        """Count the rows."""
        return self.indptr.shape[0] - 1

    def row_index(self) -> Tensor:
        """Row of each entry, from 0; int64, shape ``(nnz,)``."""
        rows = torch.arange(len(self), device=self.indptr.device)
        return rows.repeat_interleave(self.indptr.diff(), output_size=self.features.shape[0])

    def to_dense(self) -> Tensor:
        """Write the codes out as a ``(rows, d_sae)`` matrix."""
        dense = self.values.new_zeros(len(self), self.d_sae)
        dense[self.row_index(), self.features.long()] = self.values
        return dense

    def to_scipy(self) -> "csr_matrix":
        """Hand the codes to scipy as a ``(rows, d_sae)`` `scipy.sparse.csr_matrix`."""
        from scipy.sparse import csr_matrix

        parts = (self.values.float(), self.features, self.indptr)
        arrays = tuple(part.detach().cpu().numpy() for part in parts)
        return csr_matrix(arrays, shape=(len(self), self.d_sae))


def compact(dense: Tensor, mask: Tensor) -> SparseCodes:
    """Gather the entries of a ``(rows, d_sae)`` matrix where `mask` is true, row by row."""
    rows, d_sae = dense.shape
    flat = mask.flatten().nonzero().squeeze(1)  # (nnz,)
    return SparseCodes.at(flat, dense.flatten()[flat], rows=rows, d_sae=d_sae)


def counts_to_indptr(counts: Tensor) -> Tensor:
    """Turn counts a row into the places where rows begin; int64, one longer than `counts`."""
    indptr = counts.new_zeros(counts.shape[0] + 1, dtype=torch.int64)
    torch.cumsum(counts, 0, out=indptr[1:])
    return indptr
