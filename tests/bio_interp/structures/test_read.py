import gzip
import math
import os
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.errors import BioInterpError, MissingExtraError, NotFoundError, StructureError
from bio_interp.structures import ResidueId, read_structure

SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQLEERLG"


@pytest.fixture
def plain(made):
    return made.pdb({"A": made.items(SEQUENCE)})


def test_pdb_and_mmcif_of_the_same_atoms_are_the_same_chain(made, plain):
    one = read_structure(plain).chain("A")
    two = read_structure(made.cif(made.cif_rows(SEQUENCE))).chain("A")
    assert one.sequence == two.sequence == SEQUENCE
    assert [r.author for r in one.residues] == [r.author for r in two.residues]
    assert [r.label_seq for r in one.residues] == list(range(1, 29))
    np.testing.assert_allclose(np.diff(one.coordinates[:, 0]), 3.8, atol=0.002)
    np.testing.assert_allclose(np.diff(two.coordinates[:, 0]), 3.8, atol=0.11)


@pytest.mark.parametrize("name", ["x.pdb", "x.cif", "x.txt", "x.pdb.gz"])
@pytest.mark.parametrize("packed", [False, True])
def test_format_and_compression_are_told_by_content(plain, tmp_path, name, packed):
    path = tmp_path / name
    path.write_bytes(gzip.compress(plain) if packed else plain)
    assert read_structure(path).chain("A").sequence == SEQUENCE
    assert read_structure(path.read_bytes()).chain("A").sequence == SEQUENCE


def test_the_name_is_that_of_the_entry_else_of_the_file(made, plain, tmp_path):
    (tmp_path / "mine.pdb").write_bytes(plain)
    assert read_structure(tmp_path / "mine.pdb").name == "mine.pdb"
    header = f"HEADER    HYDROLASE{'':31}01-JAN-00   1XYZ"
    assert read_structure(made.pdb({"A": made.items("MKV")}, head=[header])).name == "1XYZ"


def test_of_alternate_locations_the_most_occupied_is_kept():
    line = "ATOM      1  CA {}ALA A   1    {:8.3f}   2.000   3.000  {:4.2f} {:5.2f}           C"
    lines = [line.format("A", 1.0, 0.4, 10.0), line.format("B", 9.0, 0.6, 30.0), "END"]
    structure = read_structure("\n".join(lines).encode())
    (residue,) = structure.chain("A").residues
    assert (residue.coordinates, residue.b_factor) == ((9.0, 2.0, 3.0), 30.0)
    assert structure.chain("A").atoms.coordinates.shape == (1, 3)


def test_of_several_residues_in_one_place_the_most_occupied_is_kept(made):
    rows = made.cif_rows("MKV")
    rows[1] = rows[1].replace(" 0 0 1 20", " 0 0 0.3 20")
    rows.insert(2, rows[1].replace("LYS", "SER").replace(" 0.3 20", " 0.7 20"))
    table = "\n".join(["1 1 MET", "1 2 LYS", "1 2 SER", "1 3 VAL"])
    head = "".join(f"_entity_poly_seq.{c}\n" for c in ("entity_id", "num", "mon_id"))
    chain = read_structure(
        made.cif(rows, "_entity.id 1\n_entity.type polymer\n", f"loop_\n{head}{table}\n")
    )
    chain = chain.chain("A")
    assert (chain.sequence, len(chain)) == ("MSV", 3)


def test_author_and_label_numbers_and_names_are_both_kept(made):
    rows = [
        row.replace(" A 1\n", "").replace(" A 1", " Q 1").replace(" Q 1 ", " A 1 ", 1)
        for row in made.cif_rows("MKV", first=-1)
    ]
    chain = read_structure(made.cif(rows)).chain("Q")
    assert (chain.name, chain.label) == ("Q", "A")
    assert [(r.label_seq, r.author) for r in chain.residues] == [(1, -1), (2, 0), (3, 1)]


def test_missing_residues_have_the_numbers_that_the_scheme_gives(made):
    rows = made.cif_rows("MKVLW", first=10)
    del rows[2]
    poly = "".join(f"1 {i} {made.three(c)}\n" for i, c in enumerate("MKVLW", 1))
    scheme = "".join(f"A {i} {9 + i} {'C' if i == 3 else '.'}\n" for i in range(1, 6))
    tables = (
        "_entity.id 1\n_entity.type polymer\n",
        f"loop_\n_entity_poly_seq.entity_id\n_entity_poly_seq.num\n_entity_poly_seq.mon_id\n{poly}",
        "loop_\n_pdbx_poly_seq_scheme.asym_id\n_pdbx_poly_seq_scheme.seq_id\n"
        f"_pdbx_poly_seq_scheme.pdb_seq_num\n_pdbx_poly_seq_scheme.pdb_ins_code\n{scheme}",
    )
    chain = read_structure(made.cif(rows, *tables)).chain("A")
    missing = chain.residues[2]
    assert (missing.resolved, missing.author, missing.insertion) == (False, 12, "C")
    assert chain.has_sequence


