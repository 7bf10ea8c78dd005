"""What a sequence shows without a model: shares of k-mers, and the letters around a residue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.discovery._matching import LETTERS

AROUND = 3  # residues to each side
_OTHER = len(LETTERS)  # any other letter, and what lies past an end


def kmer_shares(sequences: Sequence[str]) -> Float[ndarray, "proteins 420"]:
    """Give the shares of the 20 amino acids and of their 400 pairs in each sequence.

    Examples
    --------
    >>> shares = kmer_shares(["AAC"])[0]
    >>> [f"{shares[at]:.2f}" for at in (0, 1, 20, 21)]  # A, C, AA, AC
    ['0.67', '0.33', '0.50', '0.50']
    """
    size = len(LETTERS)
    table = np.zeros((len(sequences), size + size * size), dtype=np.float32)
    for row, sequence in zip(table, sequences, strict=True):
        codes = _codes(sequence)
        first, second = codes[:-1], codes[1:]
        whole = (first != _OTHER) & (second != _OTHER)
        pairs = first[whole] * size + second[whole]
        row[:size] = np.bincount(codes, minlength=size + 1)[:size] / max(len(codes), 1)
        row[size:] = np.bincount(pairs, minlength=size * size) / max(len(codes) - 1, 1)
    return table


def residue_windows(
    sequence: str, at: Int[ndarray, "some"]
) -> tuple[Float[ndarray, "some plain"], Float[ndarray, "some window"]]:
    """Give the place and letter of residues (0-based), and the letters and pairs around them.

    Place is the share of the protein passed, and the logarithms of the distances to both ends. A
    window is the letters from three before to three after, and the shares of letters in it.
    """
    codes = np.pad(_codes(sequence), AROUND, constant_values=_OTHER)
    letters = codes[at[:, None] + np.arange(2 * AROUND + 1)]  # (some, window)
    one_hot = np.eye(_OTHER + 1, dtype=np.float32)[letters]  # (some, window, letters)
    length = len(sequence)
    place = np.stack([at / length, np.log1p(at), np.log1p(length - 1 - at)], axis=1)
    own = one_hot[:, AROUND]
    window = np.hstack([one_hot.reshape(len(at), -1), one_hot.mean(1)])
    return np.hstack([place, own]).astype(np.float32), window


def _codes(sequence: str) -> Int[ndarray, "residues"]:
    table = np.full(128, _OTHER)
    table[[ord(letter) for letter in LETTERS]] = np.arange(_OTHER)
    return table[np.frombuffer(sequence.encode(), np.uint8)]
