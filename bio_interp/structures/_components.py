"""What residues are: their letters, parents and kinds."""

from functools import lru_cache
from typing import NamedTuple

import gemmi

from bio_interp.structures._structure import ChainKind

_D = frozenset({gemmi.ResidueKind.AAD})
_AMINO = _D | {gemmi.ResidueKind.AA, gemmi.ResidueKind.PAA, gemmi.ResidueKind.MAA}
_NUCLEIC = frozenset({gemmi.ResidueKind.RNA, gemmi.ResidueKind.DNA})
_PROTEIN_TYPES = frozenset(
    {
        gemmi.PolymerType.PeptideL,
        gemmi.PolymerType.PeptideD,
        gemmi.PolymerType.CyclicPseudoPeptide,
    }
)
_NUCLEIC_TYPES = frozenset(
    {
        gemmi.PolymerType.Dna,
        gemmi.PolymerType.Rna,
        gemmi.PolymerType.DnaRnaHybrid,
        gemmi.PolymerType.Pna,
    }
)


class Component(NamedTuple):
    """A kind of residue, as `Residue` has it."""

    letter: str
    parent: str
    kind: ChainKind
    is_d: bool


@lru_cache(maxsize=4096)
def component(name: str) -> Component:
    """Look a residue's name up in gemmi's table of chemical components.

    Examples
    --------
    >>> component("MSE"), component("DG").kind, component("DAL").is_d
    (Component(letter='M', parent='MET', kind='protein', is_d=False), 'nucleic', True)
    """
    info = gemmi.find_tabulated_residue(name)
    letter = info.one_letter_code.strip().upper()
    if info.kind in _NUCLEIC:
        parent = ("D" if info.kind is gemmi.ResidueKind.DNA else "") + letter
        return Component(letter or "N", parent if letter else name, "nucleic", False)
    if info.kind not in _AMINO:
        return Component("X", name, "other", False)
    parent = gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA) if letter else ""
    is_d = info.kind in _D
    if not parent or letter == "X":
        return Component("X", name, "protein", is_d)
    return Component(letter, parent, "protein", is_d)


def chain_kind(polymer: gemmi.PolymerType, names: list[str]) -> ChainKind:
    """Tell the kind of a chain by its entity, else by what most of its residues are."""
    if polymer in _PROTEIN_TYPES:
        return "protein"
    if polymer in _NUCLEIC_TYPES:
        return "nucleic"
    kinds = [component(name).kind for name in names]
    return max(("other", "nucleic", "protein"), key=kinds.count)
