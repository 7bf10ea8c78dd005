"""Every substitution of a protein: how much it changes, what most, and how likely it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from bio_interp.sequences import Protein
from bio_interp.variants._changes import FeatureChanges, feature_changes
from bio_interp.variants._effects import one_protein, ranked
from bio_interp.variants._likelihood import log_likelihood_ratios
from bio_interp.variants._notation import Variant, all_substitutions, as_variants

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from bio_interp.atlas import Atlas
    from bio_interp.features import FeatureConcept

SCAN: dict[str, Any] = {
    "mutation": pl.String,
    "position": pl.Int32,
    "wild_type": pl.String,
    "mutant": pl.String,
    "changed": pl.Int32,
    "relative": pl.Float64,
    "log_likelihood_ratio": pl.Float64,
    "feature": pl.String,
    "feature_relative": pl.Float64,
    "named_feature": pl.String,
    "named_relative": pl.Float64,
    "concept": pl.String,
    "name": pl.String,
    "link_type": pl.String,
}


@dataclass(frozen=True, eq=False)
class Scan:
    """What variants of a protein do, a row each.

    Attributes
    ----------
    protein
        The wild type.
    table
        Columns of `SCAN`: ``position``, ``wild_type`` and ``mutant`` (null for several
        substitutions), ``changed`` features, the sum of their ``relative`` changes,
        ``log_likelihood_ratio`` (see `log_likelihood_ratios`; null where there is none), the
        ``feature`` that changes most, and the one with a name that does, with its concept.
    changes
        Relative change of the most changed features, ``(variants, d_sae)``; see `scan`.
    noise
        Sum of relative changes of the wild type read again: changes that are not much more mean
        nothing. 0 or nearly so in fp32.
    """

    protein: Protein
    table: pl.DataFrame
    changes: csr_matrix
    noise: float

    def __repr__(self) -> str:
        return f"Scan({self.protein.accession!r}, {self.table.height} variants)"


def scan(
    atlas: Atlas,
    protein: str | Path | Protein,
    mutations: str | Variant | Iterable[str | Variant] | None = None,
    *,
    keep: int | None = 100,
    progress: Callable[[int], None] | None = None,
) -> Scan:
    """Summarise variants: all single substitutions, or those given.

    Time is that of reading every mutant whole: 19 times the square of the length in residues for
    a full scan. Memory holds a batch of the model, and `keep` numbers a variant.

    Parameters
    ----------
    atlas, protein, progress
        See `variant_effects`.
    mutations
        Texts or variants; None is every single substitution by one of the 20 amino acids.
    keep
        So many features a variant, those of largest relative change, in ``changes``; None is all.

    Examples
    --------
    >>> from bio_interp import load_atlas
    >>> found = scan(load_atlas("reference"), "MKTAYIAKQRQIS", ["K2R", "A4P"])
    >>> found.table["mutation"].to_list(), found.changes.shape
    (['K2R', 'A4P'], (2, 1024))
    """
    one = one_protein(protein)
    given = all_substitutions(one.sequence) if mutations is None else mutations
    variants, named = as_variants(given, one.sequence), atlas.feature_concepts()
    rows: list[tuple[Any, ...]] = []
    kept = _Kept(keep)
    found = feature_changes(atlas, one, [Variant(), *variants], progress=progress)
    noise = float(next(found).relative.sum())
    for changes in found:
        rows.append(_row(changes, atlas.name, named))
        kept.add(changes)
    table = pl.DataFrame(rows, schema=SCAN, orient="row")
    if variants and table["log_likelihood_ratio"].null_count() == table.height:
        scores = log_likelihood_ratios(atlas.model, one.sequence, variants)
        table = table.with_columns(log_likelihood_ratio=pl.Series(scores, dtype=pl.Float64))
    table = table.with_columns(pl.col("log_likelihood_ratio").fill_nan(None))
    return Scan(one, table, kept.matrix(atlas.sae.config.d_sae), noise)


class _Kept:
    """Rows of a sparse matrix that grow with what is kept of each variant."""

    def __init__(self, keep: int | None) -> None:
        self._keep = keep
        self._features: list[np.ndarray] = [np.zeros(0, np.int32)]
        self._values: list[np.ndarray] = [np.zeros(0, np.float32)]

    def add(self, changes: FeatureChanges) -> None:
        """Keep the most changed features, in the order of their numbers."""
        most = np.sort(ranked(changes, "relative")[: self._keep])
        self._features.append(changes.features[most].astype(np.int32))
        self._values.append(changes.relative[most].astype(np.float32))

    def matrix(self, d_sae: int) -> csr_matrix:
        """Put the rows together."""
        from scipy.sparse import csr_matrix

        indptr = np.cumsum([len(row) for row in self._features])
        parts = (np.concatenate(self._values), np.concatenate(self._features), indptr)
        return csr_matrix(parts, shape=(len(indptr) - 1, d_sae))


def _row(changes: FeatureChanges, atlas: str, named: dict[int, FeatureConcept]) -> tuple[Any, ...]:
    mutations = changes.variant.mutations
    places = [(m.position, m.wild_type, m.mutant) for m in mutations]
    order = ranked(changes, "relative")
    most: Sequence[int] = changes.features[order].tolist()
    sizes: Sequence[float] = changes.relative[order].tolist()
    first = next(iter(zip(most, sizes, strict=True)), None)
    known = next((pair for pair in zip(most, sizes, strict=True) if pair[0] in named), None)
    concept = named[known[0]] if known else None
    return (
        str(changes.variant),
        *(places[0] if len(places) == 1 else (None,) * 3),
        len(changes),
        float(changes.relative.sum()),
        changes.log_likelihood_ratio,
        *((f"{atlas}/f{first[0]}", first[1]) if first else (None, None)),
        *((f"{atlas}/f{known[0]}", known[1]) if known else (None, None)),
        *((concept.concept, concept.name, concept.link_type) if concept else (None,) * 3),
    )
