"""What a view of a structure shows: values along proteins, laid onto the residues of chains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.errors import InputError, MismatchError
from bio_interp.render import concept_color
from bio_interp.sequences import Protein
from bio_interp.structures._structure import Chain, Ligand, Structure
from bio_interp.structures._structure_map import Place, StructureMap

Style = Literal["cartoon", "surface", "sticks"]
"""How residues are drawn; ``sticks`` adds the side chains of the residues with the most."""

LARGEST_SCENE = 60_000
"""Atoms that a view carries; what is beyond is left out, and the view says so."""

_FEW = 5  # differences of a chain that a note names


@dataclass(frozen=True, eq=False)
class Layer:
    """Values along one protein, drawn in one colour.

    Attributes
    ----------
    accession
        The protein.
    label
        What the legend calls it, such as ``unirep/f1234``. Layers of one label are one entry.
    values
        Index 0 is position 1. Zero and less is pale; NaN, where nothing is known, grey.
    maximum
        Where the colour is full; the largest value where it is smaller than that.
    concept
        What it stands for, in words; ``""`` where nothing is known.
    color
        ``#rrggbb``; by the label where not given.
    """

    accession: str
    label: str
    values: Float[ndarray, "residues"]
    maximum: float = 0.0
    concept: str = ""
    color: str = ""

    @property
    def full(self) -> float:
        """Value at which the colour is full, above 0."""
        return max(self.maximum, self.peak) or 1.0

    @property
    def peak(self) -> float:
        """Largest value; 0 where none is above."""
        return max(float(np.nanmax(self.values, initial=0.0)), 0.0)

    @property
    def shown_color(self) -> str:
        """Colour of the largest values, as ``#rrggbb``."""
        return self.color or concept_color(self.label)


@dataclass(frozen=True, eq=False)
class Scene:
    """One structure with values on it.

    Attributes
    ----------
    found
        The structure, and where its residues lie in the proteins.
    proteins
        Those proteins, with their sequences.
    layers
        Values along them.
    title
        A line above the structure; the structure's name where not given.
    notes
        What the reader should know, a line each.
    style
        How it is drawn at first.
    marked
        Places to point out, such as mutations: their side chains are drawn.

    Raises
    ------
    MismatchError
        A layer belongs to none of the proteins, or has another length.
    InputError
        A value is infinite.
    """

    found: StructureMap
    proteins: tuple[Protein, ...]
    layers: tuple[Layer, ...]
    title: str = ""
    notes: tuple[str, ...] = ()
    style: Style = "cartoon"
    marked: tuple[Place, ...] = ()

    def __post_init__(self) -> None:
        lengths = {protein.accession: len(protein) for protein in self.proteins}
        for layer in self.layers:
            if layer.values.shape != (lengths.get(layer.accession),):
                raise MismatchError(
                    f"a value for each residue of one of {lengths}",
                    f"{layer.values.shape} values for {layer.accession!r} in {layer.label!r}",
                    "Give one value a residue, in the order of the sequence.",
                )
            if np.isinf(layer.values).any() or not np.isfinite(layer.maximum):
                raise InputError(
                    "finite values, and NaN where nothing is known",
                    f"an infinite one in {layer.label!r}",
                    "Cut it off, or write NaN.",
                )


@runtime_checkable
class StructureViewer(Protocol):
    """A plugin that draws scenes (``bio_interp.views``)."""

    api_version: int

    def page(self, scenes: Sequence[Scene]) -> str:
        """Write one HTML page that shows scenes side by side and needs no network.

        Nothing that a file says (names, titles) may act as markup or script in it.

        Raises
        ------
        NotCachedError
            What the page needs is not on this machine; the message has the command that gets it.
        """
        ...

    def picture(self, scenes: Sequence[Scene], *, size: tuple[int, int]) -> bytes:
        """Draw what `page` shows at first as a PNG, of so many pixels in width and height.

        Raises
        ------
        NotCachedError
            As `page`.
        MissingExtraError
            A program that it needs, such as a browser, is not installed.
        """
        ...


def drawn_parts(scene: Scene) -> tuple[list[Chain], list[Ligand]]:
    """Choose what of the first model is drawn: mapped chains first, then others, then ligands.

    Returns
    -------
    tuple
        Chains and ligands (no waters), in the order of the file, so many that the view has
        `LARGEST_SCENE` atoms at most.
    """
    structure = scene.found.structure
    mapped = {m.label for m in scene.found.maps}
    chains = sorted(structure.chains, key=lambda chain: chain.label not in mapped)
    kept: set[str] = set()
    room = LARGEST_SCENE
    for chain in chains:
        # the first is drawn however large it is: a view of nothing helps nobody
        if len(chain.atoms.index) <= room or not kept:
            kept.add(chain.label)
            room -= len(chain.atoms.index)
    shown: list[Ligand] = []
    for ligand in _molecules(structure):
        if len(ligand.coordinates) <= room:
            shown.append(ligand)
            room -= len(ligand.coordinates)
    return [chain for chain in structure.chains if chain.label in kept], shown


def scene_notes(scene: Scene) -> list[str]:
    """Say what the reader of a view should know: its own notes, what is grey, what is left out."""
    structure, notes = scene.found.structure, list(scene.notes)
    if scene.found.refused:
        names = ", ".join(protein.accession for protein in scene.proteins)
        notes.append(f"grey chains that are none of {names}: {', '.join(scene.found.refused)}")
    for mapped in scene.found.maps:
        other = [d for d in mapped.differences if d.position is not None and d.expected]
        if other:
            words = ", ".join(f"{d.expected}{d.position}{d.letter or '-'}" for d in other[:_FEW])
            more = ", ..." if len(other) > _FEW else ""
            notes.append(f"chain {mapped.chain} differs from {mapped.accession} at {words}{more}")
    if len(structure.models) > 1:
        notes.append(f"{len(structure.models)} models; the first is shown")
    chains, ligands = drawn_parts(scene)
    all_chains, all_ligands = len(structure.chains), len(_molecules(structure))
    if len(chains) < all_chains or len(ligands) < all_ligands:
        notes.append(
            f"a view carries {LARGEST_SCENE:,} atoms at most: {all_chains - len(chains)} of "
            f"{all_chains} chains and {all_ligands - len(ligands)} of {all_ligands} ligands are "
            "left out"
        )
    return notes


def _molecules(structure: Structure) -> list[Ligand]:
    return [ligand for ligand in structure.ligands if ligand.kind != "water"]
