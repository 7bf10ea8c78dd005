"""Compare the codes of mutants with those of their wild type, one mutant at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.sequences import Protein
from bio_interp.variants._likelihood import causal_ratio, log_likelihood, read_with_logits
from bio_interp.variants._notation import Variant

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from torch import Tensor

    from bio_interp.atlas import Atlas

_ROUNDING = 2.0**-9  # of an activation: two steps of float16, in which codes are compared


@dataclass(frozen=True, eq=False)
class FeatureChanges:
    """The features that one variant changes.

    Attributes
    ----------
    variant
        The variant.
    features
        Features whose activation changes at some residue, ascending.
    at_mutated
        Change at the mutated residue; of several, the one of largest size.
    largest, positions
        Change of largest size along the protein, and its 1-based position.
    summed, total
        Sum along the protein of the changes, and of their sizes (L1).
    relative
        `total` over the largest activation that the atlas has seen of the feature; where it has
        seen none, over the larger of the two peaks.
    wild_type_peak, mutant_peak
        Largest activation in either protein.
    log_likelihood_ratio
        See `log_likelihood_ratios`; None where it needs a reading of its own.
    """

    variant: Variant
    features: Int[ndarray, "features"]
    at_mutated: Float[ndarray, "features"]
    largest: Float[ndarray, "features"]
    positions: Int[ndarray, "features"]
    summed: Float[ndarray, "features"]
    total: Float[ndarray, "features"]
    relative: Float[ndarray, "features"]
    wild_type_peak: Float[ndarray, "features"]
    mutant_peak: Float[ndarray, "features"]
    log_likelihood_ratio: float | None = None

    def __len__(self) -> int:
        return len(self.features)


def feature_changes(
    atlas: Atlas,
    protein: Protein,
    variants: Sequence[Variant],
    *,
    progress: Callable[[int], None] | None = None,
) -> Iterator[FeatureChanges]:
    """Compare every variant with the wild type, in order and in bounded memory.

    Activations are compared as float16, and changes of two of its steps or less are none. Before
    the first mutated residue a causal model has seen the same, and nothing is compared.

    Parameters
    ----------
    atlas
        Its model reads every mutant whole, in batches. Load it with ``precision="fp32"``: the
        faster formats make changes of their own (`Scan.noise`).
    protein
        The wild type.
    variants
        See `parse_variant`; the wild type is read again like any other.
    progress
        Called with the number of variants that are done.
    """
    sequence, causal = protein.sequence, atlas.model.info.objective == "causal"
    read = partial(read_with_logits, atlas.model, site=atlas.site)
    ((rows, logits),) = read([sequence])
    wild = atlas.encode(rows)
    wild_score = None if logits is None else log_likelihood(logits, sequence)
    compare = _Comparison(wild, _maxima(atlas))
    mutants = (variant.apply(sequence) for variant in variants)
    for done, (variant, (rows, logits)) in enumerate(zip(variants, read(mutants), strict=True), 1):
        start = min(variant.indices, default=0) if causal else 0
        ratio = _ratio(logits, wild_score, sequence, variant)
        yield compare.changes(variant, _after(wild, atlas.encode(rows[start:]), start), ratio)
        if progress:
            progress(done)


class _Comparison:
    """The wild type's codes and the scale of each feature."""

    def __init__(self, wild: csr_matrix, maxima: Float[ndarray, "d_sae"]) -> None:
        self._d_sae, self._maxima = len(maxima), maxima
        self._keys, self._values = _entries(wild)
        self._peaks = self._peaks_of(self._keys, self._values)

    def changes(self, variant: Variant, mutant: csr_matrix, ratio: float | None) -> FeatureChanges:
        """Compare one mutant, all of whose rows are given, with the wild type."""
        mutant_keys, mutant_values = _entries(mutant)
        keys = np.union1d(self._keys, mutant_keys)
        before, after = np.zeros((2, len(keys)))
        before[np.searchsorted(keys, self._keys)] = self._values
        after[np.searchsorted(keys, mutant_keys)] = mutant_values
        change = after - before
        kept = np.abs(change) > _ROUNDING * np.maximum(before, after)
        row, feature, change = *np.divmod(keys[kept], self._d_sae), change[kept]
        order = np.lexsort((row, feature))
        row, feature, change = row[order], feature[order], change[order]
        features, starts = np.unique(feature, return_index=True)
        size = np.abs(change)
        widest = _largest(feature, size)
        here = np.where(np.isin(row, variant.indices), size, 0.0)
        touched = _largest(feature, here)
        total = _sums(size, starts)
        peak, mutant_peak = (
            peaks[features] for peaks in (self._peaks, self._peaks_of(mutant_keys, mutant_values))
        )
        seen = self._maxima[features]
        return FeatureChanges(
            variant,
            features,
            np.where(here[touched] > 0, change[touched], 0.0),
            change[widest],
            row[widest] + 1,
            _sums(change, starts),
            total,
            total / np.where(seen > 0, seen, np.maximum(peak, mutant_peak)),
            peak,
            mutant_peak,
            ratio,
        )

    def _peaks_of(
        self, keys: Int[ndarray, "entries"], values: Float[ndarray, "entries"]
    ) -> Float[ndarray, "d_sae"]:
        peaks = np.zeros(self._d_sae)
        np.maximum.at(peaks, keys % self._d_sae, values)
        return peaks


def _entries(codes: csr_matrix) -> tuple[Int[ndarray, "entries"], Float[ndarray, "entries"]]:
    """Places in the flattened matrix, ascending, and values, of the entries above zero."""
    codes.sort_indices()
    width = int(codes.shape[1])  # pyright: ignore[reportOptionalSubscript]
    rows = np.repeat(np.arange(len(codes.indptr) - 1, dtype=np.int64), np.diff(codes.indptr))
    on = codes.data > 0
    return (rows * width + codes.indices)[on], codes.data[on].astype(np.float64)


def _largest(
    feature: Int[ndarray, "entries"], size: Float[ndarray, "entries"]
) -> Int[ndarray, "features"]:
    """Entry of largest size of each feature, the first of equals; `feature` ascends."""
    order = np.lexsort((-size, feature))
    return order[np.unique(feature[order], return_index=True)[1]]


def _sums(values: Float[ndarray, "entries"], starts: Int[ndarray, "features"]) -> ndarray:
    return np.add.reduceat(values, starts) if len(starts) else np.zeros(0)


def _after(wild: csr_matrix, changed: csr_matrix, start: int) -> csr_matrix:
    """Put the rows of a mutant behind those that it shares with the wild type."""
    from scipy.sparse import csr_matrix, vstack

    return csr_matrix(vstack([wild[:start], changed], format="csr")) if start else changed


def _ratio(
    logits: Tensor | None, wild: float | None, sequence: str, variant: Variant
) -> float | None:
    if logits is None or wild is None:
        return None
    return causal_ratio(log_likelihood(logits, variant.apply(sequence)), wild, variant)


def _maxima(atlas: Atlas) -> Float[ndarray, "d_sae"]:
    """Largest activation of each feature in the atlas's proteins, else in training."""
    path = atlas.folder / "features.parquet"
    if path.is_file():
        return pl.read_parquet(path).sort("feature")["maximum"].cast(pl.Float64).to_numpy()
    return atlas.sae.feature_maxima.double().cpu().numpy()
