"""A table of the features that variants change, the most changed first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import polars as pl
from jaxtyping import Int
from numpy import ndarray

from bio_interp.errors import InputError, NotFoundError
from bio_interp.sequences import Protein, as_proteins
from bio_interp.variants._changes import FeatureChanges, feature_changes
from bio_interp.variants._notation import Variant, as_variants

if TYPE_CHECKING:
    from bio_interp.atlas import Atlas
    from bio_interp.features import FeatureConcept

_LOG = logging.getLogger(__name__)
Ranking = Literal["relative", "total", "largest", "mutated"]
RANKINGS: tuple[Ranking, ...] = get_args(Ranking)
EFFECTS: dict[str, Any] = {
    "mutation": pl.String,
    "rank": pl.Int32,
    "feature": pl.String,
    "concept": pl.String,
    "name": pl.String,
    "link_type": pl.String,
    "at_mutated": pl.Float64,
    "largest": pl.Float64,
    "position": pl.Int32,
    "summed": pl.Float64,
    "total": pl.Float64,
    "relative": pl.Float64,
    "wild_type_peak": pl.Float64,
    "mutant_peak": pl.Float64,
}


def variant_effects(
    atlas: Atlas,
    protein: str | Path | Protein,
    mutations: str | Variant | Iterable[str | Variant],
    *,
    top: int | None = 20,
    rank: Ranking = "relative",
    progress: Callable[[int], None] | None = None,
) -> pl.DataFrame:
    """Find the features that mutations change.

    Parameters
    ----------
    atlas
        Best loaded with ``options=LoadOptions(precision="fp32")``.
    protein
        A sequence, a path of a file with one protein, or a `Protein`.
    mutations
        Texts as `parse_variant` reads them, or variants; for a full scan
        ``all_substitutions(sequence)``.
    top
        So many features a variant; None is all that change.
    rank
        By what features are ranked: ``"relative"`` (sum along the protein of the sizes of the
        changes, over the feature's maximum), ``"total"`` (the same, not over the maximum),
        ``"largest"`` or ``"mutated"`` (size of the largest change, of that at the mutated
        residue).
    progress
        Called with the number of variants that are done.

    Returns
    -------
    DataFrame
        Columns of `EFFECTS`, variants in their order and in each the features by rank; see
        `FeatureChanges`. ``concept``, ``name`` and ``link_type`` are those of
        `Atlas.feature_concepts`, null for a feature without a name.

    Raises
    ------
    InputError
        More proteins than one, or what is no notation of substitutions.
    MismatchError
        A wild-type residue that the protein does not have.

    Examples
    --------
    >>> from bio_interp import load_atlas
    >>> table = variant_effects(load_atlas("reference"), "MKTAYIAKQRQISFVKSHFS", "p.Ala4Pro", top=3)
    >>> table.shape, table["mutation"][0]
    ((3, 14), 'A4P')
    """
    if rank not in RANKINGS:
        raise InputError(f"a ranking ({', '.join(RANKINGS)})", repr(rank), "Choose one of them.")
    if top is not None and top < 1:
        raise InputError("one feature a variant or more", f"top={top}", "Give a larger number.")
    one = one_protein(protein)
    variants = as_variants(mutations, one.sequence)
    named = atlas.feature_concepts()
    columns: dict[str, list[Any]] = {name: [] for name in EFFECTS}
    found = without_noise(feature_changes(atlas, one, [Variant(), *variants], progress=progress))
    for changes in found:
        order = ranked(changes, rank)[:top]
        _extend(columns, changes, order, atlas.name, named)
    return pl.DataFrame(columns, schema=EFFECTS)


def one_protein(given: str | Path | Protein, accession: str | None = None) -> Protein:
    """Take the one protein that is given, or that of this accession.

    Raises
    ------
    InputError
        There are several, and no accession is given.
    NotFoundError
        None has the accession.

    Examples
    --------
    >>> len(one_protein("MKTAYIAKQR"))
    10
    """
    count, chosen = 0, None
    for protein in as_proteins(given):
        count += 1
        if accession is None and count > 1:
            raise InputError(
                "one protein", f"several in {given}", "Choose one by its accession (--accession)."
            )
        if accession in (None, protein.accession):
            chosen = protein
            if accession is not None:
                break
    if chosen is None:
        raise NotFoundError(
            f"a protein of {given}",
            f"{accession!r}, which is none of its {count} accessions",
            "Check the accession; capitals matter.",
        )
    return chosen


def without_noise(found: Iterator[FeatureChanges]) -> Iterator[FeatureChanges]:
    """Leave out the wild type, which is first; say how much it differs from itself."""
    noise = next(found).relative.sum()
    if noise > 0:
        _LOG.info(
            "read twice, the wild type differs from itself by %.2g (sum of relative changes); "
            "precision fp32 makes this smallest",
            noise,
        )
    yield from found


def ranked(changes: FeatureChanges, rank: Ranking) -> Int[ndarray, "features"]:
    """Order the entries of `changes` by rank, equals by feature."""
    measure = {
        "relative": changes.relative,
        "total": changes.total,
        "largest": np.abs(changes.largest),
        "mutated": np.abs(changes.at_mutated),
    }[rank]
    return np.argsort(-measure, kind="stable")


def _extend(
    columns: dict[str, list[Any]],
    changes: FeatureChanges,
    order: Int[ndarray, "top"],
    atlas: str,
    named: dict[int, FeatureConcept],
) -> None:
    features: Sequence[int] = changes.features[order].tolist()
    concepts = [named.get(feature) for feature in features]
    columns["mutation"] += [str(changes.variant)] * len(features)
    columns["rank"] += range(1, len(features) + 1)
    columns["feature"] += [f"{atlas}/f{feature}" for feature in features]
    for name in ("concept", "name", "link_type"):
        columns[name] += [concept and getattr(concept, name) for concept in concepts]
    columns["position"] += changes.positions[order].tolist()
    for name in ("at_mutated", "largest", "summed", "total", "relative"):
        columns[name] += getattr(changes, name)[order].tolist()
    for name in ("wild_type_peak", "mutant_peak"):
        columns[name] += getattr(changes, name)[order].tolist()
