"""Calls of proteins, and the features behind them, laid on a structure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.atlas._calls import ProteinResult
from bio_interp.atlas._view import COLORS, Proteins
from bio_interp.errors import MismatchError
from bio_interp.render import concept_color
from bio_interp.sequences import Protein, as_proteins
from bio_interp.structures import (
    Layer,
    Scene,
    Structure,
    StructureMap,
    StructureView,
    Style,
    find_structure,
    map_or_refuse,
    open_structure,
)

if TYPE_CHECKING:
    from bio_interp.atlas._atlas import Atlas

_MOST = 12  # features of a view; more are no longer told apart


def view_result(
    result: ProteinResult,
    structure: Structure | Path | str | None = None,
    *,
    style: Style = "cartoon",
) -> StructureView:
    """Show on a structure how the features behind the calls of a protein fire.

    Parameters
    ----------
    result
        Of ``Atlas.annotate(..., activations=True)``; without activations the called residues are
        shown, in the colour that the concept has in reports.
    structure
        As `bio_interp.structures.open_structure` takes it; where not given, the best one of the
        accession that is on this machine.

    Raises
    ------
    MismatchError
        The structure is of another protein, or the result has no sequence.
    NotFoundError
        No structure of the accession is here.
    """
    if structure is None:
        structure = find_structure(result.protein.accession)
    return view_results([result], structure, style=style)


def view_calls(
    atlas: Atlas,
    proteins: Proteins,
    structure: Structure | Path | str,
    *,
    min_precision: float = 0.8,
    style: Style = "cartoon",
) -> StructureView:
    """Annotate the proteins that a structure shows, and show the features behind the calls.

    Parameters
    ----------
    proteins
        Those that the structure does not show are not read.
    structure
        As `bio_interp.structures.open_structure` takes it.
    min_precision
        Calls whose lower bound of precision is at least this.

    Raises
    ------
    MismatchError
        No chain is one of the proteins.
    """
    read, given = open_structure(structure), list(as_proteins(proteins))
    found = map_or_refuse(read, given)
    mapped = [protein for protein in given if protein.accession in found.accessions]
    results = list(atlas.annotate(mapped, min_precision=min_precision, activations=True))
    return _shown(results, found, atlas, style)


def view_results(
    results: Iterable[ProteinResult],
    structure: Structure | Path | str,
    *,
    atlas: Atlas | None = None,
    style: Style = "cartoon",
) -> StructureView:
    """Show on one structure what was found in several proteins; see `view_result`.

    Parameters
    ----------
    atlas
        For the addresses of the features and the largest activations that it has seen of them;
        without, colours are full at the largest activation here.

    Raises
    ------
    MismatchError
        The structure shows none of the proteins, or a result has no sequence.
    """
    taken = list(results)
    bare = [result.protein.accession for result in taken if not result.sequence]
    if bare:
        raise MismatchError("results with a sequence", f"{bare[0]} without", "Annotate it anew.")
    proteins = [Protein(result.protein.accession, result.sequence) for result in taken]
    found = map_or_refuse(open_structure(structure), proteins)
    kept = [result for result in taken if result.protein.accession in found.accessions]
    return _shown(kept, found, atlas, style)


def result_layers(results: Sequence[ProteinResult], atlas: Atlas | None = None) -> list[Layer]:
    """Lay the features behind calls along their proteins, the strongest twelve of all.

    Proteins whose result has no activations get their called residues instead. See `view_results`
    for `atlas`.
    """
    prefix = f"{atlas.name}/" if atlas else ""
    peaks: dict[int, float] = {}
    for result in results:
        for call in result.calls:
            for feature in call.features if result.activations else ():
                peaks[feature] = max(peaks.get(feature, 0.0), call.peak)
    ranked = sorted(peaks, key=lambda feature: -peaks[feature])[:_MOST]
    colors = {feature: COLORS[at % len(COLORS)] for at, feature in enumerate(ranked)}
    maxima = {f: float(atlas.sae.feature_maxima[f]) if atlas else peaks[f] for f in ranked}
    layers: list[Layer] = []
    for result in results:
        if not result.activations:
            layers += _called(result)
            continue
        for feature, color in colors.items():
            values = result.activations.get(feature)
            if values is None:  # behind no call here; how it fires is not known
                values = np.full(len(result.sequence), np.nan)
            names = [f"{c.name} ({c.concept})" for c in result.calls if feature in c.features]
            concept = ", ".join(dict.fromkeys(names))
            accession, label = result.protein.accession, f"{prefix}f{feature}"
            row = values.astype(np.float64)
            layers.append(Layer(accession, label, row, maxima[feature], concept, color))
    return layers


def _called(result: ProteinResult) -> list[Layer]:
    spans: dict[tuple[str, str], Float[ndarray, "residues"]] = {}
    for call in result.calls:
        key = (call.concept, f"{call.name} ({call.concept})")
        values = spans.setdefault(key, np.zeros(len(result.sequence)))
        values[call.start - 1 : call.end] = 1.0
    accession = result.protein.accession
    return [
        Layer(accession, "called residues", values, 1.0, name, concept_color(concept))
        for (concept, name), values in spans.items()
    ]


def _shown(
    results: Sequence[ProteinResult], found: StructureMap, atlas: Atlas | None, style: Style
) -> StructureView:
    notes = [f"{r.protein.accession}: {r.protein.note}" for r in results if r.protein.note]
    notes += [f"{r.protein.accession} has no call" for r in results if not r.calls]
    layers = result_layers(results, atlas)
    features = {f for r in results if r.activations for c in r.calls for f in c.features}
    if len(features) > _MOST:
        notes.append(f"the strongest {_MOST} of {len(features)} features behind the calls")
    proteins = tuple(Protein(r.protein.accession, r.sequence) for r in results)
    names = ", ".join(protein.accession for protein in proteins)
    title = f"{names} on {found.structure.name}"
    return StructureView([Scene(found, proteins, tuple(layers), title, tuple(notes), style)])
