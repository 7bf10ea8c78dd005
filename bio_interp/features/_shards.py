"""One shard of a feature store: the same codes by protein and by feature, memory-mapped."""

import json
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int, UInt
from numpy import ndarray

from bio_interp.errors import InputError
from bio_interp.features._manifest import ShardEntry
from bio_interp.provenance import atomic_path, write_json

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

# numpy reads the header of an array as a line of Python
_UNREADABLE = (OSError, EOFError, ValueError, SyntaxError, tokenize.TokenError)


@dataclass(frozen=True, slots=True)
class FeatureHits:
    """Every residue where one feature fires, in the order of the store.

    Attributes
    ----------
    proteins
        Index of the protein in `FeatureStore.accessions`, ascending.
    positions
        Position in the protein, 1-based, ascending within a protein.
    values
        Activation, float32.
    """

    proteins: Int[ndarray, "hits"]
    positions: Int[ndarray, "hits"]
    values: Float[ndarray, "hits"]

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def cat(cls, parts: "Sequence[FeatureHits]") -> "FeatureHits":
        """Join the hits of one feature; no parts give none."""
        none = cls(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
        columns = [(part.proteins, part.positions, part.values) for part in [none, *parts]]
        return cls(*(np.concatenate(column) for column in zip(*columns, strict=True)))


@dataclass(frozen=True)
class FeatureShard:
    """Some proteins of a store, in the order they were added; long arrays are memory-mapped.

    Row ``r`` of the shard is one residue; the rows of protein ``p`` of the shard are
    ``offsets[p]`` to ``offsets[p + 1]``. The codes of row ``r`` are the entries ``indptr[r]`` to
    ``indptr[r + 1]`` of `features` and `values`. The firing rows of feature ``f`` are the entries
    ``feature_offsets[f]`` to ``feature_offsets[f + 1]`` of `feature_rows` and `feature_values`.

    Attributes
    ----------
    folder
        Where the arrays lie.
    entry
        The shard's line in the manifest.
    first_protein
        Index in the store of the shard's protein 0.
    d_sae
        Number of features.
    """

    folder: Path
    entry: ShardEntry
    first_protein: int
    d_sae: int

    @cached_property
    def accessions(self) -> list[str]:
        """Names of the shard's proteins."""
        path = self.folder / "accessions.json"
        try:
            names: list[str] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise _damaged(path, str(error)) from error
        if len(names) != self.entry["proteins"]:
            raise _damaged(path, f"{len(names)} names, not {self.entry['proteins']}")
        return names

    @cached_property
    def offsets(self) -> Int[ndarray, "proteins_plus_1"]:
        """First row of each protein, and the number of rows at the end; int64."""
        return self._array("offsets", self.entry["proteins"] + 1, mapped=False)

    @cached_property
    def indptr(self) -> Int[ndarray, "rows_plus_1"]:
        """First entry of each row, and the number of entries at the end; int64."""
        return self._array("indptr", self.entry["residues"] + 1)

    @cached_property
    def features(self) -> UInt[ndarray, "nonzeros"]:
        """Feature of each entry, ascending within a row; uint16, or uint32 past 65,536 features."""
        return self._array("features", self.entry["nonzeros"])

    @cached_property
    def values(self) -> Float[ndarray, "nonzeros"]:
        """Activation of each entry; never 0."""
        return self._array("values", self.entry["nonzeros"])

    @cached_property
    def feature_offsets(self) -> Int[ndarray, "d_sae_plus_1"]:
        """First entry of each feature in the by-feature arrays; int64."""
        return self._array("feature_offsets", self.d_sae + 1, mapped=False)

    @cached_property
    def feature_rows(self) -> UInt[ndarray, "nonzeros"]:
        """Row of each entry, by feature, ascending within a feature; uint32."""
        return self._array("feature_rows", self.entry["nonzeros"])

    @cached_property
    def feature_values(self) -> Float[ndarray, "nonzeros"]:
        """Activation of each entry, by feature."""
        return self._array("feature_values", self.entry["nonzeros"])

    @cached_property
    def maxima(self) -> Float[ndarray, "d_sae"]:
        """Largest activation of each feature in the shard; 0 where it never fires above 0."""
        return self._array("maxima", self.d_sae, mapped=False)

    def codes(self, protein: int) -> "csr_matrix":
        """Copy the rows of the shard's protein ``protein``, ``(residues, d_sae)`` float32."""
        from scipy.sparse import csr_matrix

        start, end = self.offsets[protein], self.offsets[protein + 1]
        indptr = self.indptr[start : end + 1]
        entries = slice(indptr[0], indptr[-1])
        values = self.values[entries].astype(np.float32)
        columns = self.features[entries].astype(np.int32)
        shape = (int(end - start), self.d_sae)
        return csr_matrix((values, columns, indptr - indptr[0]), shape=shape)

    def hits(self, feature: int) -> FeatureHits:
        """Find the residues of the shard where a feature fires."""
        start, end = self.feature_offsets[feature : feature + 2]
        rows = self.feature_rows[start:end].astype(np.int64)
        local = np.searchsorted(self.offsets, rows, side="right") - 1
        positions = rows - self.offsets[local] + 1
        values = self.feature_values[start:end].astype(np.float32)
        return FeatureHits(local + self.first_protein, positions, values)

    def _array(self, name: str, length: int, *, mapped: bool = True) -> Any:
        # a mapped file stays open, and a process may open few: the short arrays are read
        path = self.folder / f"{name}.npy"
        try:
            array: ndarray = np.asarray(np.load(path, mmap_mode="r" if mapped else None))
        except _UNREADABLE as error:
            raise _damaged(path, str(error)) from error
        if array.shape != (length,):
            raise _damaged(path, f"an array of shape {array.shape}, not ({length},)")
        return array


def write_shard(
    folder: Path,
    proteins: "Sequence[tuple[str, csr_matrix]]",
    *,
    d_sae: int,
    dtype: np.dtype[Any],
) -> ShardEntry:
    """Write the arrays of one shard; the caller adds the entry to the manifest afterwards.

    Parameters
    ----------
    folder
        Folder of the shard; its last part is the shard's name.
    proteins
        Accessions and codes, each ``(residues, d_sae)`` with sorted indices and no zeros.
    d_sae
        Number of features.
    dtype
        Of the values: float16 or float32.
    """
    from scipy.sparse import csr_matrix, vstack

    rows = csr_matrix(vstack([codes for _, codes in proteins], format="csr"))
    columns = rows.tocsc()
    lengths = [len(codes.indptr) - 1 for _, codes in proteins]
    maxima = np.zeros(d_sae, dtype=np.float32)
    np.maximum.at(maxima, rows.indices, rows.data)
    arrays = {
        "offsets": np.cumsum([0, *lengths], dtype=np.int64),
        "indptr": rows.indptr.astype(np.int64),
        "features": rows.indices.astype(index_dtype(d_sae)),
        "values": rows.data.astype(dtype),
        "feature_offsets": columns.indptr.astype(np.int64),
        "feature_rows": columns.indices.astype(np.uint32),
        "feature_values": columns.data.astype(dtype),
        "maxima": maxima,
    }
    for name, array in arrays.items():
        with atomic_path(folder / f"{name}.npy") as temporary:
            np.save(temporary, array, allow_pickle=False)
    write_json(folder / "accessions.json", [accession for accession, _ in proteins])
    return ShardEntry(
        name=folder.name, proteins=len(proteins), residues=sum(lengths), nonzeros=int(rows.nnz)
    )


def index_dtype(d_sae: int) -> type[np.unsignedinteger[Any]]:
    """Choose the smallest unsigned type that holds every feature index.

    Examples
    --------
    >>> index_dtype(65536).__name__, index_dtype(65537).__name__
    ('uint16', 'uint32')
    """
    return np.uint16 if d_sae <= 1 << 16 else np.uint32


def _damaged(path: Path, got: str) -> InputError:
    return InputError(
        f"an array of a feature store at {path}",
        got,
        "The store is damaged; delete its folder and encode again.",
    )