def test_missing_residues_of_pdb_have_the_numbers_of_remark_465(made):
    seen = [*made.items("MK", -2), None, *made.items("WAYI", 2)]
    head = [
        "REMARK 465   M RES C SSSEQI",
        "REMARK 465     VAL A     0",
        "REMARK 465     LEU A     1",
    ]
    structure = read_structure(made.pdb({"A": seen}, seqres={"A": "MKVLWAYI"}, head=head))
    chain = structure.chain("A")
    assert [r.author for r in chain.residues] == [-2, -1, 0, 1, 2, 3, 4, 5]
    assert [r.resolved for r in chain.residues] == [True] * 2 + [False] * 2 + [True] * 4


def test_coordinates_that_are_nan_or_unknown_are_missing(made):
    rows = made.cif_rows("MKVL")
    rows[1] = rows[1].replace("7.6 0 0", "nan 0 0")
    rows[2] = rows[2].replace("11.4 0 0", "? ? ?")
    chain = read_structure(made.cif(rows)).chain("A")
    assert [r.resolved for r in chain.residues] == [True, False, False, True]
    assert np.isnan(chain.coordinates[1:3]).all()
    assert math.isnan(chain.residues[1].b_factor)
    assert chain.atoms.index.tolist() == [0, 3]


def test_a_residue_without_ca_is_resolved_and_has_no_place(made):
    rows = made.cif_rows("MKV")
    rows[1] = rows[1].replace("C CA", "N N")
    residue = read_structure(made.cif(rows)).chain("A").residues[1]
    assert residue.resolved
    assert np.isnan(residue.coordinates).all()


def test_ligands_metals_and_waters_are_apart(made):
    line = "HETATM  901 {:>4} {:>3} A{:4}       1.000   2.000   3.000  1.00 20.00          {:>2}"
    lines = [*made.atom_lines("A", made.items(SEQUENCE)), "TER"]
    lines += [line.format("ZN", "ZN", 101, "ZN"), line.format("C1", "GOL", 102, "C")]
    lines += [line.format("O", "HOH", 103, "O"), "END"]
    structure = read_structure("\n".join(lines).encode())
    assert [(lig.name, lig.kind, lig.id) for lig in structure.ligands] == [
        ("ZN", "metal", ResidueId("A", 101)),
        ("GOL", "ligand", ResidueId("A", 102)),
        ("HOH", "water", ResidueId("A", 103)),
    ]
    assert structure.ligands[0].coordinates.tolist() == [[1, 2, 3]]
    assert len(structure.chain("A")) == len(SEQUENCE)


def test_several_models_are_kept_and_the_first_is_the_structure(made):
    atoms = made.atom_lines("A", made.items("MKV"))
    moved = [line.replace("   0.000", "   5.000") for line in atoms]
    lines = ["MODEL        1", *atoms, "ENDMDL", "MODEL        2", *moved, "ENDMDL", "END"]
    structure = read_structure("\n".join(lines).encode())
    assert [model.number for model in structure.models] == [1, 2]
    assert structure.chain("A") is structure.models[0].chains[0]
    assert structure.models[1].chain("A").coordinates[0, 1] == 5


def test_records_of_pdb_are_kept(made):
    head = [
        "TITLE     ALPHAFOLD MONOMER V2.0 PREDICTION FOR X",
        "EXPDTA    THEORETICAL MODEL",
        "SSBOND   1 CYS A    2    CYS A    5                          1555   1555  2.03",
        "REMARK 800 SITE_IDENTIFIER: AC1",
        "REMARK 800 SITE_DESCRIPTION: BINDING SITE FOR ZN",
        "SITE     1 AC1  2 CYS A   2  CYS A   5A",
    ]
    structure = read_structure(made.pdb({"A": made.items("MCVLC")}, head=head))
    assert structure.predicted
    assert structure.method == "theoretical model"
    assert structure.disulfides == ((ResidueId("A", 2), ResidueId("A", 5)),)
    (site,) = structure.sites
    assert (site.name, site.description) == ("AC1", "BINDING SITE FOR ZN")
    assert site.residues == (ResidueId("A", 2), ResidueId("A", 5, "A"))


def test_an_unknown_chain_names_those_that_are_there(plain):
    with pytest.raises(NotFoundError, match="there: 'A'"):
        read_structure(plain).chain("Z")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b'{"a": 1}', "JSON"),
        (b">P1\nMKV\n", "FASTA"),
        (b"hello", "of another kind"),
        (b"data_x\n", "no values of _atom_site"),
        (b"data_x\n_entry.id x\n", "no values of _atom_site"),
        (b"HEADER    X\nEND\n", "no such atom"),
        (b"data_x\nloop_\n_atom_site.id\n_atom_site.x\n1 2 3\n", "Wrong number of values"),
        (b"\x83\xa7version\xa30.3\xa7encoder\xa1x\xaadataBlocks", "Binary"),
    ],
)
def test_what_is_no_structure_is_refused_with_what_it_looks_like(content, says):
    with pytest.raises((StructureError, MissingExtraError), match=says):
        read_structure(content, "x.cif")


