"""Turn sequences into the token numbers of a masked protein model."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from bio_interp.errors import MismatchError, SequenceError

_MASK = "<mask>"
_STANDS_FOR_MASK = "#"


class ResidueTokens:
    """The vocabulary of a model with one token a residue.

    ``<mask>`` in a sequence is one hidden residue. ``J`` (I or L) is read as ``X`` where the
    vocabulary has no ``J``, as in ESM-2's.

    Parameters
    ----------
    vocabulary
        Number of each token; it holds ``<cls>``, ``<eos>``, ``<mask>`` and one-letter residues.

    Examples
    --------
    >>> tokens = ResidueTokens({"<cls>": 0, "<eos>": 1, "<mask>": 2, "M": 3, "K": 4})
    >>> tokens.encode("MK<mask>").tolist()
    [3, 4, 2]
    """

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self.cls, self.eos = vocabulary["<cls>"], vocabulary["<eos>"]
        self.mask = vocabulary[_MASK]
        self._table = np.full(256, -1, dtype=np.int64)
        for token, number in vocabulary.items():
            if len(token) == 1:
                self._table[ord(token)] = number
        if "J" not in vocabulary and "X" in vocabulary:
            self._table[ord("J")] = vocabulary["X"]
        self._table[ord(_STANDS_FOR_MASK)] = self.mask

    def encode(
        self, sequence: str, *, masked: Sequence[int] = (), number: int = 0
    ) -> Int[ndarray, "residues"]:
        """Give one token a residue, without special tokens.

        Parameters
        ----------
        sequence
            Upper-case one-letter codes.
        masked
            0-based indices of residues to hide.
        number
            Place of the protein in the input from 0, for the error.

        Raises
        ------
        SequenceError
            The model has no token for a letter.
        MismatchError
            An index of `masked` lies outside the protein.
        """
        if _STANDS_FOR_MASK not in sequence:
            sequence = sequence.replace(_MASK, _STANDS_FOR_MASK)
            tokens = self._table[np.frombuffer(sequence.encode("latin-1", "replace"), np.uint8)]
        else:
            tokens = np.array([-1 if c == _STANDS_FOR_MASK else 0 for c in sequence])
        if (tokens < 0).any():
            index = int(np.argmax(tokens < 0))
            raise SequenceError(
                "upper-case one-letter codes of residues",
                f"{sequence[index]!r} at position {index + 1} of protein {number + 1}",
                "Correct or remove the letter; X is an unknown residue.",
            )
        if len(masked):
            tokens[_inside(masked, len(tokens), number)] = self.mask
        return tokens


def _inside(masked: Sequence[int], residues: int, number: int) -> Int[ndarray, "masked"]:
    index = np.asarray(masked, dtype=np.int64)
    outside = index[(index < 0) | (index >= residues)]
    if len(outside):
        raise MismatchError(
            f"0-based indices under {residues}, the residues of protein {number + 1}",
            str(int(outside[0])),
            "Mask residues that the protein has.",
        )
    return index
