"""Sparse codes of many proteins on disk: written once, read by protein and by feature."""

import json
import shutil
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.errors import MismatchError, NotFoundError
from bio_interp.features._manifest import (
    SCHEMA,
    Manifest,
    ShardEntry,
    ValueType,
    read_manifest,
    refuse_other_settings,
)
from bio_interp.features._shards import FeatureHits, FeatureShard
from bio_interp.features._statistics import bin_edges, firing_counts, maxima
from bio_interp.provenance import write_json

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from bio_interp.features._writer import FeatureWriter


_OPEN_SHARDS = 128
"""Each keeps up to five files open, of the 1,024 that a process may often have."""


class FeatureStore:
    """Sparse codes of many proteins in a folder.

    Made with `create` or `open`. One object sees the shards that were complete when it was made,
    and those that its own writers complete.

    Attributes
    ----------
    folder
        Where the store lies.

    Examples
    --------
    >>> import tempfile, scipy.sparse
    >>> folder = Path(tempfile.mkdtemp()) / "codes"
    >>> store = FeatureStore.create(folder, d_sae=4, settings={"sae": "toy"})
    >>> with store.writer() as writer:
    ...     writer.add("P1", scipy.sparse.csr_matrix([[0, 2.0, 0, 0], [0, 3.0, 0, 1.0]]))
    >>> hits = store.feature(1)
    >>> [store.accessions[p] for p in hits.proteins], hits.positions.tolist(), hits.values.tolist()
    (['P1', 'P1'], [1, 2], [2.0, 3.0])
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self._manifest = manifest
        self._open_shards: dict[int, FeatureShard] = {}

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        d_sae: int,
        settings: Mapping[str, Any],
        dtype: ValueType = "float16",
    ) -> "FeatureStore":
        """Make an empty store, or open one that was made with the same settings to add to it.

        Parameters
        ----------
        folder
            Made where it is absent.
        d_sae
            Number of features.
        settings
            What the codes depend on (model, site, hash of the SAE ...), as JSON.
        dtype
            Of the stored activations. float16 keeps 3 digits, and nothing above 65,504.

        Raises
        ------
        MismatchError
            The folder holds a store made with other settings; the message lists them.
        """
        wanted = Manifest(
            schema=SCHEMA,
            d_sae=d_sae,
            dtype=dtype,
            settings=json.loads(json.dumps(dict(settings))),
            shards=[],
        )
        path = folder / "manifest.json"
        if not path.exists():
            write_json(path, wanted)
            return cls(folder, wanted)
        store = cls.open(folder)
        refuse_other_settings(folder, store._manifest, wanted)
        return store

    @classmethod
    def open(cls, folder: Path) -> "FeatureStore":
        """Open a store; shards that were not finished are not seen.

        Raises
        ------
        NotFoundError
            There is no store in `folder`.
        """
        return cls(folder, read_manifest(folder))

    @property
    def d_sae(self) -> int:
        """Number of features."""
        return self._manifest["d_sae"]

    @property
    def dtype(self) -> ValueType:
        """Type of the stored activations."""
        return self._manifest["dtype"]

    @property
    def settings(self) -> dict[str, Any]:
        """What the codes depend on, as given to `create`."""
        return self._manifest["settings"]

    @property
    def entries(self) -> list[ShardEntry]:
        """Complete shards: name, proteins, residues, nonzeros."""
        return self._manifest["shards"]

    @cached_property
    def accessions(self) -> list[str]:
        """Names of the proteins, in the order they were added."""
        return [accession for shard in self.shards() for accession in shard.accessions]

    @cached_property
    def lengths(self) -> Int[ndarray, "proteins"]:
        """Residues of each protein, in the order of `accessions`."""
        parts = [np.diff(shard.offsets) for shard in self.shards()]
        return np.concatenate([np.zeros(0, dtype=np.int64), *parts])

    @cached_property
    def _first_proteins(self) -> list[int]:
        return [0, *accumulate(entry["proteins"] for entry in self.entries)]

    @cached_property
    def _index(self) -> dict[str, int]:
        return {accession: index for index, accession in enumerate(self.accessions)}

    def __len__(self) -> int:
        return sum(entry["proteins"] for entry in self.entries)

    def __contains__(self, accession: object) -> bool:
        return accession in self._index

    def __repr__(self) -> str:
        residues = sum(entry["residues"] for entry in self.entries)
        return (
            f"FeatureStore({str(self.folder)!r}: {len(self)} proteins, {residues} residues, "
            f"{self.d_sae} features)"
        )

    def done(self) -> set[str]:
        """List the accessions of the proteins that need not be encoded again."""
        return set(self._index)

    def writer(
        self, *, shard_proteins: int = 4096, shard_nonzeros: int = 8_000_000
    ) -> "FeatureWriter":
        """Open the store for adding proteins; use it in a ``with`` block.

        Parameters
        ----------
        shard_proteins, shard_nonzeros
            A shard is written when it holds this many proteins or codes. A shard of 8 million
            codes takes about 0.4 GB of memory while it is written.
        """
        from bio_interp.features._writer import FeatureWriter

        return FeatureWriter(self, shard_proteins=shard_proteins, shard_nonzeros=shard_nonzeros)

    def shards(self) -> Iterator[FeatureShard]:
        """Iterate over the complete shards, in the order of `accessions`."""
        for number in range(len(self.entries)):
            yield self._shard(number)

    def protein(self, accession: str) -> "csr_matrix":
        """Read the codes of one protein, ``(residues, d_sae)`` float32.

        Raises
        ------
        NotFoundError
            The store does not hold the protein.
        """
        if accession not in self._index:
            raise NotFoundError(
                f"a protein of the feature store {self.folder}",
                repr(accession),
                "`FeatureStore.accessions` lists what it holds.",
            )
        index = self._index[accession]
        number = bisect_right(self._first_proteins, index) - 1
        return self._shard(number).codes(index - self._first_proteins[number])

    def feature(self, index: int) -> FeatureHits:
        """Read every residue where feature `index` fires.

        Raises
        ------
        NotFoundError
            There is no such feature.
        """
        if not 0 <= index < self.d_sae:
            raise NotFoundError(
                f"a feature from 0 to {self.d_sae - 1}", str(index), "Choose one of those."
            )
        return FeatureHits.cat([shard.hits(index) for shard in self.shards()])

    def maxima(self) -> Float[ndarray, "d_sae"]:
        """Largest activation of each feature; 0 where it never fires above 0."""
        return maxima(self.shards(), self.d_sae)

    def firing_counts(self) -> Int[ndarray, "d_sae"]:
        """Count the residues where each feature fires."""
        return firing_counts(self.shards(), self.d_sae)

    def bin_edges(
        self, n_bins: int = 32, *, proteins: "ndarray | None" = None
    ) -> Float[ndarray, "d_sae n_bins"]:
        """Cut each feature's positive activations into bins that hold equally many.

        Parameters
        ----------
        n_bins
            Number of bins.
        proteins
            Bool mask over `accessions`: use these proteins only. All where None.

        Returns
        -------
        ndarray
            Float32; ``edges[f, b]`` is the smallest activation in bin ``b``, exactly (no sampling).
            Ascending in ``b``; ``edges[f, 0]`` is the smallest activation seen; ``inf`` throughout
            where the feature never fires above 0.

        Raises
        ------
        MismatchError
            The mask has another length.
        """
        if proteins is not None and len(proteins) != len(self):
            raise MismatchError(
                f"a mask over {len(self)} proteins", f"one over {len(proteins)}", "Rebuild it."
            )
        return bin_edges(list(self.shards()), self.d_sae, n_bins, proteins)

    def _shard(self, number: int) -> FeatureShard:
        if number not in self._open_shards:
            if len(self._open_shards) >= _OPEN_SHARDS:
                self._open_shards.pop(next(iter(self._open_shards)))
            entry = self.entries[number]
            first = self._first_proteins[number]
            shard = FeatureShard(self.folder / entry["name"], entry, first, self.d_sae)
            self._open_shards[number] = shard
        return self._open_shards[number]

    def _append(self, entry: ShardEntry) -> None:
        """Complete a shard: write the manifest with its entry."""
        self._manifest["shards"].append(entry)
        write_json(self.folder / "manifest.json", self._manifest)
        for name in ("accessions", "lengths", "_index", "_first_proteins"):
            self.__dict__.pop(name, None)

    def _new_shard(self) -> Path:
        """Name the next shard's folder, and clear what a killed writer left there."""
        if read_manifest(self.folder)["shards"] != self.entries:
            raise MismatchError(
                f"that only one process adds to the feature store {self.folder}",
                "shards that another process completed meanwhile",
                "Run one writer at a time; the finished proteins are kept, so start it again.",
            )
        folder = self.folder / f"shard-{len(self.entries):05d}"
        if folder.exists():
            shutil.rmtree(folder)
        return folder
