"""Rows of several sites, streamed from a running model through one buffer."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random

import torch
from torch import Tensor

from bio_interp.activations._rows import check_sites, read_sites
from bio_interp.activations._shuffle import buffer_bytes, places_left, shuffled_rows
from bio_interp.errors import InputError, MismatchError
from bio_interp.models import LanguageModel

_BLOCK_PROTEINS = 64
_BATCH_ROWS = 8192


class ModelRows:
    """The rows of proteins at several sites, mixed: a source for `bio_interp.sae.train_many`.

    A model reads the proteins once an epoch, in an order that the epoch alone decides, and the rows
    of all sites go through one buffer together: the rows of a part are of the same residues.
    Training can go on within an epoch: proteins whose rows have all left the buffer by then are
    not read again.

    Parameters
    ----------
    model, sites
        What reads, and where it is tapped.
    sequences
        The proteins.
    buffer_rows
        Rows that are mixed in memory (see `buffer_bytes`); all of them where they are fewer.
    dtype
        Of the buffer.

    Raises
    ------
    NotFoundError
        The model has no such site.
    InputError
        There are no sequences or no sites.
    """

    def __init__(
        self,
        model: LanguageModel,
        sites: Sequence[str],
        sequences: Sequence[str],
        *,
        buffer_rows: int,
        dtype: torch.dtype = torch.float16,
    ) -> None:
        check_sites(model.info, sites)
        if not sites or not any(sequences):
            raise InputError("proteins and sites to read", "none", "Give at least one of each.")
        self.model, self.sites, self.sequences, self.dtype = model, sites, sequences, dtype
        self.rows = sum(map(len, sequences))
        self.buffer_rows = min(buffer_rows, self.rows)
        self.widths = [model.info.sites[site] for site in sites]

    @property
    def buffer_bytes(self) -> int:
        """Memory of the buffer."""
        return buffer_bytes(self.buffer_rows, sum(self.widths), self.dtype)

    def start(self, epoch: int, row: int) -> Iterator[Mapping[str, Tensor]]:
        """Yield the rows of an epoch from a row on, both counted from 0: a tensor a site."""
        order = list(range(len(self.sequences)))
        Random(epoch).shuffle(order)
        ordered = [self.sequences[place] for place in order]
        mixing = {"buffer_rows": self.buffer_rows, "seed": epoch}
        left = places_left([len(s) for s in ordered], row, **mixing)
        readings = self._read(ordered, left)
        mixed = shuffled_rows(readings, **mixing, batch_rows=_BATCH_ROWS, dtype=self.dtype)
        passed = 0
        for rows in mixed:
            have = rows[self.sites[0]].shape[0]
            if passed + have > row:
                yield {site: tensor[max(0, row - passed) :] for site, tensor in rows.items()}
            passed += have

    def _read(self, ordered: Sequence[str], left: Sequence[bool]) -> Iterator[Mapping[str, Tensor]]:
        """Read blocks of proteins; one of which nothing is left is zeros and costs nothing.

        The numbers that a model gives for a protein depend, in the last digits, on which others
        it reads along with it. So a block is read as a whole, always.
        """
        for first in range(0, len(ordered), _BLOCK_PROTEINS):
            block = ordered[first : first + _BLOCK_PROTEINS]
            if not any(left[first : first + _BLOCK_PROTEINS]):
                yield from (self._zeros(len(sequence)) for sequence in block)
                continue
            readings = read_sites(self.model, block, self.sites)
            for sequence, rows in zip(block, readings, strict=True):
                if (found := rows[self.sites[0]].shape[0]) != len(sequence):
                    raise MismatchError(
                        f"{len(sequence)} rows, one a residue",
                        f"{found} of {self.model.info.name}",
                        "Report this to the model plugin's authors.",
                    )
                yield rows

    def _zeros(self, residues: int) -> Mapping[str, Tensor]:
        sites = zip(self.sites, self.widths, strict=True)
        return {site: torch.zeros(residues, width, dtype=self.dtype) for site, width in sites}
