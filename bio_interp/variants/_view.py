"""Wild type and mutant side by side on a structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bio_interp.atlas import feature_layers
from bio_interp.sequences import Protein
from bio_interp.structures import (
    Place,
    Scene,
    Structure,
    StructureView,
    Style,
    map_or_refuse,
    open_structure,
)
from bio_interp.variants._changes import FeatureChanges, feature_changes
from bio_interp.variants._notation import Variant, parse_variant

if TYPE_CHECKING:
    from bio_interp.atlas import Atlas

_MOST = 3  # features that are shown where none is asked for


def view_variant(
    atlas: Atlas,
    protein: Protein,
    variant: Variant | FeatureChanges | str,
    structure: Structure | Path | str,
    *,
    features: Sequence[int] | None = None,
    style: Style = "cartoon",
) -> StructureView:
    """Show how features fire in a wild type and in its mutant, side by side on one structure.

    The colours mean the same on both sides. The structure is that of the wild type: a model of
    proteins says nothing of where the mutant's atoms go.

    Parameters
    ----------
    atlas
        Its model reads both.
    protein
        The wild type.
    variant
        Such as ``"A42G"``; or what `feature_changes` found. Mutated residues are pointed out.
    structure
        As `bio_interp.structures.open_structure` takes it.
    features
        Features to show; the three of largest relative change where not given.

    Raises
    ------
    MismatchError
        The structure is of another protein, or the variant has another wild-type residue.
    """
    found = map_or_refuse(open_structure(structure), [protein])
    changes = variant if isinstance(variant, FeatureChanges) else None
    if isinstance(variant, str):
        variant = parse_variant(variant, protein.sequence)
    change = changes.variant if changes else variant
    assert isinstance(change, Variant)
    chosen: list[int] = list(features or ())
    if features is None:
        changes = changes or next(feature_changes(atlas, protein, [change]))
        chosen = changes.features[np.argsort(-changes.relative, kind="stable")][:_MOST].tolist()
    names = {feature: f"{atlas.name}/f{feature}" for feature in chosen}
    marked = tuple(Place(protein.accession, index + 1) for index in change.indices)
    name = found.structure.name
    mutant = replace(protein, sequence=change.apply(protein.sequence))
    scenes: list[Scene] = []
    for one, title in ((protein, f"wild type on {name}"), (mutant, f"{change} on {name}")):
        layers, notes = feature_layers(atlas, [one], names)
        notes += [] if names else ["no feature changes"]
        told = tuple(f"{title}: {note}" for note in notes)
        scenes.append(Scene(found, (one,), tuple(layers), title, told, style, marked))
    return StructureView(scenes)
