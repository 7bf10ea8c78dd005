"""Secondary structure by the program mkdssp, where it is on PATH."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from string import ascii_letters, digits

import gemmi

from bio_interp.errors import StructureError
from bio_interp.structures._structure import Chain

PROGRAM = "mkdssp"

HELIX, STRAND = frozenset("HGI"), frozenset("EB")
"""States of DSSP that are helix and strand; turn, bend, polyproline helix and blank are neither.

The rule of CASP and EVA: Rost and Eyrich, Proteins Suppl. 5, 192 (2001).
"""

_BACKBONE = ("N", "CA", "C", "O")
_NAMES = ascii_letters + digits  # the classic output has one letter for a chain
_SECONDS = 900


def find_dssp() -> str | None:
    """Give the path of mkdssp; None where it is not on PATH."""
    return shutil.which(PROGRAM)


@lru_cache
def dssp_version(program: str) -> str:
    """Ask the program for its version, such as ``mkdssp 4.2.2``."""
    answer = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    words = answer.stdout.split()
    return f"{PROGRAM} {words[words.index('version') + 1]}" if "version" in words else PROGRAM


def run_dssp(program: str, chain: Chain, others: Sequence[Chain], name: str) -> list[str | None]:
    """Assign the states of a chain among the chains that touch it.

    Parameters
    ----------
    others
        Strands may pair with them, as DSSP sees the whole file.
    name
        What errors call the structure.

    Returns
    -------
    list
        One of `H`, `E` and `-` a residue; None where the backbone is not complete.

    Raises
    ------
    StructureError
        The program fails.
    """
    chains = [chain, *others][: len(_NAMES)]
    with tempfile.TemporaryDirectory() as folder:
        source, answer = Path(folder, "chains.cif"), Path(folder, "chains.dssp")
        source.write_text(_mmcif(chains), encoding="utf-8")
        try:
            done = subprocess.run(
                [program, str(source), str(answer)],
                capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False,
            )  # fmt: skip
            said = done.stderr.strip() or f"exit code {done.returncode}"
            text = answer.read_text(errors="replace") if answer.exists() else ""
        except (OSError, subprocess.SubprocessError) as error:
            said, text = str(error), ""
    states = _states(text, len(chain))
    if states is None:
        raise StructureError(
            f"secondary structure of chain {chain.name} of {name} by {PROGRAM}",
            said[-300:],
            "Choose `psea`, or check that mkdssp has its dictionaries (mmcif_pdbx.dic).",
        )
    return states


def _states(text: str, length: int) -> list[str | None] | None:
    """Read the classic output; None where it has no table.

    Columns: https://swift.cmbi.umcn.nl/gv/dssp/DSSP_2.html. Residues were numbered from 1.
    """
    _, mark, table = text.partition("  #  RESIDUE AA STRUCTURE")
    if not mark:
        return None
    found: list[str | None] = [None] * length
    for line in table.splitlines()[1:]:
        if line[11:12] == _NAMES[0] and (number := line[5:10].strip()).isdigit():
            state = line[16]
            found[int(number) - 1] = "H" if state in HELIX else "E" if state in STRAND else "-"
    return found


def _mmcif(chains: Sequence[Chain]) -> str:
    """Write the backbones of chains, with all that mkdssp 4 wants to find."""
    structure = gemmi.Structure()
    structure.name = "chains"
    model = gemmi.Model(1)
    for number, (name, chain) in enumerate(zip(_NAMES, chains, strict=False), 1):
        names = [r.parent if r.letter != "X" else "ALA" for r in chain.residues]
        model.add_chain(_backbone(chain, name, names, str(number)))
        entity = gemmi.Entity(str(number))
        entity.entity_type = gemmi.EntityType.Polymer
        entity.polymer_type = gemmi.PolymerType.PeptideL
        entity.subchains, entity.full_sequence = [name], names
        structure.entities.append(entity)
    structure.add_model(model)
    groups = gemmi.MmcifOutputGroups(False)
    for group in ("block_name", "entry", "atoms", "entity", "entity_poly", "entity_poly_seq"):
        setattr(groups, group, True)
    groups.struct_asym = True
    document = structure.make_mmcif_document(groups)
    _add_scheme(document.sole_block(), model, structure.entities)
    return document.as_string()


def _backbone(chain: Chain, name: str, names: Sequence[str], entity: str) -> gemmi.Chain:
    rows: dict[int, dict[str, int]] = {}
    for row, (atom, index) in enumerate(zip(chain.atoms.name, chain.atoms.index, strict=True)):
        if atom in _BACKBONE:
            rows.setdefault(int(index), {}).setdefault(atom, row)
    made = gemmi.Chain(name)
    for index, atoms in rows.items():
        if len(atoms) < len(_BACKBONE):
            continue
        residue = gemmi.Residue()
        residue.name, residue.seqid = names[index], gemmi.SeqId(index + 1, " ")
        residue.label_seq, residue.subchain, residue.entity_id = index + 1, name, entity
        residue.entity_type = gemmi.EntityType.Polymer
        for atom in _BACKBONE:
            place = gemmi.Atom()
            place.name, place.element, place.occ = atom, gemmi.Element(atom[0]), 1.0
            place.pos = gemmi.Position(*chain.atoms.coordinates[atoms[atom]].tolist())
            residue.add_atom(place)
        made.add_residue(residue)
    return made


def _add_scheme(block: gemmi.cif.Block, model: gemmi.Model, entities: gemmi.EntityList) -> None:
    """Add `_pdbx_poly_seq_scheme`, which mkdssp reads and gemmi does not write."""
    columns = ["asym_id", "entity_id", "seq_id", "mon_id", "ndb_seq_num", "pdb_seq_num",
               "auth_seq_num", "pdb_mon_id", "auth_mon_id", "pdb_strand_id", "pdb_ins_code",
               "hetero"]  # fmt: skip
    loop = block.init_loop("_pdbx_poly_seq_scheme.", columns)
    for chain, entity in zip(model, entities, strict=True):
        seen = {residue.seqid.num for residue in chain}
        for number, name in enumerate(entity.full_sequence, 1):
            at, what = (str(number), name) if number in seen else ("?", "?")
            label = str(number)
            row = [chain.name, entity.name, label, name, label, label, at, what, what]
            loop.add_row([*row, chain.name, ".", "n"])
