"""The proteins of a benchmark and the rows of a model that tell of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from bio_interp.features import FeatureStore

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from torch import Tensor

    from bio_interp.activations import ActivationStore
    from bio_interp.sae import SparseAutoencoder

Code = Callable[[Sequence[str], "Tensor"], "csr_matrix"]
"""From the accessions of some proteins and their rows, one after the other, to sparse codes."""
_SHARD_PROTEINS = 1024
_BATCH_ROWS = 4096


@dataclass(frozen=True)
class Rows:
    """Some proteins of harvested activations, in the order that all sources share.

    Attributes
    ----------
    stores
        Activations of one site, in one or several stores.
    wanted
        The proteins of select and test.
    sequences
        Sequence of each of them.
    folder
        Where sources keep what they computed; what is there is not computed again.
    """

    stores: Sequence[ActivationStore]
    wanted: frozenset[str]
    sequences: Mapping[str, str]
    folder: Path

    @property
    def names(self) -> list[str]:
        """Accessions, in order."""
        return [name for store in self.stores for name in store.accessions if name in self.wanted]

    @property
    def lengths(self) -> Int[ndarray, "proteins"]:
        """Residues of each protein."""
        return np.array([len(self.sequences[name]) for name in self.names], dtype=np.int64)

    @property
    def residues(self) -> int:
        """Residues of all proteins."""
        return int(self.lengths.sum())

    @property
    def d_model(self) -> int:
        """Width of a row."""
        return self.stores[0].d_model

    def proteins(self) -> Iterator[tuple[str, Tensor]]:
        """Yield accession and rows ``(residues, d_model)`` of each protein."""
        for store in self.stores:
            yield from store.proteins(set(self.wanted))

    def sample(self, names: set[str], most: int) -> Tensor:
        """Take up to about `most` rows of some proteins, evenly apart."""
        import torch

        have = sum(len(self.sequences[name]) for name in names)
        step = max(1, have // most)
        parts: list[Tensor] = []
        for store in self.stores:
            parts += [rows[::step] for _, rows in store.proteins(names & self.wanted)]
        return torch.cat(parts)

    def encode(self, name: str, d_sae: int, code: Code, *, of: str = "") -> Path:
        """Write a store of sparse codes, protein after protein; give its folder.

        `of` tells what they are codes of: a store of another is refused (`MismatchError`).
        """
        folder = self.folder / name
        store = FeatureStore.create(folder, d_sae=d_sae, settings={"source": name, "of": of})
        done = store.done()
        if len(done) < len(self.wanted):
            with store.writer(shard_proteins=_SHARD_PROTEINS) as writer:
                for names, rows in self._batches(done):
                    codes, first = code(names, rows), 0
                    for name in names:
                        last = first + len(self.sequences[name])
                        writer.add(name, codes[first:last])
                        first = last
        return folder

    def _batches(self, done: set[str]) -> Iterator[tuple[list[str], Tensor]]:
        """Put proteins together: large products are quicker than many small ones."""
        import torch

        names, parts, have = list[str](), [], 0
        for name, rows in self.proteins():
            if name in done:
                continue
            names.append(name)
            parts.append(rows)
            have += len(rows)
            if have >= _BATCH_ROWS:
                yield names, torch.cat(parts)
                names, parts, have = [], [], 0
        if names:
            yield names, torch.cat(parts)


def sae_codes(sae: SparseAutoencoder) -> Code:
    """Encode rows with an SAE."""
    return lambda _, rows: sae.encode(rows.float()).to_scipy()
