"""What is read from a structure file: chains of residues, and what is beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.errors import NotFoundError

ChainKind = Literal["protein", "nucleic", "other"]
LigandKind = Literal["ligand", "metal", "water"]
How = Literal["sifts", "struct_ref", "dbref", "alignment"]


class ResidueId(NamedTuple):
    """The name of a residue in a structure: author's chain, number and insertion code."""

    chain: str
    author: int
    insertion: str = ""


@dataclass(frozen=True, slots=True)
class Residue:
    """One residue of a polymer chain.

    Attributes
    ----------
    name
        Component as the file calls it: ``MET``, ``MSE``, ``DG``.
    letter, parent
        One letter and name of the standard residue that it is or was made from: ``M`` and ``MET``
        of ``MSE``, also of a D-amino acid; ``X`` and ``name`` where none is known.
    label_seq
        Position in the full sequence of the entity, 1-based, missing residues counted.
    author, insertion
        Number and insertion code as authors print them; None and ``""`` where the file gives no
        number, which happens to residues that were not resolved only.
    resolved
        Whether it has an atom with finite coordinates.
    coordinates
        Of CA in proteins and C1' in nucleic chains, in angstrom; NaN where missing.
    b_factor
        Of that atom: B factor, pLDDT in predictions; NaN where missing.
    is_d
        Whether it is a D-amino acid.
    """

    name: str
    letter: str
    parent: str
    label_seq: int
    author: int | None = None
    insertion: str = ""
    resolved: bool = False
    coordinates: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    b_factor: float = np.nan
    is_d: bool = False

    @property
    def is_modified(self) -> bool:
        """Whether it is no standard residue."""
        return self.name != self.parent or self.letter == "X"


@dataclass(frozen=True, slots=True)
class Atoms:
    """Atoms of a chain other than hydrogens, of one conformer, in the order of residues.

    Attributes
    ----------
    name, element
        Such as ``CA`` and ``C``.
    coordinates
        In angstrom; atoms without finite coordinates are left out.
    index
        Residue of each atom, 0-based in `Chain.residues`.
    """

    name: Sequence[str]
    element: Sequence[str]
    coordinates: Float[ndarray, "atoms 3"]
    index: Int[ndarray, "atoms"]


NO_ATOMS = Atoms((), (), np.zeros((0, 3)), np.zeros(0, dtype=np.int32))


@dataclass(frozen=True, slots=True)
class Reference:
    """One segment of a chain that the file assigns to a database's sequence.

    Attributes
    ----------
    start, end
        In the chain: `Residue.label_seq`.
    first, last
        In the database's sequence, 1-based. Where the two runs differ in length the segment has
        insertions or deletions that the record does not place.
    how
        The record: SIFTS, ``_struct_ref_seq`` of mmCIF, ``DBREF`` of PDB.
    """

    accession: str
    database: str
    how: How
    start: int
    end: int
    first: int
    last: int

    @property
    def is_even(self) -> bool:
        """Whether chain and database have as many residues in this segment."""
        return self.end - self.start == self.last - self.first


@dataclass(frozen=True, slots=True)
class Difference:
    """A residue in which a chain differs from the protein.

    Attributes
    ----------
    label_seq, author, insertion
        The residue; `label_seq` is None for one that the chain lacks or the file does not place.
    letter, expected
        One letter in the chain and in the protein; ``""`` where there is none.
    position
        In the protein; None for a residue that the protein lacks, such as a tag.
    kind
        Words of the file in lower case (``engineered mutation``, ``expression tag``), else
        ``unrecorded``.
    """

    label_seq: int | None
    author: int | None
    insertion: str
    letter: str
    expected: str
    position: int | None
    kind: str


