"""How alike the features of two SAEs are, and what chance would give."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae._codes import SparseCodes

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_BLOCK_SCORES = 2**24
"""Scores held at a time: 64 MB."""
_FEWEST_PROTEINS = 10


class Similarity(Protocol):
    """Scores of all pairs of features of `a` and `b`, block after block.

    Attributes
    ----------
    names_a, names_b
        The features that are compared, int64, ascending.
    difficulty
        How high a feature of `a` may score by chance, ``(features of a,)``, in any unit: features
        of like difficulty share a null distribution.
    """

    names_a: Tensor
    names_b: Tensor
    difficulty: Tensor

    def block(self, start: int, end: int) -> Tensor:
        """Give the scores of some features of `a`, ``(end - start, features of b)``."""
        ...

    def swapped(self) -> "Similarity":
        """Give the scores of `b` and `a`."""
        ...

    def scrambled(self, generator: torch.Generator) -> "Similarity":
        """Give the same with `b` replaced by what has nothing to do with `a`."""
        ...


def blocks(scores: Similarity) -> Iterator[Tensor]:
    """Yield the scores of all features of `a`, in order, in bounded memory."""
    count, size = len(scores.names_a), max(1, _BLOCK_SCORES // max(1, len(scores.names_b)))
    for start in range(0, count, size):
        yield scores.block(start, min(count, start + size))


class Cosine:
    """Cosine between decoder rows.

    Chance is as many random directions as `b` has features, with the mean and covariance of the
    decoder rows of `b`: where all features of a site lean the same way, that earns nothing.

    Parameters
    ----------
    a, b
        Decoders, ``(d_sae, d_model)``, of one width.
    """

    def __init__(self, a: Tensor, b: Tensor) -> None:
        one, other = a.detach().float(), b.detach().to(a.device).float()
        self.a, self.b = (torch.nn.functional.normalize(w) for w in (one, other))
        self.names_a, self.names_b = torch.arange(len(a)), torch.arange(len(b))
        self._mean = self.b.mean(0)
        # root.T @ root is the covariance
        self._root = torch.linalg.qr(self.b - self._mean, mode="r").R / len(b) ** 0.5
        along = (self.a @ self._mean).square()
        self.difficulty = along + (self.a @ self._root.T).square().sum(1)

    def block(self, start: int, end: int) -> Tensor:
        """See `Similarity.block`."""
        return self.a[start:end] @ self.b.T

    def swapped(self) -> "Cosine":
        """See `Similarity.swapped`."""
        return Cosine(self.b, self.a)

    def scrambled(self, generator: torch.Generator) -> "Cosine":
        """See `Similarity.scrambled`."""
        drawn = torch.randn(len(self.b), len(self._root), generator=generator)
        return Cosine(self.a, drawn.to(self._root) @ self._root + self._mean)


@dataclass(frozen=True, slots=True)
class Side:
    """The codes of one SAE, columns divided by their deviation, with the means that this leaves."""

    codes: "csr_matrix"
    mean: Tensor
    names: Tensor
    fired: Tensor

    @classmethod
    def of(cls, sparse: SparseCodes) -> "Side":
        """Standardise; features that never change are left out: they have no correlation."""
        import numpy as np
        from scipy.sparse import csr_matrix, diags

        codes = csr_matrix(sparse.to_scipy(), dtype=np.float64)
        mean = np.asarray(codes.mean(0)).ravel()
        variance = np.asarray(codes.multiply(codes).mean(0)).ravel() - mean**2
        kept = np.flatnonzero(variance > 1e-12)
        scale = 1 / np.sqrt(variance[kept])
        scaled = csr_matrix(codes[:, kept] @ diags(scale), dtype=np.float32)
        fired = np.bincount(codes.indices, minlength=len(mean))[kept]
        parts = map(torch.from_numpy, (mean[kept] * scale, kept, fired))
        means, names, counts = parts
        return cls(scaled, means.float(), names, counts)


class CoFiring:
    """Pearson correlation of activations over the same rows, rows where a feature is off included.

    Features that never fire are left out. Chance is `b` with its rows in another order: whole
    proteins change places, so that what neighbouring residues share stays together.

    Parameters
    ----------
    a, b
        Codes of the same rows.
    lengths
        Rows of each protein, in order.
    """

    def __init__(self, a: Side, b: Side, lengths: Sequence[int]) -> None:
        rows = len(a.codes.indptr) - 1, len(b.codes.indptr) - 1
        if not rows[0] == rows[1] == sum(lengths):
            raise MismatchError(
                "codes of the same rows, and lengths that add up to them",
                f"{rows[0]} and {rows[1]} rows, lengths of {sum(lengths)} in all",
                "Give rows of the same residues in the same order.",
            )
        if len(lengths) < _FEWEST_PROTEINS:
            raise InputError(
                f"rows of at least {_FEWEST_PROTEINS} proteins", str(len(lengths)), "Give more."
            )
        self.a, self.b, self.lengths = a, b, lengths
        self.names_a, self.names_b, self.difficulty = a.names, b.names, a.fired
        self._columns = a.codes.T.tocsr()

    def block(self, start: int, end: int) -> Tensor:
        """See `Similarity.block`."""
        together = (self._columns[start:end] @ self.b.codes).toarray() / sum(self.lengths)
        scores = torch.from_numpy(together).float()
        return scores - self.a.mean[start:end, None] * self.b.mean

    def swapped(self) -> "CoFiring":
        """See `Similarity.swapped`."""
        return CoFiring(self.b, self.a, self.lengths)

    def scrambled(self, generator: torch.Generator) -> "CoFiring":
        """See `Similarity.scrambled`."""
        proteins = torch.arange(sum(self.lengths)).split(list(self.lengths))
        places = torch.randperm(len(proteins), generator=generator).tolist()
        moved = self.b.codes[torch.cat([proteins[place] for place in places]).numpy()]
        return CoFiring(self.a, replace(self.b, codes=moved), self.lengths)
