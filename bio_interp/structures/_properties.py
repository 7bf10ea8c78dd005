"""Properties of the residues of a chain, as one table."""

import re
from collections.abc import Iterable

import numpy as np
import polars as pl
from jaxtyping import Float
from numpy import ndarray

from bio_interp.structures._additives import ADDITIVES
from bio_interp.structures._geometry import (
    contacts,
    distances_to,
    distances_to_chains,
    distances_to_ligands,
    side_coordinates,
)
from bio_interp.structures._model import model_of
from bio_interp.structures._secondary import SecondaryMethod, secondary_structure
from bio_interp.structures._structure import Chain, Model, ResidueId, Structure
from bio_interp.structures._surface import relative_accessibility

DISULFIDE = 2.5
"""Angstrom between SG of two bridged cysteines; the bond has 2.05, the rest is for bad maps."""

PROPERTIES = {
    "index": pl.Int32,
    "secondary": pl.String,
    "accessibility": pl.Float64,
    "ligand": pl.Float64,
    "metal": pl.Float64,
    "nucleic": pl.Float64,
    "interface": pl.Float64,
    "site": pl.Float64,
    "disulfide": pl.Boolean,
    "contacts": pl.Int32,
    "plddt": pl.Float64,
}
"""Columns of `residue_properties`."""

_OF_RESIDUE = re.compile(r"BINDING SITE FOR RESIDUE +(\S+)", re.I)


def residue_properties(
    structure: Structure, chain: Chain, *, secondary: SecondaryMethod = "auto"
) -> pl.DataFrame:
    r"""Tabulate what a structure says of each residue of a chain.

    Parameters
    ----------
    structure
        The chain's, with all that is beside it. Only what is in the file counts: neither symmetry
        mates nor assemblies are made.
    secondary
        Method of `secondary_structure`.

    Returns
    -------
    polars.DataFrame
        One row a residue of ``chain.residues``. What is not known is null, never 0: all columns
        but `index` of a residue that was not resolved, and columns as follows.

        - ``index``: 0-based in ``chain.residues``.
        - ``secondary``: ``H``, ``E`` or ``-``, see `secondary_structure`.
        - ``accessibility``: relative solvent accessibility, from 0, among the protein chains of
          the file, as DSSP has it: no waters, ligands or nucleic chains. Null for a residue that
          lacks atoms or has no standard parent.
        - ``ligand``, ``metal``, ``nucleic``, ``interface``, ``site``: least distance in angstrom of
          its atoms (no hydrogens) to ligands other than waters and `ADDITIVES`, to metals, to
          nucleic chains, to other protein chains, and to the residues of the file's named sites
          other than the surroundings of `ADDITIVES`; null where the structure has none.
        - ``disulfide``: whether the file says so, or its SG is within `DISULFIDE` of another; null
          for a cysteine without SG.
        - ``contacts``: other residues with CB (CA of glycine) within 8 angstrom, three residues
          away or more.
        - ``plddt``: confidence of a prediction, 0 to 100; null for experiments.

    Raises
    ------
    MissingExtraError
        Biotite is not installed, or no program that `secondary` asks for.
    StructureError, InputError, NotFoundError
        See `secondary_structure`.

    Examples
    --------
    >>> from bio_interp.structures import read_structure
    >>> line = "ATOM  {0:5}  CA  GLY A{0:4}    {1:8.3f}   0.000   0.000  1.00 20.00           C"
    >>> zinc = "HETATM    9 ZN    ZN A 101       2.000   0.000   0.000  1.00 20.00          ZN"
    >>> lines = [line.format(1, 0.0), line.format(2, 4.0), zinc, "END"]
    >>> structure = read_structure("\n".join(lines).encode())
    >>> table = residue_properties(structure, structure.chain("A"), secondary="none")
    >>> table["metal"].to_list(), table["ligand"].to_list()
    ([2.0, 2.0], [None, None])
    """
    model = model_of(structure, chain)
    proteins = [c for c in model.chains if c.kind == "protein" and c is not chain]
    nucleic = [c for c in model.chains if c.kind == "nucleic"]
    names = {ligand.name for ligand in model.ligands} - ADDITIVES
    scale = structure.plddt_scale if structure.predicted else np.nan
    columns = {
        "index": np.arange(len(chain)),
        "secondary": secondary_structure(structure, chain, method=secondary).states,
        "accessibility": relative_accessibility(chain, proteins),
        "ligand": distances_to_ligands(chain, model.ligands, names=names),
        "metal": distances_to_ligands(chain, model.ligands, kind="metal"),
        "nucleic": distances_to_chains(chain, nucleic),
        "interface": distances_to_chains(chain, proteins),
        "site": distances_to(chain, _site_atoms(structure, model)),
        "disulfide": _in_disulfide(structure, model, chain),
        "contacts": _contact_number(chain),
        "plddt": [scale * residue.b_factor for residue in chain.residues],
    }
    frame = pl.DataFrame(
        {name: list(values) for name, values in columns.items()}, schema=PROPERTIES, strict=False
    )
    resolved = pl.Series([residue.resolved for residue in chain.residues], dtype=pl.Boolean)
    return frame.with_columns(
        pl.col(pl.Float64).fill_nan(None),
        pl.when(resolved).then(pl.col("disulfide")).alias("disulfide"),
    )


def _site_atoms(structure: Structure, model: Model) -> Float[ndarray, "atoms 3"]:
    """Collect the atoms of residues that named sites list."""
    members = {
        member
        for site in structure.sites
        if not ((of := _OF_RESIDUE.search(site.description)) and of[1] in ADDITIVES)
        for member in site.residues
    }
    found = [np.zeros((0, 3))]
    for chain in model.chains:
        rows = np.isin(chain.atoms.index, _indexes(chain, members))
        found.append(chain.atoms.coordinates[rows])
    return np.concatenate(found)


def _indexes(chain: Chain, members: Iterable[ResidueId]) -> list[int]:
    """Find the residues of a chain among those named, 0-based."""
    places = [(member.author, member.insertion) for member in members if member.chain == chain.name]
    return [chain.by_author[place] for place in places if place in chain.by_author]


def _in_disulfide(structure: Structure, model: Model, chain: Chain) -> list[bool | None]:
    """Tell which residues are bridged, by the file's records or by distance."""
    from scipy.spatial import KDTree

    bonded = set(_indexes(chain, {end for bond in structure.disulfides for end in bond}))
    own = np.flatnonzero([name == "SG" for name in chain.atoms.name])
    sulfurs = [
        other.atoms.coordinates[[name == "SG" for name in other.atoms.name]]
        for other in model.chains
        if other.kind == "protein"
    ]
    if len(own):
        tree = KDTree(np.concatenate(sulfurs))
        near = tree.query_ball_point(chain.atoms.coordinates[own], DISULFIDE, return_length=True)
        bonded |= set(chain.atoms.index[own[near > 1]].tolist())  # itself is one
    blind = {i for i, residue in enumerate(chain.residues) if residue.letter == "C"}
    blind -= set(chain.atoms.index[own].tolist())
    return [True if i in bonded else None if i in blind else False for i in range(len(chain))]


def _contact_number(chain: Chain) -> list[int | None]:
    numbers = np.bincount(contacts(chain).ravel(), minlength=len(chain))
    seen = np.isfinite(side_coordinates(chain).sum(axis=1))
    return [int(n) if is_seen else None for n, is_seen in zip(numbers, seen, strict=True)]
