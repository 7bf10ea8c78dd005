"""Secondary structure: by a stand-in for mkdssp, by the real one where it is, and by P-SEA."""

import math
import shutil
import sys

import gemmi
import numpy as np
import pytest

from bio_interp.errors import InputError, MissingExtraError, NotFoundError, StructureError
from bio_interp.structures import read_structure, secondary_structure

needs_dssp = pytest.mark.skipif(
    shutil.which("mkdssp") is None, reason="mkdssp is not on PATH (apt install dssp)"
)
# DSSP 3-state of 1PGA, by mkdssp 4.2.2 on the entry's own file: H, G, I are H; E, B are E
PROTEIN_G = "-EEEEEEE----EEEEEEE---HHHHHHHHHHHHHH-----EEEEE----EEEEE-"
HEAD = "  #  RESIDUE AA STRUCTURE BP1 BP2  ACC\n"


def atom(serial, name, number, place, chain="A", residue="ALA"):
    x, y, z = place
    start = f"ATOM  {serial:5}  {name:3} {residue} {chain}{number:4}    {x:8.3f}{y:8.3f}{z:8.3f}"
    return f"{start}  1.00 20.00           {name[0]}"


def read(lines):
    return read_structure("\n".join([*lines, "END"]).encode())


def helix_of_ca(length, *, rise=1.5, radius=2.3, turn=100.0):
    """Give CA of a helix; a strand is one of rise 3.3, radius 0.95 and turn 180."""
    angles = [math.radians(turn * i) for i in range(length)]
    return [(radius * math.cos(a), radius * math.sin(a), rise * i) for i, a in enumerate(angles)]


def backbone(length):
    """Place N, CA, C and O by ideal bonds and the dihedrals of an alpha helix."""
    places = [np.array(p) for p in [(0.0, 0, 0), (1.46, 0, 0), (2.0, 1.42, 0)]]
    bonds, angles, dihedrals = (1.33, 1.46, 1.52), (116.6, 121.7, 111.0), (-47.0, 180.0, -57.0)
    for i in range(3 * (length - 1)):
        places.append(put(*places[-3:], bonds[i % 3], angles[i % 3], dihedrals[i % 3]))
    lines = []
    for i in range(length):
        n, ca, c = places[3 * i : 3 * i + 3]
        o = put(n, ca, c, 1.23, 120.5, 133.0)
        named = zip(("N", "CA", "C", "O"), (n, ca, c, o), strict=True)
        lines += [atom(4 * i + k, name, i + 1, p) for k, (name, p) in enumerate(named, 1)]
    return lines


