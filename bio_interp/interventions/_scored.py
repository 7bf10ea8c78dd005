"""Which residues a model is asked for, and what it said of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from bio_interp.errors import InputError, SequenceError
from bio_interp.models import ModelInfo

_COLUMN = np.full(256, -1, dtype=np.int64)  # of the logits, by letter
_COLUMN[np.frombuffer(b"ACDEFGHIKLMNPQRSTVWY", np.uint8)] = np.arange(20)


@dataclass(frozen=True, slots=True)
class Scored:
    """The residues of one protein whose loss counts.

    Attributes
    ----------
    sequence
        The protein.
    rows
        0-based indices of the residues, ascending.
    columns
        Column of the logits that each of them is.
    """

    sequence: str
    rows: Int[ndarray, "scored"]
    columns: Int[ndarray, "scored"]


def choose_residues(sequence: str, info: ModelInfo, *, mask_share: float, seed: int) -> Scored:
    """Choose residues among the 20 amino acids.

    Of a masked model a share, drawn from the seed and the sequence alone, and one at least. Of a
    causal model all but the first, whose guess comes before any row.

    Raises
    ------
    SequenceError
        The sequence has a mask token in it.
    """
    if "<" in sequence:
        raise SequenceError(
            "plain sequences, one letter a residue",
            sequence[sequence.index("<") :][:20],
            "Leave tokens out; the masks are put in here.",
        )
    letters = np.frombuffer(sequence.encode("latin-1", "replace"), np.uint8)
    columns = _COLUMN[letters]
    rows = np.flatnonzero(columns >= 0)
    if info.objective == "causal":
        rows = rows[rows > 0]
    elif len(rows):
        random = np.random.default_rng([seed, crc32(letters.tobytes())])
        count = max(1, round(mask_share * len(rows)))
        rows = np.sort(random.choice(rows, count, replace=False))
    return Scored(sequence, rows, columns[rows])


def check_share(mask_share: float) -> None:
    """Refuse a share of masked residues that is none."""
    if not 0 < mask_share <= 1:
        raise InputError("a mask_share above 0 and up to 1", str(mask_share), "Use 0.15.")


def log_probabilities(
    logits: Iterable[Tensor], proteins: Sequence[Scored]
) -> Iterator[Float[ndarray, "scored 20"]]:
    """Give the log-probabilities of the 20 amino acids at the residues that count, in float64."""
    for found, protein in zip(logits, proteins, strict=True):
        scores = found.detach().float().cpu().double()[protein.rows]
        yield scores.log_softmax(dim=1).numpy()
