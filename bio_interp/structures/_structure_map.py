"""A structure and where its residues lie in proteins."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.errors import MismatchError, NotFoundError
from bio_interp.sequences import Protein
from bio_interp.structures._map import MIN_COVERAGE, MIN_IDENTITY, ChainMap, map_chain
from bio_interp.structures._structure import Chain, Residue, ResidueId, Structure


class MappedResidue(NamedTuple):
    """One residue of a chain that has a position in a protein."""

    position: int
    chain: Chain
    residue: Residue


class Place(NamedTuple):
    """A position of a protein, 1-based."""

    accession: str
    position: int


@dataclass(frozen=True)
class StructureMap:
    """A structure with the maps of its chains to proteins; see `map_structure`.

    Attributes
    ----------
    maps
        One for each chain and protein that belong together, chains in the order of the file.
    lengths
        Of the proteins, by accession.
    refused
        Why a protein chain was not mapped to any of the proteins, by name of chain.
    """

    structure: Structure
    maps: tuple[ChainMap, ...]
    lengths: Mapping[str, int]
    refused: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def accessions(self) -> tuple[str, ...]:
        """Proteins that some chain was mapped to."""
        return tuple(dict.fromkeys(m.accession for m in self.maps))

    def position(self, chain: str, author: int, insertion: str = "") -> Place | None:
        """Give the place of a residue in a protein; None where it has none.

        Raises
        ------
        NotFoundError
            The structure has no such chain or residue.
        """
        # a peptide may share its author's chain with the protein that it is bound to
        chains = [c for c in self.structure.chains if c.name == chain]
        chains = chains or [self.structure.chain(chain)]
        found = next((c for c in chains if (author, insertion) in c.by_author), None)
        if found is None:
            raise NotFoundError(
                f"a residue of chain {chain!r} (author's number and insertion code)",
                f"{author}{insertion}",
                "`Chain.residues` lists them.",
            )
        index = found.by_author[author, insertion]
        for mapped in self.maps:
            if mapped.label == found.label and (place := mapped.positions[index]) is not None:
                return Place(mapped.accession, place)
        return None

    def authors(self, accession: str, position: int) -> list[ResidueId]:
        """Give the residues at a position of a protein: one of each chain that has it, resolved.

        Raises
        ------
        NotFoundError
            No protein that was given has this accession.
        """
        return [
            ResidueId(chain.name, residue.author, residue.insertion)
            for place, chain, residue in self.residues(accession)
            if place == position and residue.author is not None
        ]

    def residues(self, accession: str, chain: str | None = None) -> list[MappedResidue]:
        """Give the resolved residues that lie in a protein, chain by chain.

        Parameters
        ----------
        chain
            Only of this chain.

        Raises
        ------
        NotFoundError
            No protein that was given has this accession.
        """
        self._check(accession)
        return [
            MappedResidue(position, found, residue)
            for mapped, found in self._chains(accession)
            if chain in (None, mapped.chain)
            for position, residue in zip(mapped.positions, found.residues, strict=True)
            if position is not None and residue.resolved
        ]

    def best_chain(self, accession: str) -> str | None:
        """Give the chain that shows most of a protein, the first of several; None where none does.

        Raises
        ------
        NotFoundError
            No protein that was given has this accession.
        """
        names = [mapped.chain for mapped, _ in self._chains(accession)]
        shown = {name: len(self.residues(accession, name)) for name in names}
        return max(shown, key=lambda name: shown[name], default=None)

    def coordinates(self, accession: str, chain: str | None = None) -> Float[ndarray, "residues 3"]:
        """Give the coordinates of CA along a protein, in angstrom, of one chain.

        Parameters
        ----------
        chain
            Whose; `best_chain` where not given. Chains are never mixed.

        Returns
        -------
        ndarray
            Shape ``(residues, 3)`` with all residues of the protein; index 0 is position 1; NaN
            where the chain does not show one.

        Raises
        ------
        NotFoundError
            No protein that was given has this accession.
        """
        self._check(accession)
        rows = np.full((self.lengths[accession], 3), np.nan)
        chosen = chain or self.best_chain(accession)
        if chosen is not None:
            for position, _, residue in self.residues(accession, chosen):
                rows[position - 1] = residue.coordinates
        return rows

    def _check(self, accession: str) -> None:
        if accession not in self.lengths:
            raise NotFoundError(
                f"one of the proteins given ({', '.join(self.lengths) or 'none'})",
                repr(accession),
                "Map the structure to it first.",
            )

    def _chains(self, accession: str) -> Iterator[tuple[ChainMap, Chain]]:
        self._check(accession)
        chains = {chain.label: chain for chain in self.structure.chains}
        for mapped in self.maps:
            if mapped.accession == accession:
                yield mapped, chains[mapped.label]


def map_structure(
    structure: Structure,
    proteins: Iterable[Protein],
    *,
    min_identity: float = MIN_IDENTITY,
    min_coverage: float = MIN_COVERAGE,
) -> StructureMap:
    r"""Map the protein chains of the first model to the proteins that they are.

    A chain is mapped to each protein that its records name, else to the one that it aligns to
    best; see `map_chain` for the rules and limits. A chain that is none of them is not mapped.

    Examples
    --------
    >>> from bio_interp.structures import read_structure
    >>> atom = "ATOM  {:5}  CA  {} A{:4}    {:8.3f}   0.000   0.000  1.00 20.00           C"
    >>> names = "MET LYS VAL LEU TRP ALA ALA LEU".split()
    >>> lines = [atom.format(i, name, 100 + i, 3.8 * i) for i, name in enumerate(names)]
    >>> structure = read_structure("\n".join([*lines, "END"]).encode())
    >>> found = map_structure(structure, [Protein("P1", "GGGMKVLWAALLVTFLAG")])
    >>> found.position("A", 102), found.authors("P1", 6)
    (Place(accession='P1', position=6), [ResidueId(chain='A', author=102, insertion='')])
    >>> found.coordinates("P1")[4].tolist()
    [3.8, 0.0, 0.0]
    """
    given = {protein.accession: protein for protein in proteins}
    maps: list[ChainMap] = []
    refused: dict[str, str] = {}
    limits = {"min_identity": min_identity, "min_coverage": min_coverage}
    for chain in structure.chains:
        if chain.kind != "protein":
            continue
        named = [a for a in dict.fromkeys(r.accession for r in chain.references) if a in given]
        tried = [_tried(chain, given[a], limits) for a in named]
        found = [m for m in tried if isinstance(m, ChainMap)]
        if not found:
            others = [_tried(chain, p, limits) for a, p in given.items() if a not in named]
            found = [m for m in others if isinstance(m, ChainMap)]
            found = sorted(found, key=lambda m: -m.identity * m.coverage)[:1]
            tried += others
        maps += found
        if not found and tried:
            refused[chain.name] = "; ".join(str(error) for error in tried)
    lengths = {accession: len(protein) for accession, protein in given.items()}
    return StructureMap(structure, tuple(maps), lengths, refused)


def _tried(chain: Chain, protein: Protein, limits: Mapping[str, float]) -> ChainMap | str:
    try:
        return map_chain(chain, protein, **limits)
    except MismatchError as error:
        return str(error)