def test_a_cut_file_is_never_taken_for_a_whole_one(made, plain, tmp_path):
    packed = gzip.compress(plain)
    path = tmp_path / "x.pdb.gz"
    for cut in range(20, len(packed), 37):
        path.write_bytes(packed[:cut])
        with pytest.raises(StructureError, match=r"early|damaged"):
            read_structure(path)
        with pytest.raises(StructureError, match=r"early|damaged"):
            read_structure(packed[:cut])
    middle = plain.rindex(b"ATOM") + 40
    with pytest.raises(StructureError, match="columns 31 to 54"):
        read_structure(plain[:middle])
    whole = b"HEADER    X\n" + plain
    with pytest.raises(StructureError, match="it is cut"):
        read_structure(whole[: whole.rindex(b"ATOM")])
    assert read_structure(whole).chain("A").sequence == SEQUENCE


def test_mmcif_that_is_cut_between_two_lines_is_found_where_the_file_ends_its_categories(made):
    rows = made.cif_rows(SEQUENCE)
    head = "_audit_conform.dict_name mmcif_pdbx.dic\n#\n"
    whole = made.cif(rows, head) + b"#\n"
    assert read_structure(whole).chain("A").sequence == SEQUENCE
    with pytest.raises(StructureError, match="it is cut"):
        read_structure(made.cif(rows[:10], head))
    with pytest.raises(StructureError, match="Wrong number of values"):
        read_structure(whole[: whole.rindex(b" 1 28 ?")] + b"\n#\n")


@pytest.mark.parametrize("word", ["abc", "1.2.3", "'1 2'"])
def test_coordinates_that_are_words_are_no_missing_ones(made, word):
    rows = made.cif_rows("MKV")
    rows[1] = rows[1].replace("7.6 0 0", f"{word} 0 0")
    with pytest.raises(StructureError, match=r"a number in _atom_site\.Cartn_x"):
        read_structure(made.cif(rows))


def test_a_file_without_any_coordinates_is_refused(made):
    rows = [row.replace(" 0 0 1 20", " nan nan 1 20") for row in made.cif_rows("MKV")]
    with pytest.raises(StructureError, match="no such atom"):
        read_structure(made.cif(rows))


def test_paths_that_are_no_files_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (
        tmp_path,
        tmp_path / "none.cif",
        tmp_path / "pipe",
        "/dev/zero",
        "a\0b",
        "x" * 999,
    ):
        with pytest.raises(StructureError, match="Check the path"):
            read_structure(path)


def test_a_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr("bio_interp.structures._read.LARGEST", 1 << 21)
    with pytest.raises(StructureError, match="at most 2,097,152 bytes"):
        read_structure(gzip.compress(b"data_x\n" + b" " * (1 << 23)))


def test_a_large_entry_with_a_label_out_of_this_world_needs_no_memory(made):
    rows = made.cif_rows("MKV")
    rows[2] = rows[2].replace(" 1 3 ?", " 1 2000000000 ?")
    assert len(read_structure(made.cif(rows)).chain("A")) == 3


def test_binary_cif_without_biotite_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "biotite.structure.io.pdbx", None)
    with pytest.raises(MissingExtraError, match=r"bio-interp\[structures\]"):
        read_structure(b"\x83\xa7version\xa30.3\xa7encoder\xa1x\xaadataBlocks\x90")


def test_binary_cif_is_read_as_the_mmcif_that_it_stands_for(made):
    pdbx = pytest.importorskip("biotite.structure.io.pdbx")
    import io

    text = made.cif(made.cif_rows(SEQUENCE, first=-3)).decode()
    source = pdbx.CIFFile.read(io.StringIO(text))
    block = pdbx.BinaryCIFBlock()
    for name, category in source.block.items():
        columns = {}
        for key, column in category.items():
            mask = None if column.mask is None else column.mask.array
            columns[key] = pdbx.BinaryCIFColumn(column.as_array(str), mask)
        block[name] = pdbx.BinaryCIFCategory(columns)
    packed = io.BytesIO()
    pdbx.BinaryCIFFile({"X": block}).write(packed)
    one, two = read_structure(text.encode()), read_structure(packed.getvalue())
    assert repr(one.chain("A").residues) == repr(two.chain("A").residues)
    with pytest.raises(StructureError, match="cut or damaged"):
        read_structure(packed.getvalue()[:-50])


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 2500))
def test_damage_is_an_error_of_ours_or_a_structure(made, noise, at):
    whole = made.cif(made.cif_rows(SEQUENCE))
    for content in (noise, whole[:at] + noise + whole[at + len(noise) :]):
        try:
            read_structure(content)
        except BioInterpError:
            continue
