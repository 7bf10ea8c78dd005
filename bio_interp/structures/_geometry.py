"""Who is near whom: contacts, contact order, ligands, metals, nucleic acids, interfaces."""

from collections.abc import Collection, Iterable
from typing import get_args

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.errors import InputError
from bio_interp.structures._structure import Chain, Ligand, LigandKind

CONTACT = 8.0
"""Angstrom between CB of two residues in contact, as in CASP."""

HEAVY_CONTACT = 6.0
"""Angstrom between atoms of two residues in contact, of contact order (Plaxco 1998)."""


def side_coordinates(chain: Chain) -> Float[ndarray, "residues 3"]:
    """Give CB of each residue, CA where it has none (glycine); NaN where both are missing."""
    rows = chain.coordinates.copy()
    for name, place, index in zip(
        chain.atoms.name, chain.atoms.coordinates, chain.atoms.index, strict=True
    ):
        if name == "CB":
            rows[index] = place
    return rows


def contacts(
    chain: Chain, *, cutoff: float = CONTACT, min_separation: int = 3
) -> Int[ndarray, "pairs 2"]:
    """Find pairs of residues whose CB lie within `cutoff`.

    Parameters
    ----------
    cutoff
        In angstrom.
    min_separation
        Least distance along the sequence (`Residue.label_seq`), so that neighbours do not count.

    Returns
    -------
    ndarray
        One row a pair: two indexes into `Chain.residues`, 0-based, the smaller first, sorted.
    """
    rows = side_coordinates(chain)
    seen = np.flatnonzero(np.isfinite(rows).all(1))
    return _far_along(seen[_pairs(rows[seen], cutoff)], min_separation)


def contact_order(chain: Chain, *, cutoff: float = HEAVY_CONTACT) -> float:
    r"""Measure how far along the sequence the contacts of a chain reach on average.

    The relative contact order of Plaxco, Simons and Baker, J. Mol. Biol. 277, 985 (1998):
    :math:`\frac{1}{L N} \sum_{N} |i - j|` over the pairs of residues with atoms (no hydrogens)
    within `cutoff`, where :math:`L` counts residues that were resolved. NaN where no two touch.
    """
    index = chain.atoms.index[_pairs(chain.atoms.coordinates, cutoff)]
    pairs = np.unique(_far_along(index, 1), axis=0)
    if not len(pairs):
        return float("nan")
    resolved = sum(residue.resolved for residue in chain.residues)
    return float(np.diff(pairs, axis=1).mean()) / resolved


def distances_to(chain: Chain, places: Float[ndarray, "atoms 3"]) -> Float[ndarray, "residues"]:
    """Give the least distance of each residue's atoms to any of `places`, in angstrom.

    NaN for residues without atoms, and for all where there are no places.
    """
    from scipy.spatial import KDTree

    found = np.full(len(chain), np.nan)
    finite = places[np.isfinite(places).all(1)]
    if len(finite) and chain.atoms.index.size:
        distance, _ = KDTree(finite).query(chain.atoms.coordinates)
        np.fmin.at(found, chain.atoms.index, distance)
    return found


def distances_to_ligands(
    chain: Chain,
    ligands: Iterable[Ligand],
    *,
    kind: LigandKind = "ligand",
    names: Collection[str] | None = None,
) -> Float[ndarray, "residues"]:
    """Give the least distance of each residue to ligands, metals or waters, in angstrom.

    Parameters
    ----------
    ligands
        As `Structure.ligands`.
    names
        Only ligands of these names, such as ``{"HEM"}``.

    Raises
    ------
    InputError
        There is no such kind.
    """
    if kind not in get_args(LigandKind):
        known = ", ".join(get_args(LigandKind))
        raise InputError(f"a kind of ligand ({known})", repr(kind), "Choose one of them.")
    chosen = [lig for lig in ligands if lig.kind == kind and (names is None or lig.name in names)]
    return distances_to(chain, np.concatenate([np.zeros((0, 3)), *(c.coordinates for c in chosen)]))


def distances_to_chains(chain: Chain, others: Iterable[Chain]) -> Float[ndarray, "residues"]:
    """Give the least distance of each residue to the atoms of other chains, in angstrom.

    An interface is where it is below 5; give the nucleic chains to find what binds DNA. The chain
    itself is left out where it is among `others`.
    """
    places = [other.atoms.coordinates for other in others if other is not chain]
    return distances_to(chain, np.concatenate([np.zeros((0, 3)), *places]))


def _pairs(rows: Float[ndarray, "atoms 3"], cutoff: float) -> Int[ndarray, "pairs 2"]:
    from scipy.spatial import KDTree

    if not len(rows):
        return np.zeros((0, 2), dtype=np.intp)
    return KDTree(rows).query_pairs(cutoff, output_type="ndarray")


def _far_along(pairs: Int[ndarray, "pairs 2"], separation: int) -> Int[ndarray, "pairs 2"]:
    """Sort pairs, and keep those far enough along the sequence."""
    ordered = np.sort(pairs.reshape(-1, 2), axis=1)
    kept = ordered[np.diff(ordered, axis=1)[:, 0] >= separation]
    return kept[np.lexsort((kept[:, 1], kept[:, 0]))]
