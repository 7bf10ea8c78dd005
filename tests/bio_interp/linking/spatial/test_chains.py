"""What of a structure is tested, and as what."""

from itertools import chain

import gemmi
import numpy as np
import pytest

from bio_interp.linking.spatial import PROPERTIES, SpatialChain, one_a_cluster, spatial_chains
from bio_interp.sequences import Protein
from bio_interp.structures import read_structure

LETTERS = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRV"
OTHER = "GDWNPCHEGMTYQFKRLVISAADNEWPHCGTKMYFQLIRV"


def three(letter: str) -> str:
    return gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA)


def atoms(name: str, letters: str, y: float, skip: int = 0) -> list[str]:
    """Put CA atoms on a line; the first `skip` residues are not there."""
    line = "ATOM  {0:5}  CA  {1} {2}{3:4}    {4:8.3f}{5:8.3f}   0.000  1.00 20.00           C"
    return [
        line.format(i, three(letter), name, i + 100, 3.8 * i, y)
        for i, letter in enumerate(letters, 1)
        if i > skip
    ]


def structure(*lines: list[str]):
    zinc = "HETATM  999 ZN    ZN Z 999       7.600   2.000   0.000  1.00 20.00          ZN"
    return read_structure("\n".join([*chain.from_iterable(lines), zinc, "END"]).encode())


def test_of_equal_chains_the_one_that_shows_most_is_taken_and_peptides_are_not():
    seqres = [
        f"SEQRES {n + 1:3} {c}   40  {' '.join(three(x) for x in LETTERS[13 * n : 13 * n + 13])}"
        for c in "AB"
        for n in range(4)
    ]
    chains = [atoms("A", LETTERS, 0, skip=5), atoms("B", LETTERS, 9), atoms("C", OTHER[:29], 20)]
    found = list(spatial_chains([structure(seqres, *chains)]))
    assert [one.name[-1] for one in found] == ["B"]
    assert found[0].sequence == LETTERS
    assert found[0].shown.all()


def test_residues_that_were_predicted_without_confidence_are_not_shown():
    lines = atoms("A", LETTERS, 0)
    doubted = [line.replace(" 20.00 ", " 90.00 " if i > 6 else " 49.00 ")
               for i, line in enumerate(lines, 1)]  # fmt: skip
    title = "TITLE     ALPHAFOLD MONOMER V2.0 PREDICTION FOR A PROTEIN (P12345)"
    (found,) = spatial_chains([structure([title], doubted)])
    assert np.flatnonzero(~found.shown).tolist() == [0, 1, 2, 3, 4, 5]
    (crystal,) = spatial_chains([structure(doubted)])
    assert crystal.shown.all()


def test_properties_are_those_that_the_structure_knows():
    (found,) = spatial_chains([structure(atoms("A", LETTERS, 0))])
    assert "metal" in found.properties
    assert "ligand" not in found.properties
    assert set(found.properties) <= set(PROPERTIES)
    # zinc is 2 A beside the second residue: its neighbours are 4.3 A away
    assert np.flatnonzero(found.properties["metal"]).tolist() == [0, 1, 2]


def test_a_mapped_protein_is_read_whole_and_shown_in_part():
    protein = Protein("P1", "G" * 7 + LETTERS + "G" * 3)
    made = structure(atoms("A", LETTERS, 0, skip=4), atoms("B", OTHER, 30))
    (found,) = spatial_chains([made], [protein])
    assert found.sequence == protein.sequence
    assert np.flatnonzero(found.shown).tolist() == list(range(11, 47))
    assert found.coordinates[11, 0] == pytest.approx(3.8 * 5)
    metal = found.properties["metal"]
    assert np.isnan(metal[~found.shown]).all()
    assert not np.isnan(metal[found.shown]).any()


def test_one_chain_of_a_cluster_is_kept_the_one_that_shows_most():
    places = np.zeros((40, 3))
    part = np.where(np.arange(40)[:, None] < 5, np.nan, places)
    chains = [
        SpatialChain("part", LETTERS, part),
        SpatialChain("whole", LETTERS, places),
        SpatialChain("again", LETTERS, places),
        SpatialChain("other", OTHER, places),
    ]
    assert [one.name for one in one_a_cluster(chains, method="kmer")] == ["whole", "other"]
    assert one_a_cluster(chains[:1]) == chains[:1]
    assert one_a_cluster([]) == []
