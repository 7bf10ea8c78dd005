"""How much of a residue the solvent can touch."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from bio_interp.errors import MissingExtraError
from bio_interp.structures._structure import Chain, Residue

LARGEST_SURFACE = {
    "A": 129, "R": 274, "N": 195, "D": 193, "C": 167, "Q": 225, "E": 223, "G": 104, "H": 224,
    "I": 197, "L": 201, "K": 236, "M": 224, "F": 240, "P": 159, "S": 155, "T": 172, "W": 285,
    "Y": 263, "V": 174,
}  # fmt: skip
"""Square angstrom that a residue can expose at most, by letter.

The theoretical values of Tien, Meyer, Sydykova, Spielman and Wilke, PLoS ONE 8, e80635 (2013),
table 1; they were computed with DSSP's radii, which are used here too.
"""

BURIED = 0.25
"""Relative accessibility below which a residue is buried.

It parts surface and interior best by their composition (Levy, J. Mol. Biol. 403, 660, 2010).
"""

_HEAVY = {
    "G": 4, "A": 5, "S": 6, "C": 6, "T": 7, "V": 7, "P": 7, "D": 8, "N": 8, "I": 8, "L": 8, "M": 8,
    "E": 9, "Q": 9, "K": 9, "H": 10, "F": 11, "R": 11, "Y": 12, "W": 14,
}  # fmt: skip
_RADII = {"N": 1.65, "CA": 1.87, "C": 1.76, "O": 1.40}  # DSSP's, in angstrom
_SIDE, _WATER = 1.80, 1.40
_POINTS = 401  # on a sphere, as DSSP takes
_REACH = 2 * (max(_SIDE, *_RADII.values()) + _WATER)


def relative_accessibility(chain: Chain, others: Sequence[Chain]) -> Float[ndarray, "residues"]:
    """Measure the accessible surface of residues, relative to the largest of their kind.

    By the method of Shrake and Rupley (J. Mol. Biol. 79, 351, 1973) with the radii, probe and
    number of points of DSSP.

    Parameters
    ----------
    others
        Protein chains beside it, which cover its interfaces.

    Returns
    -------
    ndarray
        From 0; a little above 1 happens at ends. NaN for residues that lack atoms, whose letter is
        X, or that were not resolved.

    Raises
    ------
    MissingExtraError
        Biotite is not installed.
    """
    try:
        structures: Any = import_module("biotite.structure")
    except ImportError as error:
        raise MissingExtraError(
            "biotite, which measures accessible surface",
            "no such package",
            'Run `pip install "bio-interp[structures]"`.',
        ) from error
    atoms = [(chain.atoms.name, chain.atoms.coordinates), *(_near(chain, o) for o in others)]
    places = np.concatenate([coordinates for _, coordinates in atoms])
    names = [name for part, _ in atoms for name in part]
    radii = np.array([_RADII.get(name, _SIDE) for name in names])
    own = np.arange(len(names)) < len(chain.atoms.name)
    array = structures.AtomArray(len(names))
    array.coord = places.astype(np.float32)
    surface = np.bincount(
        chain.atoms.index,
        weights=_measure(structures, array, own, radii)[own],
        minlength=len(chain),
    )
    whole = np.bincount(chain.atoms.index, minlength=len(chain))
    largest = [_largest(r, int(n)) for r, n in zip(chain.residues, whole, strict=True)]
    return surface / np.array(largest, dtype=float)


def _largest(residue: Residue, atoms: int) -> float:
    """Give the largest surface of a residue; NaN where it lacks atoms."""
    letter = residue.letter
    return LARGEST_SURFACE[letter] if atoms >= _HEAVY.get(letter, np.inf) else np.nan


def _measure(
    structures: Any,
    array: Any,
    own: Bool[ndarray, "atoms"],
    radii: Float[ndarray, "atoms"],
) -> Float[ndarray, "atoms"]:
    if not own.any():
        return np.zeros(len(own))
    return structures.sasa(
        array,
        probe_radius=_WATER,
        atom_filter=own,
        ignore_ions=False,
        point_number=_POINTS,
        vdw_radii=radii,
    )


def _near(chain: Chain, other: Chain) -> tuple[Sequence[str], Float[ndarray, "atoms 3"]]:
    """Choose the atoms of another chain that can cover an atom of this one."""
    from scipy.spatial import KDTree

    places = other.atoms.coordinates
    if not len(places) or not len(chain.atoms.name):
        return (), np.zeros((0, 3))
    distance, _ = KDTree(chain.atoms.coordinates).query(places, distance_upper_bound=_REACH)
    near = np.flatnonzero(np.isfinite(distance))
    return [other.atoms.name[row] for row in near.tolist()], places[near]
