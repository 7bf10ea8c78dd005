import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.errors import InputError
from bio_interp.structures import (
    contact_order,
    contacts,
    distances_to,
    distances_to_chains,
    distances_to_ligands,
    read_structure,
    side_coordinates,
)


def line(serial, atom, name, chain, number, x, y=0.0, record="ATOM"):
    start = f"{record:6}{serial:5}  {atom:3} {name:>3} {chain}{number:4}    "
    return f"{start}{x:8.3f}{y:8.3f}   0.000  1.00 20.00          {atom[0]:>2}"


def structure(*lines):
    return read_structure("\n".join([*lines, "END"]).encode())


@pytest.fixture
def hairpin():
    """Five residues along x and back, 4 A between the strands: 1-2-3 above 5-4."""
    places = [(0, 0), (4, 0), (8, 0), (8, 4), (4, 4)]
    return structure(*(line(i, "CA", "GLY", "A", i, x, y) for i, (x, y) in enumerate(places, 1)))


def test_contacts_are_those_counted_by_hand(hairpin):
    chain = hairpin.chain("A")
    # 4 A: 2-5 and 3-4; 5.66 A: 1-5, 2-4 and 3-5; 8 A apart: 1-3; 8.94 A: 1-4
    near = contacts(chain, cutoff=5.0, min_separation=1).tolist()
    assert near == [[0, 1], [1, 2], [1, 4], [2, 3], [3, 4]]
    assert contacts(chain, cutoff=6.0).tolist() == [[0, 4], [1, 4]]
    assert contacts(chain, cutoff=3.0).shape == (0, 2)


def test_contact_order_is_the_one_counted_by_hand(hairpin):
    # within 6 A: 1-2 2-3 3-4 4-5 (1 each), 2-5 (3), 1-5 (4), 2-4 (2), 3-5 (2)
    assert contact_order(hairpin.chain("A")) == pytest.approx((4 + 3 + 4 + 2 + 2) / 8 / 5)


def test_contact_order_of_a_residue_alone_is_unknown():
    assert math.isnan(contact_order(structure(line(1, "CA", "GLY", "A", 1, 0)).chain("A")))


def test_cb_stands_for_the_side_chain_and_ca_where_there_is_none():
    lines = [line(1, "CA", "ALA", "A", 1, 0), line(2, "CB", "ALA", "A", 1, 1.5)]
    chain = structure(*lines, line(3, "CA", "GLY", "A", 2, 3.8)).chain("A")
    assert side_coordinates(chain)[:, 0].tolist() == [1.5, 3.8]
    assert chain.coordinates[:, 0].tolist() == [0, 3.8]


@pytest.fixture
def complex_():
    protein = [line(i, "CA", "ALA", "A", i, 4.0 * i) for i in range(1, 5)]
    dna = [line(10 + i, "P", name, "B", i, 4.0, 6 + 7 * i) for i, name in enumerate(["DA", "DC"])]
    zinc = line(21, "ZN", "ZN", "A", 101, 16, 3, "HETATM").replace("           Z", "          ZN")
    rest = [line(22, "C1", "HEM", "A", 102, 4, 2, "HETATM"), line(23, "O", "HOH", "A", 103, 8, 1)]
    return structure(*protein, "TER", *dna, "TER", zinc, *rest)


def test_distances_to_ligands_are_by_kind_and_by_name(complex_):
    chain, ligands = complex_.chain("A"), complex_.ligands
    metal = distances_to_ligands(chain, ligands, kind="metal")
    np.testing.assert_allclose(metal, [math.hypot(12 - 4 * i, 3) for i in range(4)], atol=1e-6)
    assert distances_to_ligands(chain, ligands)[0] == pytest.approx(2)
    assert distances_to_ligands(chain, ligands, kind="water")[1] == pytest.approx(1)
    assert np.isnan(distances_to_ligands(chain, ligands, names={"ATP"})).all()
    with pytest.raises(InputError, match="'protein'"):
        distances_to_ligands(chain, ligands, kind="protein")


def test_distances_to_chains_leave_the_chain_itself_out(complex_):
    chain = complex_.chain("A")
    to_dna = distances_to_chains(chain, [c for c in complex_.chains if c.kind == "nucleic"])
    np.testing.assert_allclose(to_dna, [math.hypot(4.0 * i, 6) for i in range(4)], atol=1e-6)
    np.testing.assert_array_equal(distances_to_chains(chain, complex_.chains), to_dna)
    assert np.isnan(distances_to_chains(chain, [chain])).all()


def test_missing_residues_have_no_distance(made):
    content = made.pdb({"A": [*made.items("MK"), None, *made.items("WAY", 5)]})
    lines = b"SEQRES   1 A    7  MET LYS VAL LEU TRP ALA TYR\n" + content
    chain = read_structure(lines).chain("A")
    found = distances_to(chain, np.array([[0.0, 1.0, 0.0], [np.nan] * 3]))
    assert np.isnan(found).tolist() == [False, False, True, True, False, False, False]
    assert found[0] == pytest.approx(1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(3, 12))
def test_contacts_are_those_of_all_pairs(seed, cutoff):
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 20, size=(25, 2)).round(3)
    lines = [line(i + 1, "CA", "ALA", "A", i + 1, x, y) for i, (x, y) in enumerate(places)]
    chain = structure(*lines).chain("A")
    squared = ((places[:, None] - places[None]) ** 2).sum(2)
    expected = [[i, j] for i in range(25) for j in range(i + 3, 25) if squared[i, j] <= cutoff**2]
    assert contacts(chain, cutoff=cutoff).tolist() == expected
