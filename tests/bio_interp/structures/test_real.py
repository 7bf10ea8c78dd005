"""The shared structures: 18 files with a known place in a protein, and all others."""

import csv
import gzip
import xml.etree.ElementTree as ET

import pytest

from bio_interp.errors import MismatchError
from bio_interp.sequences import Protein, read_proteins
from bio_interp.structures import map_chain, read_structure, recorded_maps

pytestmark = pytest.mark.shared_data
SPACE = "{http://uniprot.org/uniprot}"
COLUMN = "segments_author_number=uniprot_position"


@pytest.fixture(scope="module")
def table(shared_data):
    with (shared_data / "structures/CHAIN_TO_UNIPROT.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def proteins(shared_data, table):
    wanted = {row["uniprot"] for row in table}
    files = [shared_data / "proteome_yeast/yeast.fasta.gz"]
    files += sorted((shared_data / "uniprot_flat").glob("swissprot*.dat.gz"))
    files += [shared_data / "uniprot_fixtures/emboss_seq.dat.gz"]
    found = {p.accession: p for f in files for p in read_proteins(f) if p.accession in wanted}
    with gzip.open(shared_data / "uniprot_fixtures/uniprot_250_entries.xml.gz") as file:
        for entry in ET.parse(file).getroot().iter(f"{SPACE}entry"):
            name = entry.findtext(f"{SPACE}accession")
            if name in wanted:
                found.setdefault(name, Protein(name, entry.findtext(f"{SPACE}sequence").strip()))
    return found


@pytest.fixture(scope="module")
def structures(shared_data):
    folder = shared_data / "structures"
    return {f"structures/{p.name}": read_structure(p) for p in sorted(folder.glob("*.gz"))}


def positions(text):
    for segment in text.split(";"):
        (start, end), (first, _) = (map(int, part.split("-")) for part in segment.split("="))
        yield from ((number, first + number - start) for number in range(start, end + 1))


def test_every_residue_of_the_18_files_is_where_the_table_says(table, proteins, structures):
    here = [row for row in table if row["file"] in structures]
    assert len({row["file"] for row in here}) == 15  # three of the 18 lie in another folder
    for row in here:
        chain = structures[row["file"]].chain(row["chain"])
        found = map_chain(chain, proteins[row["uniprot"]])
        truth = dict(positions(row[COLUMN]))
        ours = {
            residue.author: position
            for residue, position in zip(chain.residues, found.positions, strict=True)
            if residue.resolved and position is not None
        }
        assert ours == truth, row["file"]
        assert found.identity == pytest.approx(float(row["identity"]), abs=0.001)


def test_the_three_chains_without_a_header_are_aligned(shared_data, table, proteins):
    for row in table:
        if row["file"].startswith("structures_dssp"):
            chain = read_structure(shared_data / row["file"]).chain(row["chain"])
            found = map_chain(chain, proteins[row["uniprot"]])
            assert found.how == "alignment"
            ours = {
                r.author: p
                for r, p in zip(chain.residues, found.positions, strict=True)
                if p is not None
            }
            truth = dict(positions(row[COLUMN]))
            # the table puts residue 99 of 2CAY at 251, by its letter; it is bonded to 98
            other = {n for n in truth if ours[n] != truth[n]}
            assert other <= ({99} if "2cay" in row["file"] else set())


def test_records_that_count_without_the_first_methionine_are_found_out(proteins, structures):
    for name, accession in (("4hhb.cif.gz", "P69905"), ("1HHO.pdb.gz", "P69905")):
        found = map_chain(structures[f"structures/{name}"].chain("A"), proteins[accession])
        assert found.how == "alignment"
        assert "contradicts" in found.note
        assert found.positions[0] == 2


def test_no_chain_is_mapped_to_a_protein_that_it_is_not(table, proteins, structures):
    for row in table:
        if row["file"] in structures and row["chain"] == "A":
            for accession, protein in proteins.items():
                if accession != row["uniprot"]:
                    with pytest.raises(MismatchError):
                        map_chain(structures[row["file"]].chain(row["chain"]), protein)


def test_all_46_are_read_and_those_with_a_record_are_mapped_by_it(structures):
    assert len(structures) == 46
    without = set()
    for name, structure in structures.items():
        proteins = [chain for chain in structure.chains if chain.kind == "protein"]
        assert proteins, name
        maps = [found for chain in proteins for found in recorded_maps(chain)]
        assert all(found.how != "alignment" for found in maps)
        if not maps:
            without.add(name.removeprefix("structures/"))
    designed, stripped = {"1l2y.pdb.gz", "5eil.pdb.gz"}, {"7CFN.cif.gz", "adk_open.pdb.gz"}
    assert without == designed | stripped


def test_what_the_entries_hold_beside_their_chains_is_read(structures):
    entry = structures["structures/5ugo.cif.gz"]
    kinds = {chain.name: chain.kind for chain in entry.chains}
    assert kinds == {"T": "nucleic", "P": "nucleic", "D": "nucleic", "A": "protein"}
    assert {lig.name for lig in entry.ligands if lig.kind == "metal"} == {"CA"}
    assert len(structures["structures/1l2y.pdb.gz"].models) == 38
    assert structures["structures/1l2y.pdb.gz"].method == "solution nmr"
    assert len(structures["structures/1aki.cif.gz"].disulfides) == 4
    assert structures["structures/1aki.cif.gz"].resolution == 1.5
    predicted = {name for name, s in structures.items() if s.predicted}
    assert len(predicted) == 6
    flu = structures["structures/1ncb.cif.gz"].chain("N")
    assert {r.insertion for r in flu.residues} == {"", "A", "B"}
