"""A scene as data for the page: atoms as mmCIF, residues and layers as lists."""

import math
import re
from collections.abc import Sequence
from typing import Any

from bio_interp.structures import Chain, Ligand, Scene, drawn_parts, scene_notes

_SAFE = re.compile(r"[A-Za-z0-9+*'_-]+")  # names as atoms and chains of the PDB have them
_COLUMNS = (
    "group_PDB",
    "id",
    "type_symbol",
    "label_atom_id",
    "label_comp_id",
    "auth_asym_id",
    "auth_seq_id",
    "Cartn_x",
    "Cartn_y",
    "Cartn_z",
)

UNSURE = 70.0
"""pLDDT below which AlphaFold DB calls a residue low."""


def describe_scene(scene: Scene) -> dict[str, Any]:
    """Write a scene as values for JSON.

    Residues of the drawing are numbered through, so that authors' numbers of any kind (letters,
    jumps, backwards) leave a chain in one piece; what people call them is in ``residues``, a list
    a residue: chain, author's number, name, letter, protein (an index), position, whether it is a
    prediction with a low pLDDT, pLDDT, its number of atoms, whether it is marked.
    """
    chains, ligands = drawn_parts(scene)
    order = {protein.accession: i for i, protein in enumerate(scene.proteins)}
    model, residues = _draw(scene, order, chains, ligands)
    return {
        "title": scene.title or scene.found.structure.name,
        "notes": scene_notes(scene),
        "style": scene.style,
        "predicted": scene.found.structure.predicted,
        "model": model,
        "residues": residues,
        "proteins": [{"accession": p.accession, "sequence": p.sequence} for p in scene.proteins],
        "layers": [
            {
                "protein": order[layer.accession],
                "label": layer.label,
                "concept": layer.concept,
                "color": layer.shown_color,
                "full": layer.full,
                "values": [_number(value) for value in layer.values.tolist()],
            }
            for layer in scene.layers
        ],
    }


def _draw(
    scene: Scene, order: dict[str, int], chains: Sequence[Chain], ligands: Sequence[Ligand]
) -> tuple[str, list[list[Any]]]:
    """Write atoms as mmCIF, and the rows of their residues."""
    places = _places(scene, order)
    marked = {(order[p.accession], p.position) for p in scene.marked}
    predicted, scale = scene.found.structure.predicted, scene.found.structure.plddt_scale
    atoms: list[str] = []
    residues: list[list[Any]] = []
    number = 0
    for chain in chains:
        counts = _add_chain(atoms, chain, number)
        for index, residue in enumerate(chain.residues):
            if not counts[index]:
                continue
            place = places.get((chain.label, index), (None, None))
            plddt = _number(residue.b_factor * scale) if predicted else None
            author = "" if residue.author is None else f"{residue.author}{residue.insertion}"
            unsure = plddt is not None and plddt < UNSURE
            row = [chain.name, author, residue.name, residue.letter, *place, unsure, plddt]
            residues.append([*row, counts[index], place in marked])
        number += len(chain.residues) + 10  # a gap, so that no bond of the drawing leads over it
    for ligand in ligands:
        _add_ligand(atoms, ligand, number := number + 1)
    head = "".join(f"_atom_site.{column}\n" for column in _COLUMNS)
    return f"data_scene\nloop_\n{head}" + "\n".join(atoms) + "\n", residues


def _places(scene: Scene, order: dict[str, int]) -> dict[tuple[str, int], tuple[int, int]]:
    """Protein and position by label of the chain and index of the residue."""
    return {
        (mapped.label, index): (order[mapped.accession], position)
        for mapped in scene.found.maps
        if mapped.accession in order
        for index, position in enumerate(mapped.positions)
        if position is not None
    }


def _add_chain(rows: list[str], chain: Chain, number: int) -> list[int]:
    """Write the atoms of a chain; give how many each residue has."""
    counts = [0] * len(chain.residues)
    name = _safe(chain.name, "x")
    atoms = chain.atoms
    coordinates = atoms.coordinates.tolist()
    for atom, element, (x, y, z), index in zip(
        atoms.name, atoms.element, coordinates, atoms.index.tolist(), strict=True
    ):
        counts[index] += 1
        residue = chain.residues[index]
        kind = _safe(residue.parent, "UNK")
        row = f"{_quoted(_safe(atom, 'X'))} {kind} {name} {number + index + 1}"
        start = f"ATOM {len(rows) + 1} {_safe(element, 'X')} {row}"
        rows.append(f"{start} {x:.2f} {y:.2f} {z:.2f}")
    return counts


def _add_ligand(rows: list[str], ligand: Ligand, number: int) -> None:
    elements: Sequence[str] = ligand.element or ["C"] * len(ligand.coordinates)
    name, chain = _safe(ligand.name, "LIG"), _safe(ligand.id.chain, "x")
    for element, (x, y, z) in zip(elements, ligand.coordinates.tolist(), strict=True):
        symbol = _safe(element, "C")
        start = f"HETATM {len(rows) + 1} {symbol} {symbol} {name} {chain} {number}"
        rows.append(f"{start} {x:.2f} {y:.2f} {z:.2f}")


def _safe(text: str, otherwise: str) -> str:
    """Keep a name of few plain letters; another could end the line, or act as a word of mmCIF."""
    return text if len(text) <= 8 and _SAFE.fullmatch(text) else otherwise


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else text


def _number(value: float) -> float | None:
    """Four digits are more than a colour shows."""
    return float(f"{value:.4g}") if math.isfinite(value) else None
