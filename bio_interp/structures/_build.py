"""From gemmi's structure to ours: one conformer, whole sequences, ligands apart."""

import math
from collections.abc import Sequence
from itertools import groupby

import gemmi
import numpy as np

from bio_interp.structures._components import chain_kind, component
from bio_interp.structures._structure import (
    Atoms,
    Chain,
    Ligand,
    LigandKind,
    Model,
    Residue,
    ResidueId,
)

_LONGEST = 200_000  # residues of a sequence that labels may claim; titin has 35,000
_REPRESENTATIVE = {"protein": "CA", "nucleic": "C1'", "other": "CA"}

_Row = tuple[str, str, tuple[float, float, float], float]  # name, element, coordinates, B factor


def build_models(structure: gemmi.Structure) -> tuple[Model, ...]:
    """Read all models that hold atoms."""
    structure.merge_chain_parts()  # waters and ligands of a chain follow the last chain
    structure.setup_entities()
    structure.assign_label_seq_id()
    return tuple(_model(structure, model) for model in structure if len(model))


def _model(structure: gemmi.Structure, model: gemmi.Model) -> Model:
    chains: list[Chain] = []
    ligands: list[Ligand] = []
    for chain in model:
        parts: dict[str, list[gemmi.Residue]] = {}
        for residue in chain:
            if residue.entity_type is gemmi.EntityType.Polymer:
                parts.setdefault(residue.subchain, []).append(residue)
            else:
                ligands.append(_ligand(chain.name, residue))
        for subchain, residues in parts.items():
            chains.append(_chain(structure, chain.name, subchain, residues))
    return Model(model.num, tuple(chains), tuple(ligands))


def _chain(
    structure: gemmi.Structure, name: str, subchain: str, found: Sequence[gemmi.Residue]
) -> Chain:
    entity = structure.get_entity(found[0].entity_id) or _entity_of(structure, subchain)
    sequence = [gemmi.Entity.first_mon(item) for item in entity.full_sequence] if entity else []
    groups = [
        list(group) for _, group in groupby(found, key=lambda r: (r.seqid.num, r.seqid.icode))
    ]
    residues = [_most_occupied(group) for group in groups]
    labels = _labels(residues, sequence)
    has_sequence = bool(sequence) and labels is not None
    if labels is None:
        labels, sequence = _own_labels(residues)
    polymer = entity.polymer_type if entity else gemmi.PolymerType.Unknown
    kind = chain_kind(polymer, [residue.name for residue in residues])
    full = [_missing(item, label) for label, item in enumerate(sequence, 1)]
    rows: list[tuple[int, _Row]] = []
    for label, residue in zip(labels, residues, strict=True):
        atoms = _conformer(residue)
        full[label - 1] = _resolved(residue, label, atoms, _REPRESENTATIVE[kind])
        rows.extend((label - 1, atom) for atom in atoms)
    is_pdb = structure.input_format is gemmi.CoorFormat.Pdb
    label_name = name if is_pdb else subchain
    entity_name = entity.name if entity else name
    return Chain(
        name, label_name, entity_name, kind, tuple(full), _atoms(rows), has_sequence=has_sequence
    )


def _entity_of(structure: gemmi.Structure, subchain: str) -> gemmi.Entity | None:
    return next((e for e in structure.entities if subchain in e.subchains), None)


def _most_occupied(group: Sequence[gemmi.Residue]) -> gemmi.Residue:
    """Choose one residue of a place that holds several (microheterogeneity)."""
    if len(group) == 1:
        return group[0]
    return max(group, key=lambda residue: max((atom.occ for atom in residue), default=0.0))


def _labels(residues: Sequence[gemmi.Residue], sequence: Sequence[str]) -> list[int] | None:
    """Give the labels where they fit the sequence; None where they do not."""
    labels = [residue.label_seq for residue in residues]
    if not sequence or not _increase(labels) or (labels[-1] or 0) > len(sequence):
        return None
    known = [label for label in labels if label is not None]
    same = sum(
        component(sequence[label - 1]).letter == component(residue.name).letter
        for label, residue in zip(known, residues, strict=True)
    )
    return known if 2 * same > len(known) else None


def _own_labels(residues: Sequence[gemmi.Residue]) -> tuple[list[int], list[str]]:
    """Make a sequence of what was resolved, with the labels of the file where it has such."""
    labels = [residue.label_seq for residue in residues]
    known = [label for label in labels if label is not None]
    if not _increase(labels) or known[-1] > _LONGEST:
        known = list(range(1, len(residues) + 1))
    sequence = ["UNK"] * known[-1]
    for label, residue in zip(known, residues, strict=True):
        sequence[label - 1] = residue.name
    return known, sequence


def _increase(labels: Sequence[int | None]) -> bool:
    before = 0
    for label in labels:
        if label is None or label <= before:
            return False
        before = label
    return True


def _missing(name: str, label: int) -> Residue:
    known = component(name)
    return Residue(name, known.letter, known.parent, label, is_d=known.is_d)


def _resolved(
    residue: gemmi.Residue, label: int, atoms: Sequence[_Row], representative: str
) -> Residue:
    known = component(residue.name)
    found = next((row for row in atoms if row[0] == representative), None)
    return Residue(
        residue.name,
        known.letter,
        known.parent,
        label,
        author=residue.seqid.num,
        insertion=residue.seqid.icode.strip(),
        resolved=bool(atoms),
        coordinates=found[2] if found else (math.nan, math.nan, math.nan),
        b_factor=found[3] if found else math.nan,
        is_d=known.is_d,
    )


def _conformer(residue: gemmi.Residue) -> list[_Row]:
    """Take the atoms of the alternate location with the highest occupancy, without hydrogens."""
    atoms = [atom for atom in residue if not atom.is_hydrogen()]
    best = _best_altloc(atoms)
    rows: list[_Row] = []
    for atom in atoms:
        x, y, z = atom.pos.tolist()
        # a sum is finite where all three are; large entries have millions of atoms
        if math.isfinite(x + y + z) and atom.altloc in ("\0", best):
            rows.append((atom.name, atom.element.name, (x, y, z), atom.b_iso))
    return rows


def _best_altloc(atoms: Sequence[gemmi.Atom]) -> str:
    occupancy: dict[str, float] = {}
    for atom in atoms:
        if (altloc := atom.altloc) != "\0":
            occupancy[altloc] = max(occupancy.get(altloc, 0.0), atom.occ)
    return max(occupancy, key=lambda altloc: occupancy[altloc], default="\0")


def _atoms(rows: Sequence[tuple[int, _Row]]) -> Atoms:
    return Atoms(
        tuple(row[0] for _, row in rows),
        tuple(row[1] for _, row in rows),
        np.array([row[2] for _, row in rows], dtype=float).reshape(-1, 3),
        np.array([index for index, _ in rows], dtype=np.int32),
    )


def _ligand(chain: str, residue: gemmi.Residue) -> Ligand:
    kind: LigandKind = "ligand"
    if residue.is_water():
        kind = "water"
    elif len(residue) == 1 and residue[0].element.is_metal:
        kind = "metal"
    rows = _conformer(residue)
    coordinates = np.array([row[2] for row in rows], dtype=float).reshape(-1, 3)
    name = ResidueId(chain, residue.seqid.num or 0, residue.seqid.icode.strip())
    return Ligand(residue.name, name, kind, coordinates, tuple(row[1] for row in rows))
