"""Features, calls and annotations laid on a structure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from jaxtyping import Float
from numpy import ndarray

from bio_interp.annotations import AnnotationTable
from bio_interp.atlas._calls import SHORTEST
from bio_interp.atlas._feature_tables import read_feature
from bio_interp.errors import MismatchError
from bio_interp.render import concept_color
from bio_interp.sequences import Protein, as_proteins
from bio_interp.structures import (
    Layer,
    Scene,
    Structure,
    StructureView,
    Style,
    chain_proteins,
    map_or_refuse,
    open_structure,
)

if TYPE_CHECKING:
    from bio_interp.atlas._atlas import Atlas

Proteins = str | Path | Mapping[str, str] | Iterable[Protein]
"""As `bio_interp.sequences.as_proteins` takes them."""

# of features, in this order: told apart by eyes that see no red or no green, 3:1 on any paper
COLORS = ("#c2410c", "#1d6fb8", "#0f8a5f", "#9b4dca", "#a16207", "#c2347f", "#0e7f8f", "#5b6b1f")
_MOST_CONCEPTS = len(COLORS)


def view_features(
    atlas: Atlas,
    features: Iterable[int | str],
    structure: Structure | Path | str,
    *,
    proteins: Proteins | None = None,
    annotations: AnnotationTable | None = None,
    style: Style = "cartoon",
) -> StructureView:
    """Show on a structure where features fire.

    Parameters
    ----------
    atlas
        Its model reads the proteins.
    features
        Numbers or addresses; a legend tells them apart. Colour is full at the largest activation
        that the atlas has seen.
    structure
        As `bio_interp.structures.open_structure` takes it.
    proteins
        Those that the structure shows; the sequences of its own chains where not given, missing
        residues too.
    annotations
        What is known of `proteins`, beside the features: concepts that they are linked with, or
        where none of those is annotated here, all (eight at most).

    Raises
    ------
    MismatchError
        No chain is one of the proteins, or nothing is annotated on those.
    StructureError, NotFoundError, NotCachedError
        The structure, or a feature, is not there.
    """
    shown = [read_feature(atlas, feature) for feature in features]
    read = open_structure(structure)
    given = chain_proteins(read) if proteins is None else tuple(as_proteins(proteins))
    found = map_or_refuse(read, given)
    mapped = tuple(protein for protein in given if protein.accession in found.accessions)
    names = {f.index: f.address for f in shown}
    layers, notes = feature_layers(atlas, mapped, names)
    title = f"{', '.join(names.values())} on {read.name}"
    scene = Scene(found, mapped, tuple(layers), title, (*notes, *_unsequenced(read)), style)
    view = StructureView([scene])
    if annotations is None:
        return view
    linked = {concept for f in shown for concept in f.links["concept"].to_list()}
    known = annotation_layers(annotations, mapped, linked)
    beside = replace(scene, layers=tuple(known), title=f"annotations on {read.name}", notes=())
    return view.beside(StructureView([beside]))


def feature_layers(
    atlas: Atlas, proteins: Sequence[Protein], names: Mapping[int, str]
) -> tuple[list[Layer], list[str]]:
    """Read proteins, and lay features along them; and note which fire nowhere.

    Parameters
    ----------
    names
        What the legend calls each feature.
    """
    maxima = atlas.sae.feature_maxima
    concepts = _concepts(atlas, names)
    layers: list[Layer] = []
    notes: list[str] = []
    for protein, codes in read_codes(atlas, proteins, list(names)):
        if codes is None:
            notes.append(f"{protein.accession} is too short to be read")
            continue
        for at, (feature, name) in enumerate(names.items()):
            layers.append(
                Layer(
                    protein.accession,
                    name,
                    codes[:, at],
                    float(maxima[feature]),
                    concepts[feature],
                    COLORS[at % len(COLORS)],
                )
            )
    for name in names.values():
        if all(layer.peak <= 0 for layer in layers if layer.label == name):
            notes.append(f"{name} fires nowhere here")
    return layers, notes


def read_codes(
    atlas: Atlas, proteins: Sequence[Protein], features: Sequence[int]
) -> Iterator[tuple[Protein, Float[ndarray, "residues features"] | None]]:
    """Read proteins, and give how some features fire along each; None where one is too short."""
    long = [protein.sequence for protein in proteins if len(protein) >= SHORTEST]
    readings = atlas.model.activations(long, [atlas.site]) if long else iter(())
    for protein in proteins:
        if len(protein) < SHORTEST:
            yield protein, None
            continue
        codes = atlas.encode(next(readings).rows[atlas.site])
        yield protein, codes[:, list(features)].toarray().astype(np.float64)


def annotation_layers(
    table: AnnotationTable, proteins: Sequence[Protein], linked: set[str]
) -> list[Layer]:
    """Lay annotations along proteins: 1 where annotated, 0 where looked for in vain, else NaN.

    Parameters
    ----------
    linked
        Concepts to show, where they are annotated on these proteins; else all, eight at most.

    Raises
    ------
    MismatchError
        Nothing is annotated on the proteins.
    """
    lengths = {protein.accession: len(protein) for protein in proteins}
    these = pl.col("accession").is_in(list(lengths))
    rows = table.rows.filter(these).to_dicts()
    looked = table.coverage.filter(these).to_dicts()
    here = list(dict.fromkeys(row["concept"] for row in rows))
    chosen = [c for c in here if c in linked] or here[:_MOST_CONCEPTS]
    if not chosen:
        raise MismatchError(
            f"annotations of {', '.join(lengths)}",
            f"{table!r} without any",
            "Give the proteins by the accessions that the annotations have.",
        )
    facts = {row["concept"]: row for row in table.concepts.iter_rows(named=True)}
    layers: list[Layer] = []
    for accession, length in lengths.items():
        for concept in chosen:
            fact = facts.get(concept, {"kind": "", "name": ""})
            own = [r for r in rows if (r["accession"], r["concept"]) == (accession, concept)]
            kinds = {(accession, fact["kind"]), (accession, concept)}
            seen = [r for r in looked if (r["accession"], r["kind"]) in kinds]
            values, color = _laid(length, own, seen), concept_color(concept)
            layers.append(Layer(accession, concept, values, 1.0, fact["name"], color))
    return layers


def _laid(
    length: int, own: Sequence[Mapping[str, Any]], looked: Sequence[Mapping[str, Any]]
) -> Float[ndarray, "residues"]:
    """Lay the rows of one concept, and where it was looked for, along one protein."""
    values = np.full(length, np.nan)
    spans = [(row, 0.0) for row in looked if row["state"] == "looked"]
    spans += [(row, np.nan) for row in looked if row["state"] == "unknown"]
    for row, value in [*spans, *((row, 1.0) for row in own)]:
        values[row["start"] - 1 : row["end"]] = value
    return values


def _concepts(atlas: Atlas, features: Iterable[int]) -> dict[int, str]:
    """Say what each feature stands for: its name, else the concepts whose calls it is part of."""
    named, found = atlas.feature_concepts(), {}
    names = dict(atlas.links.concepts.select("concept", "name").iter_rows())
    for feature in features:
        if (told := named.get(feature)) is not None:
            found[feature] = f"{told.name} ({told.concept})"
            continue
        calls = atlas.links.callers.filter(pl.col("feature") == feature)["concept"].sort()
        words = [f"{names.get(concept)} ({concept})" for concept in calls[:2]]
        more = ", ..." if len(calls) > 2 else ""
        found[feature] = f"in calls of {', '.join(words)}{more}" if words else ""
    return found


def _unsequenced(structure: Structure) -> list[str]:
    """Say where the model read less than the protein."""
    chains = [c.name for c in structure.chains if c.kind == "protein" and not c.has_sequence]
    if not chains:
        return []
    return [f"the file gives no full sequence of chains {', '.join(chains)}"]
