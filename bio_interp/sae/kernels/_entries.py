"""The entries that are on in a batch, in tensors whose shapes do not depend on the data."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Entries:
    """The features that are on in each row, in a fixed number of slots.

    `bio_interp.sae.SparseCodes` has as many entries as are on, a number that the host must wait
    for. Here a batch has ``k * rows`` slots whatever comes, and a slot that holds nothing has the
    feature ``d_sae`` and the value 0.

    Attributes
    ----------
    features
        int32, shape ``(slots,)``, ascending within a row; ``d_sae`` where the slot is empty.
    values
        float32, shape ``(slots,)``; above 0, or 0 where the slot is empty.
    rows
        Row of each slot, int32, shape ``(slots,)``.
    indptr
        Row ``i`` owns slots ``indptr[i]`` to ``indptr[i + 1]``; int32, shape ``(rows + 1,)``.
    d_sae
        How many features there are.
    widest
        Slots of a row that a kernel should be ready for at once; rows may have more.
    """

    features: Tensor
    values: Tensor
    rows: Tensor
    indptr: Tensor
    d_sae: int
    widest: int

    @classmethod
    def of_rows(cls, features: Tensor, values: Tensor, d_sae: int) -> "Entries":
        """Take ``(rows, k)`` features and values: every row has k slots."""
        rows, k = features.shape
        index = torch.arange(rows + 1, device=features.device, dtype=torch.int32)
        owner = index[:-1, None].expand(rows, k).reshape(-1)
        return cls(features.reshape(-1), values.reshape(-1), owner, index * k, d_sae, k)

    def __len__(self) -> int:
        """Count the rows."""
        return self.indptr.shape[0] - 1

    def to_dense(self) -> Tensor:
        """Write the codes out as a float32 ``(rows, d_sae)`` matrix."""
        padded = self.values.new_zeros(len(self), self.d_sae + 1)
        padded[self.rows.long(), self.features.long()] = self.values
        return padded[:, : self.d_sae].contiguous()

    def counts(self) -> Tensor:
        """Count the rows in which each feature is on; int64, shape ``(d_sae,)``."""
        features = self.features.long()
        counts = features.new_zeros(self.d_sae + 1)
        return counts.scatter_add_(0, features, torch.ones_like(features))[: self.d_sae]

    def peaks(self) -> Tensor:
        """Largest value of each feature, 0 where it is off everywhere; shape ``(d_sae,)``."""
        peaks = self.values.new_zeros(self.d_sae + 1)
        return peaks.scatter_reduce_(0, self.features.long(), self.values, "amax")[: self.d_sae]

    def lowest(self) -> Tensor:
        """Smallest value that is on, a scalar; 0 where nothing is."""
        lowest = self.values.where(self.values > 0, torch.inf).min()
        return lowest.where(lowest < torch.inf, 0.0)


@dataclass(frozen=True, slots=True)
class Segments:
    """The slots sorted by feature, and long runs of one feature cut into chunks.

    Attributes
    ----------
    order
        Slot of each sorted entry; int64, shape ``(slots,)``; empty slots are last.
    indptr
        Feature ``f`` owns sorted entries ``indptr[f]`` to ``indptr[f + 1]``; int32.
    owner
        Feature of each chunk, ``d_sae`` past the last; int32. A feature that is off has one chunk,
        so that its gradient is written too.
    starts
        First chunk of each feature; int32, shape ``(d_sae,)``.
    long_starts
        First partial sum of each feature of several chunks; int32, shape ``(d_sae,)``.
    partials
        Partial sums that there can be at most.
    """

    order: Tensor
    indptr: Tensor
    owner: Tensor
    starts: Tensor
    long_starts: Tensor
    partials: int

    @classmethod
    def of(cls, entries: Entries, length: int) -> "Segments":
        """Sort once, by a stable sort, and cut runs into chunks of `length`."""
        d_sae, slots = entries.d_sae, entries.features.shape[0]
        device = entries.features.device
        ordered, order = entries.features.sort(stable=True)
        edges = torch.arange(d_sae + 1, device=device, dtype=torch.int32)
        indptr = torch.searchsorted(ordered, edges, out_int32=True)  # (d_sae + 1,)
        chunks = ((indptr.diff() + (length - 1)) // length).clamp_min(1)
        ends = chunks.cumsum(0, dtype=torch.int32)
        most = d_sae + slots // length
        numbers = torch.arange(most, device=device, dtype=torch.int32)
        owner = torch.searchsorted(ends, numbers, right=True, out_int32=True)
        long = chunks.where(chunks > 1, 0)
        long_starts = long.cumsum(0, dtype=torch.int32) - long
        return cls(order, indptr, owner, ends - chunks, long_starts, 2 * slots // length + 1)
