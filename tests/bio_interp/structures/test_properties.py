"""Properties of residues, against numbers counted by hand and those of DSSP."""

import math
import sys

import polars as pl
import pytest

from bio_interp.errors import MissingExtraError, NotFoundError
from bio_interp.structures import (
    ADDITIVES,
    LARGEST_SURFACE,
    PROPERTIES,
    read_structure,
    residue_properties,
)

# square angstrom of the first 10 residues of 1PGA by mkdssp 4.2.2
PROTEIN_G = [115, 94, 4, 66, 0, 60, 6, 77, 3, 163]


def atom(name, residue, number, x, y=0.0, *, chain="A", record="ATOM", b=20.0, element=None):
    element = element or name[0]
    shown = f" {name:3}" if len(element) == 1 else f"{name:4}"
    start = f"{record:6}    1 {shown} {residue:>3} {chain}{number:4}    "
    return f"{start}{x:8.3f}{y:8.3f}   0.000  1.00{b:6.2f}          {element:>2}"


def read(*lines):
    return read_structure("\n".join([*lines, "END"]).encode())


def table(structure, chain="A", secondary="none"):
    return residue_properties(structure, structure.chain(chain), secondary=secondary)


def test_the_columns_are_always_the_same_and_a_row_is_a_residue():
    found = table(read(atom("CA", "GLY", 1, 0), atom("CA", "GLY", 2, 3.8)), secondary="psea")
    assert dict(found.schema) == PROPERTIES
    assert found["index"].to_list() == [0, 1]
    assert found["secondary"].to_list() == ["-", "-"]


def test_distances_are_those_measured_by_hand():
    structure = read(
        "REMARK 800", "REMARK 800 SITE_IDENTIFIER: CAT", "REMARK 800 SITE_DESCRIPTION: ACTIVE",
        "SITE     1 CAT  1 GLY A   1",
        atom("CA", "GLY", 1, 0), atom("CA", "GLY", 2, 4), "TER",
        atom("CA", "GLY", 1, 0, 6, chain="B"), "TER",
        atom("P", "DA", 1, 4, -7, chain="C"), "TER",
        atom("ZN", "ZN", 101, 0, 2, record="HETATM", element="ZN"),
        atom("C1", "HEM", 102, 4, 3, record="HETATM"),
        atom("C1", "GOL", 103, 0, 1, record="HETATM"),
        atom("O", "HOH", 104, 0, 1, record="HETATM"),
    )  # fmt: skip
    rows = table(structure).select("ligand", "metal", "nucleic", "interface", "site").rows()
    # glycerol and water, 1 A away, are no ligands
    assert rows[0] == pytest.approx((5.0, 2.0, math.hypot(4, 7), 6.0, 0.0))
    assert rows[1] == pytest.approx((3.0, math.hypot(4, 2), 7.0, math.hypot(4, 6), 4.0))


def test_what_a_structure_does_not_have_is_null_and_not_far():
    found = table(read(atom("CA", "GLY", 1, 0)))
    partners = found.select("ligand", "metal", "nucleic", "interface", "site", "plddt")
    assert partners.rows() == [(None,) * 6]


def test_a_structure_with_additives_only_has_no_ligand():
    lines = [atom("S", "SO4", 101, 0, 3, record="HETATM"), atom("CL", "CL", 102, 0, 3,
             record="HETATM", element="CL")]  # fmt: skip
    assert table(read(atom("CA", "GLY", 1, 0), *lines))["ligand"].to_list() == [None]
    assert {"GOL", "EDO", "SO4", "PEG", "CL"} <= ADDITIVES
    assert not {"HEM", "NAG", "ATP", "ZN", "CA"} & ADDITIVES


def test_the_surroundings_of_an_additive_are_no_site():
    def site(of):
        return ("REMARK 800 SITE_IDENTIFIER: AC1",
                f"REMARK 800 SITE_DESCRIPTION: BINDING SITE FOR RESIDUE {of} A 201",
                "SITE     1 AC1  1 GLY A   1")  # fmt: skip

    found = [table(read(*site(of), atom("CA", "GLY", 1, 0)))["site"][0] for of in ("GOL", "HEM")]
    assert found == [None, 0.0]


def test_a_missing_residue_is_null_in_all_but_its_index():
    lines = ["SEQRES   1 A    3  GLY GLY CYS", atom("CA", "GLY", 1, 0), atom("CA", "CYS", 3, 7.6)]
    structure = read(*lines, atom("ZN", "ZN", 101, 0, 2, record="HETATM", element="ZN"))
    row = table(structure, secondary="psea").row(1, named=True)
    assert row.pop("index") == 1
    assert set(row.values()) == {None}


def test_a_bridge_is_told_by_record_or_by_distance_and_a_cysteine_without_sulfur_is_unknown():
    near = read(
        atom("SG", "CYS", 1, 0), atom("SG", "CYS", 2, 9), atom("CA", "CYS", 3, 20),
        atom("CA", "GLY", 4, 24), "TER", atom("SG", "CYS", 1, 2.05, chain="B"),
    )  # fmt: skip
    assert table(near)["disulfide"].to_list() == [True, False, None, False]
    record = "SSBOND   1 CYS A    1    CYS A    2                          1555   1555  2.90"
    far = read(record, atom("SG", "CYS", 1, 0), atom("SG", "CYS", 2, 2.9))
    assert table(far)["disulfide"].to_list() == [True, True]


