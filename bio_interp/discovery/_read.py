"""Proteins through the model and the SAE: what contrasts are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.sequences import Protein

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix, csr_matrix
    from torch import Tensor

    from bio_interp.atlas import Atlas

GivenProteins = str | Path | Mapping[str, str] | Iterable[Protein]
"""As `bio_interp.sequences.as_proteins` takes them."""

Tick = Callable[[int], None]
"""Is told how many proteins have been read."""

SAMPLED = 50  # residues of each label and protein whose activations are kept


@dataclass(frozen=True)
class Evidence:
    """Values to compare, by row.

    Attributes
    ----------
    codes
        Columns of the features, ``(rows, values * d_sae)``: one block for each of `values`.
    values
        What the blocks are: ``max`` and ``mean`` over a protein, or the ``activation``.
    neurons
        Activations of the model, ``(sampled, neurons)``; blocks as in `neuron_values`.
    neuron_values
        What its blocks are.
    dense
        What a dense probe reads, ``(sampled, d_model)``.
    kmers
        What a probe of k-mers reads, ``(sampled, kmers)``.
    plain
        What a probe of no more than length and composition (of residues: place and letter) reads.
    sampled
        Rows that the arrays behind `codes` have: all proteins; of residues, a sample.
    """

    codes: csc_matrix
    values: tuple[str, ...]
    neurons: Float[ndarray, "sampled neurons"]
    neuron_values: tuple[str, ...]
    dense: Float[ndarray, "sampled d_model"]
    kmers: Float[ndarray, "sampled kmers"]
    plain: Float[ndarray, "sampled plain"]
    sampled: Int[ndarray, "sampled"]


def read_whole(atlas: Atlas, proteins: Sequence[Protein], tick: Tick) -> Evidence:
    """Read proteins as a whole: a row each."""
    from scipy.sparse import csc_matrix, csr_matrix, hstack, vstack

    from bio_interp.discovery._kmers import kmer_shares
    from bio_interp.discovery._matching import covariates

    highest: list[csr_matrix] = []
    average: list[csr_matrix] = []
    dense: list[ndarray] = []
    for number, (codes, rows) in enumerate(_readings(atlas, proteins), 1):
        top: Any = codes.max(axis=0)
        highest.append(csr_matrix(top))
        average.append(csr_matrix(codes.mean(axis=0)))
        dense.append(np.stack([rows.mean(0), rows.max(0), -rows.min(0)]))
        tick(number)
    stacked = np.stack(dense)  # (proteins, 3, d_model)
    sequences = [p.sequence for p in proteins]
    return Evidence(
        codes=csc_matrix(hstack([vstack(highest), vstack(average)])),
        values=("max", "mean"),
        neurons=stacked.reshape(len(proteins), -1),
        neuron_values=("mean", "max", "-min"),
        dense=stacked[:, 0],
        kmers=kmer_shares(sequences),
        plain=covariates(sequences),
        sampled=np.arange(len(proteins)),
    )


def read_residues(
    atlas: Atlas,
    proteins: Sequence[Protein],
    inside: Sequence[Bool[ndarray, "residues"]],
    tick: Tick,
) -> Evidence:
    """Read proteins residue by residue: a row each; the dense ones of a sample only."""
    from scipy.sparse import csc_matrix, vstack

    from bio_interp.discovery._kmers import residue_windows

    rng = np.random.default_rng(0)
    parts: list[csr_matrix] = []
    dense: list[ndarray] = []
    plain: list[ndarray] = []
    windows: list[ndarray] = []
    sampled: list[ndarray] = []
    first = 0
    for number, (codes, rows) in enumerate(_readings(atlas, proteins), 1):
        protein, labels = proteins[number - 1], inside[number - 1]
        at = _sample(labels, rng)
        place, window = residue_windows(protein.sequence, at)
        parts.append(codes)
        dense.append(rows[at].astype(np.float16).astype(np.float32))
        plain.append(place)
        windows.append(window)
        sampled.append(first + at)
        first += len(protein)
        tick(number)
    activations = np.concatenate(dense)
    return Evidence(
        codes=csc_matrix(vstack(parts)),
        values=("activation",),
        neurons=activations,
        neuron_values=("activation",),
        dense=activations,
        kmers=np.concatenate(windows),
        plain=np.concatenate(plain),
        sampled=np.concatenate(sampled),
    )


def _readings(
    atlas: Atlas, proteins: Sequence[Protein]
) -> Iterator[tuple[csr_matrix, Float[ndarray, "residues d_model"]]]:
    """Give codes and activations of each protein, in order."""
    for reading in atlas.model.activations((p.sequence for p in proteins), [atlas.site]):
        rows: Tensor = reading.rows[atlas.site]
        yield atlas.encode(rows), rows.float().cpu().numpy()


def _sample(inside: Bool[ndarray, "residues"], rng: np.random.Generator) -> Int[ndarray, "some"]:
    """Draw up to `SAMPLED` residues inside, and as many outside."""
    drawn = [
        rng.choice(at, min(len(at), SAMPLED), replace=False)
        for at in (np.flatnonzero(inside), np.flatnonzero(~inside))
    ]
    return np.sort(np.concatenate(drawn))
