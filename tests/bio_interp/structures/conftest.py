"""Small structures, written as the formats want them."""

from collections.abc import Iterable, Sequence

import gemmi
import pytest

from bio_interp.structures import read_structure

Item = tuple[str, int, str] | None  # name, author's number, insertion code; None: a break

COLUMNS = tuple(
    """group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id
    label_entity_id label_seq_id pdbx_PDB_ins_code Cartn_x Cartn_y Cartn_z occupancy
    B_iso_or_equiv auth_seq_id auth_asym_id pdbx_PDB_model_num""".split()  # noqa: SIM905
)


def three(letter: str) -> str:
    return gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA)


def items(letters: str, first: int = 1) -> list[Item]:
    """Number residues in a row."""
    return [(three(letter), first + i, "") for i, letter in enumerate(letters)]


def atom_lines(chain: str, residues: Iterable[Item]) -> list[str]:
    """Put CA atoms 3.8 A apart on a line, and 20 A at a break."""
    lines, x, serial = [], 0.0, 0
    for item in residues:
        if item is None:
            x += 20
            continue
        name, number, code = item
        serial += 1
        start = f"ATOM  {serial:5}  CA  {name:>3} {chain}{number:4}{code or ' '}   "
        lines.append(f"{start}{x:8.3f}{0:8.3f}{0:8.3f}  1.00 20.00           C  ")
        x += 3.8
    return lines


def pdb(
    chains: dict[str, Sequence[Item]],
    *,
    seqres: dict[str, str] | None = None,
    head: Sequence[str] = (),
) -> bytes:
    """Write a file of the PDB format."""
    lines = list(head)
    for chain, sequence in (seqres or {}).items():
        names = [three(letter) for letter in sequence]
        for row in range(0, len(names), 13):
            part = " ".join(names[row : row + 13])
            lines.append(f"SEQRES {row // 13 + 1:3} {chain} {len(names):4}  {part}")
    for chain, residues in chains.items():
        lines += [*atom_lines(chain, residues), "TER"]
    return "\n".join([*lines, "END", ""]).encode()


def dbref(chain: str, start: int, end: int, accession: str, first: int, last: int) -> str:
    ends = f"DBREF  1XYZ {chain} {start:4}  {end:4}  UNP    {accession:8} "
    return f"{ends}{'X_HUMAN':12} {first:5}  {last:5}"


def seqadv(name: str, chain: str, number: int, accession: str, expected: str, at, kind: str) -> str:
    start = f"SEQADV 1XYZ {name:>3} {chain} {number:4}  UNP  {accession:9} "
    return f"{start}{expected:>3} {at or '':>5} {kind}"


def cif(rows: Sequence[str], *tables: str, columns: Sequence[str] = COLUMNS) -> bytes:
    """Write mmCIF: rows of atoms, and other categories as they are."""
    head = "".join(f"_atom_site.{column}\n" for column in columns)
    return "\n".join(["data_X", *tables, f"loop_\n{head}" + "\n".join(rows), ""]).encode()


def cif_rows(sequence: str, *, chain: str = "A", first: int = 1, extra: str = "") -> list[str]:
    """Write CA atoms with labels from 1 and authors' numbers from `first`."""
    return [
        f"ATOM {i} C CA . {three(letter)} {chain} 1 {i} ? {3.8 * i:.1f} 0 0 1 20 {first + i - 1}"
        f" {chain} 1{extra}"
        for i, letter in enumerate(sequence, 1)
    ]


@pytest.fixture(scope="session")
def made():
    """Give the writers of this module, and a reader of what they wrote."""

    class Made:
        pass

    for writer in (three, items, atom_lines, pdb, dbref, seqadv, cif, cif_rows, read_structure):
        setattr(Made, writer.__name__, staticmethod(writer))
    Made.COLUMNS = COLUMNS
    return Made