def test_contacts_are_those_counted_by_hand():
    """Hairpin 1-2-3-4 / 8-7-6-5, 5 A between strands; 4 A along them."""
    places = [(4 * i, 0) for i in range(4)] + [(4 * i, 5) for i in reversed(range(4))]
    structure = read(*(atom("CA", "GLY", i, *p) for i, p in enumerate(places, 1)))
    # three apart or more: 5 A to the opposite one (1-8 2-7 3-6), 6.4 A to its neighbours (1-7 2-8
    # 2-6 3-7); 4-5, 4-6 and 3-5 are too near along the chain
    assert table(structure)["contacts"].to_list() == [2, 3, 2, 0, 0, 2, 3, 2]


def test_surface_of_lone_spheres_is_that_of_the_formula():
    """N, CA, C and O so far apart that each is a sphere; another chain cuts a cap off N."""
    lines = [atom(name, "GLY", 1, 30 * i) for i, name in enumerate(("N", "CA", "C", "O"))]
    spheres = [4 * math.pi * (r + 1.4) ** 2 for r in (1.65, 1.87, 1.76, 1.40)]
    alone = table(read(*lines))["accessibility"][0]
    assert alone == pytest.approx(sum(spheres) / 104, rel=1e-3)  # 4.57
    other = atom("CA", "GLY", 1, 0, 3, chain="B")
    # height of the cap: R - (d^2 + R^2 - r^2) / 2d with R 3.05, r 3.27, d 3
    cap = 2 * math.pi * 3.05 * (3.05 - (9 + 3.05**2 - 3.27**2) / 6)
    cut = table(read(*lines, "TER", other))["accessibility"][0]
    assert (alone - cut) * 104 == pytest.approx(cap, rel=0.03)


def test_water_ligands_and_nucleic_acids_cover_nothing():
    lines = [atom(name, "GLY", 1, 30 * i) for i, name in enumerate(("N", "CA", "C", "O"))]
    beside = [atom("O", "HOH", 9, 0, 3, record="HETATM"), atom("C1", "HEM", 8, 0, 3,
              record="HETATM"), "TER", atom("P", "DA", 1, 0, 3, chain="C")]  # fmt: skip
    bare, covered = table(read(*lines)), table(read(*lines, *beside))
    assert bare["accessibility"].to_list() == covered["accessibility"].to_list()


def test_a_residue_that_lacks_atoms_has_no_accessibility():
    lines = [atom(name, "ALA", 1, 30 * i) for i, name in enumerate(("N", "CA", "C", "O"))]
    assert table(read(*lines))["accessibility"].to_list() == [None]
    whole = [*lines, atom("CB", "ALA", 1, 150)]
    assert table(read(*whole))["accessibility"][0] > 1


def test_plddt_is_of_predictions_and_from_0_to_100():
    line, title = atom("CA", "GLY", 1, 0, b=0.91), "TITLE     ALPHAFOLD MONOMER V2.0 PREDICTION"
    assert table(read(line))["plddt"].to_list() == [None]
    assert table(read(title, line))["plddt"][0] == pytest.approx(91)
    assert table(read(title, atom("CA", "GLY", 1, 0, b=91.0)))["plddt"][0] == pytest.approx(91)


def test_a_chain_without_atoms_is_all_null():
    line = (
        "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id "
        "label_seq_id Cartn_x Cartn_y Cartn_z"
    )
    head = "".join(f"_atom_site.{column}\n" for column in line.split())
    rows = "ATOM 1 C CA . GLY A 1 ? ? ?\nATOM 2 C CA . GLY B 1 0 0 0\n"
    structure = read_structure(f"data_X\nloop_\n{head}{rows}".encode())
    found = table(structure, secondary="psea").row(0, named=True)
    assert found.pop("index") == 0
    assert set(found.values()) == {None}


def test_a_chain_of_another_structure_is_refused():
    one, other = (read(atom("CA", "GLY", 1, 0)) for _ in range(2))
    with pytest.raises(NotFoundError, match="another one"):
        residue_properties(one, other.chain("A"))


def test_without_biotite_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "biotite.structure", None)
    with pytest.raises(MissingExtraError, match=r"bio-interp\[structures\]"):
        table(read(atom("CA", "GLY", 1, 0)))


@pytest.mark.shared_data
def test_accessibility_of_protein_g_is_that_of_dssp(shared_data):
    structure = read_structure(shared_data / "structures/1PGA.cif.gz")
    chain = structure.chain("A")
    shares = table(structure)["accessibility"].to_list()
    largest = [LARGEST_SURFACE[residue.letter] for residue in chain.residues]
    found = [share * most for share, most in zip(shares, largest, strict=True)]
    assert found[:10] == pytest.approx(PROTEIN_G, abs=3)


@pytest.mark.shared_data
def test_the_heme_pocket_of_hemoglobin_is_that_of_the_paper(shared_data):
    """His F8 (87) holds the iron, His E7 (58) faces it, Phe CD1 (43) stacks on the heme."""
    structure = read_structure(shared_data / "structures/4hhb.cif.gz")
    chain = structure.chain("A")
    found = table(structure).with_columns(author=pl.Series([r.author for r in chain.residues]))
    near = set(found.filter(pl.col("ligand") <= 4.0)["author"])
    assert {43, 58, 62, 87, 93} <= near
    assert len(near) < 25
    assert found["interface"].min() < 4
    assert found["metal"].null_count() == found.height  # the iron is in HEM, not beside it
