"""Adding proteins to a feature store."""

from types import TracebackType
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bio_interp.errors import MismatchError
from bio_interp.features._shards import write_shard

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from bio_interp.features._store import FeatureStore


class Codes(Protocol):
    """Sparse codes as an SAE gives them."""

    def to_scipy(self) -> "csr_matrix":
        """Hand the codes over as ``(rows, d_sae)``."""
        ...


class FeatureWriter:
    """Adds proteins to a store; made by `FeatureStore.writer`, used in a ``with`` block.

    Proteins are kept in memory until they fill a shard. Leaving the block writes the rest, also
    when an error or Ctrl-C ends it; a process that is killed loses the unfinished shard only.
    """

    def __init__(self, store: "FeatureStore", *, shard_proteins: int, shard_nonzeros: int) -> None:
        self._store = store
        self._limits = shard_proteins, shard_nonzeros
        self._waiting: dict[str, csr_matrix] = {}
        self._nonzeros = 0

    def __enter__(self) -> "FeatureWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.flush()

    def add(self, accession: str, codes: "Codes | csr_matrix") -> None:
        """Add one protein.

        Parameters
        ----------
        accession
            A name that the store does not hold yet.
        codes
            One row a residue. Zeros are dropped.

        Raises
        ------
        MismatchError
            The accession is there already, or the codes have another width, a feature twice in
            one row, or values that the store's number type does not hold.
        """
        if accession in self._waiting or accession in self._store:
            raise MismatchError(
                "each protein once in a feature store",
                f"{accession!r} a second time",
                "Skip the proteins in `FeatureStore.done()`.",
            )
        rows = to_csr(codes)
        self._check(accession, rows)
        self._waiting[accession] = rows
        self._nonzeros += rows.nnz
        if len(self._waiting) >= self._limits[0] or self._nonzeros >= self._limits[1]:
            self.flush()

    def flush(self) -> None:
        """Write the proteins in memory as a shard, whatever their number."""
        if not self._waiting:
            return
        entry = write_shard(
            self._store._new_shard(),  # pyright: ignore[reportPrivateUsage]
            list(self._waiting.items()),
            d_sae=self._store.d_sae,
            dtype=np.dtype(self._store.dtype),
        )
        self._store._append(entry)  # pyright: ignore[reportPrivateUsage]
        self._waiting, self._nonzeros = {}, 0

    def _check(self, accession: str, rows: "csr_matrix") -> None:
        width = int(rows.shape[1])  # pyright: ignore[reportOptionalSubscript]
        if width != self._store.d_sae:
            raise MismatchError(
                f"codes of {self._store.d_sae} features",
                f"{width} features for {accession!r}",
                "Use the SAE that the store was made with.",
            )
        if not rows.has_canonical_format:
            raise MismatchError(
                "each feature at most once a residue",
                f"a feature twice in one row of {accession!r}",
                "Add up the values first.",
            )
        info = np.finfo(self._store.dtype)
        size = np.abs(rows.data)
        if not (size <= float(info.max)).all():
            raise MismatchError(
                f"activations of at most {float(info.max):g} in a {self._store.dtype} store",
                f"{rows.data[np.argmax(~(size <= float(info.max)))]} for {accession!r}",
                "Make the store with dtype='float32'; if that is not finite, check the SAE.",
            )
        # a code too small for the type must still count as firing
        tiny = size < float(info.smallest_subnormal)
        rows.data[tiny] = np.sign(rows.data[tiny]) * float(info.smallest_subnormal)


def to_csr(codes: "Codes | csr_matrix") -> "csr_matrix":
    """Copy codes to a scipy matrix: float32, sorted, without zeros."""
    from scipy.sparse import csr_matrix

    given = codes if isinstance(codes, csr_matrix) else codes.to_scipy()
    rows = csr_matrix(given, dtype=np.float32, copy=True)
    rows.eliminate_zeros()
    rows.sort_indices()
    return rows