@dataclass(frozen=True)
class Chain:
    """One polymer chain of one model.

    Attributes
    ----------
    name, label
        As authors call it (``auth_asym_id``), and mmCIF (``label_asym_id``); the same in PDB.
    entity
        Number or name of its entity: chains of one entity have one sequence.
    residues
        The whole sequence, resolved or not; in a file without one, what was resolved.
    has_sequence
        Whether the file gave the sequence of the entity.
    """

    name: str
    label: str
    entity: str
    kind: ChainKind
    residues: tuple[Residue, ...]
    atoms: Atoms = NO_ATOMS
    references: tuple[Reference, ...] = ()
    differences: tuple[Difference, ...] = ()
    has_sequence: bool = True

    def __len__(self) -> int:
        return len(self.residues)

    @property
    def sequence(self) -> str:
        """One letter a residue, as `Residue.letter`."""
        return "".join(residue.letter for residue in self.residues)

    @cached_property
    def coordinates(self) -> Float[ndarray, "residues 3"]:
        """Of CA or C1' of each residue, in angstrom; NaN where missing."""
        return np.array([r.coordinates for r in self.residues], dtype=float).reshape(-1, 3)

    @cached_property
    def by_author(self) -> dict[tuple[int, str], int]:
        """Index, 0-based, of the residue with an author's number and insertion code."""
        found: dict[tuple[int, str], int] = {}
        for index, residue in enumerate(self.residues):
            if residue.author is not None:
                found.setdefault((residue.author, residue.insertion), index)
        return found


@dataclass(frozen=True, slots=True)
class Ligand:
    """A molecule that is no polymer: ligand, ion, sugar or water.

    Attributes
    ----------
    coordinates, element
        Of its atoms other than hydrogens, of one conformer, in angstrom.
    """

    name: str
    id: ResidueId
    kind: LigandKind
    coordinates: Float[ndarray, "atoms 3"]
    element: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A site that the depositors named: its residues and ligands."""

    name: str
    description: str
    residues: tuple[ResidueId, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """One model: of NMR ensembles one of many, else the only one."""

    number: int
    chains: tuple[Chain, ...]
    ligands: tuple[Ligand, ...] = ()

    def chain(self, name: str) -> Chain:
        """Find a chain by its author's name, else by its label; proteins come first.

        Raises
        ------
        NotFoundError
            There is none; the message lists those that are there.
        """
        order = {"protein": 0, "nucleic": 1, "other": 2}
        chains = sorted(self.chains, key=lambda chain: order[chain.kind])
        for chain in [*(c for c in chains if c.name == name), *chains]:
            if name in (chain.name, chain.label):
                return chain
        there = ", ".join(repr(chain.name) for chain in self.chains) or "none"
        raise NotFoundError(f"a chain of the structure (there: {there})", repr(name), "Name one.")


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure as read from a file.

    Attributes
    ----------
    name
        Of the entry, else of the file.
    method
        Lower case, as ``x-ray diffraction``; ``""`` where the file does not say.
    resolution
        In angstrom; None where there is none.
    predicted
        Whether it is a prediction; `Residue.b_factor` is then its pLDDT, as in the file.
    disulfides
        Pairs of residues that the file says are bridged.
    """

    name: str
    models: tuple[Model, ...]
    method: str = ""
    resolution: float | None = None
    predicted: bool = False
    disulfides: tuple[tuple[ResidueId, ResidueId], ...] = ()
    sites: tuple[Site, ...] = field(default=())

    @property
    def plddt_scale(self) -> float:
        """What makes b factors pLDDT from 0 to 100, as some programs write shares of 1."""
        factors = (residue.b_factor for chain in self.chains for residue in chain.residues)
        known = [value for value in factors if np.isfinite(value)]
        return 100.0 if self.predicted and known and max(known) <= 1 else 1.0

    @property
    def chains(self) -> tuple[Chain, ...]:
        """Of the first model."""
        return self.models[0].chains

    @property
    def ligands(self) -> tuple[Ligand, ...]:
        """Of the first model."""
        return self.models[0].ligands

    def chain(self, name: str) -> Chain:
        """Find a chain of the first model; see `Model.chain`."""
        return self.models[0].chain(name)
