"""Features of the bare sequence: residues, and the words that hold a residue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
WORDS = 3  # of up to so many letters
SIZE = sum(len(LETTERS) ** n for n in range(1, WORDS + 1))


def kmer_codes(sequence: str) -> csr_matrix:
    """Mark, at each residue, its letter and the words of two and three letters that hold it.

    Returns
    -------
    csr_matrix
        ``(residues, 8420)``, 1 where on: 20 letters (one-hot), 400 words of two, 8,000 of three.
        A word with another letter than the 20 is no feature.

    Examples
    --------
    >>> kmer_codes("ACA").sum(axis=1).ravel().tolist()
    [[3.0, 4.0, 3.0]]
    """
    from scipy.sparse import csr_matrix

    letter = np.array([LETTERS.find(a) for a in sequence], dtype=np.int64)
    rows, columns, first = list[np.ndarray](), list[np.ndarray](), 0
    for size in range(1, min(WORDS, len(letter)) + 1):
        windows = np.lib.stride_tricks.sliding_window_view(letter, size)
        word = windows @ (len(LETTERS) ** np.arange(size)[::-1])
        whole = np.flatnonzero((windows >= 0).all(axis=1))
        for offset in range(size):
            rows.append(whole + offset)
            columns.append(first + word[whole])
        first += len(LETTERS) ** size
    at = (np.concatenate(rows), np.concatenate(columns))
    codes = csr_matrix((np.ones(len(at[0]), np.float32), at), shape=(len(letter), SIZE))
    codes.data[:] = 1.0  # a word that holds a residue twice, as AA in AAA, is on once
    return codes