def put(a, b, c, bond, angle, dihedral):
    """Place an atom behind three others (Parsons and others, J. Comput. Chem. 26, 1063, 2005)."""
    angle, dihedral = math.radians(180 - angle), math.radians(dihedral)
    axis = (c - b) / np.linalg.norm(c - b)
    normal = np.cross(b - a, axis)
    normal /= np.linalg.norm(normal)
    frame = np.stack([axis, np.cross(normal, axis), normal])
    local = (math.cos(angle), math.cos(dihedral) * math.sin(angle),
             math.sin(dihedral) * math.sin(angle))  # fmt: skip
    return c + bond * np.array(local) @ frame


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Put a program called mkdssp on PATH that writes a text, or fails."""

    def make(text=None):
        table = tmp_path / "table"
        table.write_text(text or "")
        does = f'cp {table} "$2"' if text is not None else "echo no dictionary >&2; exit 1"
        program = tmp_path / "mkdssp"
        program.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && echo mkdssp version 9.9 && exit\n{does}\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return make


@pytest.fixture
def no_dssp(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


def row(number, state, chain="a"):
    return f"{number:5}{number:5} {chain} A  {state}\n"


def test_the_eight_states_become_three_and_chain_breaks_none(stand_in):
    rows = [row(i, state) for i, state in enumerate("HGIEBTSP ", 1)]
    breaks = "    4        !              0   0    0\n"
    stand_in(HEAD + "".join([*rows[:3], breaks, *rows[3:]]) + row(1, "H", "b"))
    structure = read([atom(i, "CA", i, (3.8 * i, 0, 0)) for i in range(1, 11)])
    found = secondary_structure(structure, structure.chain("A"))
    # the tenth residue is not in the table: unknown, not neither
    assert found.states == ("H", "H", "H", "E", "E", "-", "-", "-", "-", None)
    assert (found.method, found.tool) == ("dssp", "mkdssp 9.9")


def test_a_failure_of_mkdssp_is_told_and_p_sea_takes_over(stand_in, caplog):
    stand_in()
    structure = read([atom(i, "CA", i, p) for i, p in enumerate(helix_of_ca(12), 1)])
    found = secondary_structure(structure, structure.chain("A"))
    assert found.method == "psea"
    assert "no dictionary" in caplog.text
    assert "P-SEA is used instead" in caplog.text
    with pytest.raises(StructureError, match="no dictionary"):
        secondary_structure(structure, structure.chain("A"), method="dssp")


def test_an_answer_without_a_table_is_a_failure(stand_in):
    stand_in("nothing here")
    structure = read([atom(1, "CA", 1, (0, 0, 0))])
    with pytest.raises(StructureError, match="mkdssp"):
        secondary_structure(structure, structure.chain("A"), method="dssp")


def test_p_sea_finds_a_helix_and_a_strand_of_ideal_shape(no_dssp):
    helix = read([atom(i, "CA", i, p) for i, p in enumerate(helix_of_ca(12), 1)])
    strand = helix_of_ca(8, rise=3.3, radius=0.95, turn=180.0)
    extended = read([atom(i, "CA", i, p) for i, p in enumerate(strand, 1)])
    states = [secondary_structure(s, s.chain("A")).states for s in (helix, extended)]
    assert set(states[0][1:-1]) == {"H"}
    assert set(states[1][2:-2]) == {"E"}


def test_p_sea_leaves_missing_residues_unknown_and_sees_a_break(no_dssp):
    names = [gemmi.expand_one_letter(x, gemmi.ResidueKind.AA) for x in "MKTAYIEQRSFVLD"]
    kept = [i for i in range(14) if i not in (3, 4, 5)]  # three before the gap make no helix
    lines = [f"SEQRES   1 A   14  {' '.join(names[:13])}", f"SEQRES   2 A   14  {names[13]}"]
    places = helix_of_ca(14)
    lines += [atom(i, "CA", i + 1, places[i], residue=names[i]) for i in kept]
    structure = read(lines)
    states = secondary_structure(structure, structure.chain("A")).states
    assert states[3:6] == (None, None, None)
    assert states[:3] == ("-", "-", "-")
    assert set(states[7:-1]) == {"H"}


def test_p_sea_sees_a_break_that_no_number_shows(no_dssp):
    """Two halves of a helix, 30 A apart, numbered in a row and without a sequence."""
    places = [(x + (30 if i >= 4 else 0), y, z) for i, (x, y, z) in enumerate(helix_of_ca(8))]
    structure = read([atom(i, "CA", i, p) for i, p in enumerate(places, 1)])
    assert secondary_structure(structure, structure.chain("A")).states == ("-",) * 8


def test_without_program_and_package_the_error_says_what_to_install(no_dssp, monkeypatch):
    structure = read([atom(1, "CA", 1, (0, 0, 0))])
    with pytest.raises(MissingExtraError, match="apt install dssp"):
        secondary_structure(structure, structure.chain("A"), method="dssp")
    monkeypatch.setitem(sys.modules, "biotite.structure", None)
    with pytest.raises(MissingExtraError, match=r"bio-interp\[structures\]"):
        secondary_structure(structure, structure.chain("A"))


def test_an_unknown_method_or_a_chain_of_another_structure_is_refused():
    one, other = (read([atom(1, "CA", 1, (0, 0, 0))]) for _ in range(2))
    with pytest.raises(InputError, match="stride"):
        secondary_structure(one, one.chain("A"), method="stride")
    with pytest.raises(NotFoundError, match="another one"):
        secondary_structure(one, other.chain("A"), method="none")
    assert secondary_structure(one, one.chain("A"), method="none").states == (None,)


@needs_dssp
def test_mkdssp_finds_an_alpha_helix_of_ideal_bonds():
    structure = read(backbone(14))
    found = secondary_structure(structure, structure.chain("A"), method="dssp")
    # a helix begins one behind the start of its first turn, and ends before the end of its last
    assert "".join(found.states) == "-" + 12 * "H" + "-"
    assert found.tool.startswith("mkdssp ")


@needs_dssp
def test_mkdssp_leaves_a_residue_without_a_backbone_unknown():
    lines = [line for line in backbone(10) if not (line[22:26] == "   5" and line[13] in "CO")]
    structure = read(lines)
    states = secondary_structure(structure, structure.chain("A"), method="dssp").states
    assert [i for i, state in enumerate(states, 1) if state is None] == [5]


@needs_dssp
def test_a_modified_residue_does_not_end_a_helix():
    lines = [line.replace("ALA A   7", "MSE A   7") for line in backbone(14)]
    structure = read(lines)
    states = secondary_structure(structure, structure.chain("A"), method="dssp").states
    assert "".join(states) == "-" + 12 * "H" + "-"


@needs_dssp
@pytest.mark.shared_data
def test_protein_g_has_the_states_that_mkdssp_gives_its_file(shared_data):
    structure = read_structure(shared_data / "structures/1PGA.cif.gz")
    found = secondary_structure(structure, structure.chain("A"), method="dssp")
    assert "".join(found.states) == PROTEIN_G


@needs_dssp
@pytest.mark.shared_data
def test_strands_pair_with_other_chains(shared_data):
    """Amyloid fibril 2BEG: its strands pair with those of the next chain only."""
    structure = read_structure(shared_data / "structures/2BEG.pdb.gz")
    alone = read_structure(shared_data / "structures/2BEG.pdb.gz")
    object.__setattr__(alone.models[0], "chains", alone.models[0].chains[:1])
    states = [secondary_structure(s, s.chains[0], method="dssp").states for s in (structure, alone)]
    assert [s.count("E") > 10 for s in states] == [True, False]


@pytest.mark.shared_data
def test_p_sea_agrees_with_dssp_on_protein_g_but_for_ends(shared_data, no_dssp):
    structure = read_structure(shared_data / "structures/1PGA.cif.gz")
    states = secondary_structure(structure, structure.chain("A")).states
    assert sum(a == b for a, b in zip(states, PROTEIN_G, strict=True)) >= 50  # of 56
