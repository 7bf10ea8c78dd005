"""Helix, strand or neither, residue by residue."""

import logging
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any, Literal, get_args

import numpy as np

from bio_interp.errors import InputError, MissingExtraError, StructureError
from bio_interp.structures._dssp import dssp_version, find_dssp, run_dssp
from bio_interp.structures._geometry import distances_to
from bio_interp.structures._model import model_of
from bio_interp.structures._structure import Chain, Structure

SecondaryMethod = Literal["auto", "dssp", "psea", "none"]

_TOUCH = 9.0  # angstrom; DSSP looks for hydrogen bonds between residues with CA this near
_BREAK = 5.0  # angstrom between CA of neighbours; 3.8 in a chain
_STATES = {"a": "H", "b": "E", "c": "-"}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SecondaryStructure:
    """Secondary structure of a chain.

    Attributes
    ----------
    method
        What assigned it: ``dssp``, ``psea``, or ``none``.
    tool
        Program and version, such as ``mkdssp 4.2.2``.
    states
        One a residue of the chain: ``H`` helix, ``E`` strand, ``-`` neither; None where unknown.
    """

    method: Literal["dssp", "psea", "none"]
    tool: str
    states: tuple[str | None, ...]


def secondary_structure(
    structure: Structure, chain: Chain, *, method: SecondaryMethod = "auto"
) -> SecondaryStructure:
    r"""Assign helix and strand to the residues of a chain.

    Parameters
    ----------
    structure
        The chain's; strands may pair with its other chains.
    method
        - ``dssp``: the program mkdssp (Kabsch and Sander, Biopolymers 22, 2577, 1983), by hydrogen
          bonds of the backbone. H, G and I are helix, E and B strand; turns, bends, polyproline
          helices and the rest are neither, the rule of CASP.
        - ``psea``: P-SEA (Labesse and others, CABIOS 13, 291, 1997) as biotite has it, by distances
          and angles of CA alone. It misses short strands, see the documentation for how many.
        - ``auto``: mkdssp where it is on PATH and does not fail, else P-SEA; `method` of the answer
          says which.
        - ``none``: all unknown.

    Returns
    -------
    SecondaryStructure
        A residue that was not resolved is None; so is, for mkdssp, one without a whole backbone,
        and for P-SEA one without CA.

    Raises
    ------
    MissingExtraError
        The program or package is not installed.
    StructureError
        `method` is ``dssp`` and mkdssp fails.
    InputError
        There is no such method.
    NotFoundError
        The chain is none of the structure.

    Examples
    --------
    >>> from bio_interp.structures import read_structure
    >>> atom = "ATOM      1  CA  GLY A   1      11.104   6.134  -6.504  1.00 20.00           C"
    >>> structure = read_structure(f"{atom}\nEND\n".encode())
    >>> secondary_structure(structure, structure.chain("A"), method="psea").states
    ('-',)
    """
    if method not in get_args(SecondaryMethod):
        known = ", ".join(get_args(SecondaryMethod))
        raise InputError(f"a method ({known})", repr(method), "Choose one of them.")
    model = model_of(structure, chain)
    if method == "none":
        return SecondaryStructure("none", "", (None,) * len(chain))
    program = None if method == "psea" else find_dssp()
    if program is None:
        if method == "dssp":
            raise _no_method("mkdssp on PATH")
        return _by_psea(chain)
    others = [
        other
        for other in model.chains
        if other is not chain
        and other.kind == "protein"
        and (distances_to(chain, other.atoms.coordinates) <= _TOUCH).any()
    ]
    try:
        states = run_dssp(program, chain, others, structure.name)
    except StructureError as error:
        if method == "dssp":
            raise
        _log.warning("%s; P-SEA is used instead", error)
        return _by_psea(chain)
    return SecondaryStructure("dssp", dssp_version(program), tuple(states))


def _by_psea(chain: Chain) -> SecondaryStructure:
    try:
        structures: Any = import_module("biotite.structure")
    except ImportError as error:
        raise _no_method("mkdssp on PATH, or biotite for P-SEA") from error
    kept = np.flatnonzero(np.isfinite(chain.coordinates).all(1))
    states: list[str | None] = [None] * len(chain)
    if len(kept):
        atoms = structures.AtomArray(len(kept))
        atoms.coord = chain.coordinates[kept].astype(np.float32)
        atoms.atom_name[:], atoms.res_name[:], atoms.element[:] = "CA", "ALA", "C"
        steps = np.linalg.norm(np.diff(chain.coordinates[kept], axis=0), axis=1)
        broken = (np.diff(kept) > 1) | (steps > _BREAK)
        # P-SEA sees a break where numbers jump
        atoms.res_id[:] = np.arange(len(kept)) + np.concatenate([[0], np.cumsum(broken)])
        for index, state in zip(kept, structures.annotate_sse(atoms), strict=True):
            states[index] = _STATES.get(str(state))
    return SecondaryStructure("psea", f"P-SEA of biotite {version('biotite')}", tuple(states))


def _no_method(wanted: str) -> MissingExtraError:
    return MissingExtraError(
        f"{wanted}, to assign secondary structure",
        "neither" if "," in wanted else "no such program",
        'Run `pip install "bio-interp[structures]"` for P-SEA, or `apt install dssp` or '
        "`conda install -c conda-forge dssp` for mkdssp.",
    )
