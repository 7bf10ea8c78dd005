"""Concepts from structures: small files written here, with what they show counted by hand."""

import shutil

import gemmi
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bio_interp.annotations import (
    AnnotationTable,
    at_least,
    collect,
    evidence_level,
    filter_evidence,
)
from bio_interp.errors import AnnotationError, StructureError
from bio_interp.sequences import Protein
from bio_interp.structures import read_structure
from bio_interp.testing import check_annotator
from bio_interp_structures import ANNOTATOR
from bio_interp_structures._concepts import Settings
from bio_interp_structures._votes import VOTES, count

SEQUENCE = "MKTAYIAKQRQISFVKSHFS"
PROTEINS = [Protein("P1", f"GG{SEQUENCE}GG"), Protein("P2", "WWHHWWDDNNGGWWHHWWDD")]
PLAIN = {"secondary": "none"}
PREDICTED = "TITLE     ALPHAFOLD MONOMER V2.0 PREDICTION"


def atom(name, residue, chain, number, place, *, record="ATOM", b=20.0):
    x, y, z = place
    element = name if record == "HETATM" else name[0]
    shown = f"{name:4}" if len(element) == 2 else f" {name:3}"
    start = f"{record:6}    1 {shown} {residue:>3} {chain}{number:4}    {x:8.3f}{y:8.3f}{z:8.3f}"
    return f"{start}  1.00{b:6.2f}          {element:>2}"


def three(letter):
    return gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA)


def chain(letters, *, name="A", first=1, y=0.0, b=20.0, missing=()):
    """Put CA 4 A apart along x: residue `n` of the letters, from 1, at 4 n."""
    return [
        *(
            atom("CA", three(letter), name, first + i - 1, (4 * i, y, 0), b=b)
            for i, letter in enumerate(letters, 1)
            if i not in missing
        ),
        "TER",
    ]


def seqres(letters, name="A"):
    names = [three(letter) for letter in letters]
    return [
        f"SEQRES {row // 13 + 1:3} {name} {len(names):4}  {' '.join(names[row : row + 13])}"
        for row in range(0, len(names), 13)
    ]


def hetero(name, place, number=200):
    return atom(name, name, "A", number, place, record="HETATM")


@pytest.fixture
def write(tmp_path):
    def make(name, *lines):
        path = tmp_path / name
        path.write_text("\n".join([*lines, "END", ""]))
        return path

    return make


def places(table, concept, accession="P1"):
    rows = table.rows.filter((pl.col("concept") == concept) & (pl.col("accession") == accession))
    return list(rows.select("start", "end").iter_rows())


def looked(table, kind, accession="P1"):
    rows = table.coverage.filter((pl.col("kind") == kind) & (pl.col("accession") == accession))
    return list(rows.select("start", "end").iter_rows())


def test_what_is_near_a_metal_and_a_ligand_is_put_onto_the_protein(write):
    # zinc stands 2 A above residue 4, CA at x = 16: 4.5 A from residues 3 and 5
    heme = atom("C1", "HEM", "A", 201, (32, 4.9, 0), record="HETATM").replace("C1", "C ")
    path = write("a.pdb", *chain(SEQUENCE), hetero("ZN", (16, 2, 0)), heme)
    table = ANNOTATOR.annotate([path], PROTEINS, options=PLAIN)
    # the chain begins at position 3 of P1
    assert places(table, "structure:metal") == places(table, "structure:metal/ZN") == [(6, 6)]
    assert places(table, "structure:ligand/HEM") == places(table, "structure:ligand") == [(10, 10)]
    assert looked(table, "structure:metal/ZN") == [(3, 22)]
    wider = ANNOTATOR.annotate([path], PROTEINS, options=PLAIN | {"metal": "4.5"})
    assert places(wider, "structure:metal") == [(5, 5), (6, 6), (7, 7)]


def test_unresolved_residues_and_tails_are_unknown_and_not_negative(write):
    lines = [*seqres(SEQUENCE), *chain(SEQUENCE, missing=(8, 9, 10))]
    table = ANNOTATOR.annotate([write("a.pdb", *lines, hetero("ZN", (16, 2, 0)))], PROTEINS,
                               options=PLAIN)  # fmt: skip
    assert looked(table, "structure:metal") == [(3, 9), (13, 22)]
    assert not table.coverage["accession"].is_in(["P2"]).any()


def test_no_partner_is_no_coverage(write):
    table = ANNOTATOR.annotate([write("a.pdb", *chain(SEQUENCE))], PROTEINS, options=PLAIN)
    for kind in ("ligand", "metal", "nucleic", "interface", "site", "near_site"):
        assert looked(table, f"structure:{kind}") == []
    assert looked(table, "structure:disulfide") == [(3, 22)]  # the chain has no cysteine: none


def test_an_interface_and_a_site_are_found(write):
    site = ["REMARK 800", "REMARK 800 SITE_IDENTIFIER: CAT",
            "REMARK 800 SITE_DESCRIPTION: ACTIVE SITE", "SITE     1 CAT  1 ALA A   4"]  # fmt: skip
    other = atom("CA", "GLY", "B", 1, (40, 3, 0))  # residue 10, and 9 and 11 at the limit of 5 A
    path = write("a.pdb", *site, *chain(SEQUENCE), other)
    table = ANNOTATOR.annotate([path], PROTEINS, options=PLAIN)
    assert places(table, "structure:interface") == [(11, 11), (12, 12), (13, 13)]
    assert places(table, "structure:site") == [(6, 6)]
    assert places(table, "structure:near_site") == [(5, 5), (6, 6), (7, 7)]


def test_one_chain_is_enough_for_a_partner(write):
    bound = write("bound.pdb", *chain(SEQUENCE), hetero("ZN", (16, 2, 0)))
    free = [write(f"{i}.pdb", *chain(SEQUENCE), hetero("ZN", (16, 50, 0))) for i in range(2)]
    table = ANNOTATOR.annotate([bound, *free], PROTEINS, options=PLAIN)
    assert places(table, "structure:metal") == [(6, 6)]
    row = table.rows.filter(pl.col("concept") == "structure:metal").row(0, named=True)
    assert row["structures"] == ["bound.pdb"]


def test_most_chains_decide_on_confidence_and_a_draw_is_unknown(write):
    files = [write("a.pdb", PREDICTED, *chain(SEQUENCE, b=95)),
             write("b.pdb", PREDICTED, *chain(SEQUENCE, b=60))]  # fmt: skip
    draw = ANNOTATOR.annotate(files, PROTEINS, options=PLAIN)
    assert places(draw, "structure:plddt/very_high") == []
    assert looked(draw, "structure:plddt/very_high") == []
    third = write("c.pdb", PREDICTED, *chain(SEQUENCE[:10], b=99))
    table = ANNOTATOR.annotate([*files, third], PROTEINS, options=PLAIN)
    assert places(table, "structure:plddt/very_high") == [(3, 12)]
    assert looked(table, "structure:plddt/very_high") == [(3, 12)]


@pytest.mark.parametrize(
    ("value", "band"),
    [(90.01, "very_high"), (90, "confident"), (70, "low"), (50, "very_low")],
)
def test_the_bands_are_those_of_alphafold_db(write, value, band):
    path = write("a.pdb", PREDICTED, *chain(SEQUENCE, b=value))
    table = ANNOTATOR.annotate([path], PROTEINS, options=PLAIN)
    found = {c for c in table.rows["concept"] if "plddt" in c}
    assert found == {f"structure:plddt/{band}"}


def test_a_prediction_of_low_confidence_says_nothing_but_that(write):
    path = write("a.pdb", PREDICTED, *chain(SEQUENCE, b=69.9), hetero("ZN", (16, 2, 0)))
    kinds = set(ANNOTATOR.annotate([path], PROTEINS, options=PLAIN).coverage["kind"])
    assert kinds == {f"structure:plddt/{b}" for b in ("very_high", "confident", "low", "very_low")}
    open_to_all = ANNOTATOR.annotate([path], PROTEINS, options=PLAIN | {"plddt": "0"})
    assert places(open_to_all, "structure:metal") == [(6, 6)]


def test_evidence_says_experiment_or_prediction(write):
    lines = [*chain(SEQUENCE, b=95), hetero("ZN", (16, 2, 0))]
    files = [write("a.pdb", PREDICTED, *lines), write("b.pdb", *lines)]
    for chosen, level in ((files[:1], "sequence_model"), (files, "combinatorial")):
        table = ANNOTATOR.annotate(chosen, PROTEINS, options=PLAIN)
        rows = table.rows.filter(pl.col("concept") == "structure:metal")
        assert [evidence_level(code) for code in rows["evidence"]] == [level]


def test_secondary_structure_is_named_by_what_assigned_it(write, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    zigzag = [atom("CA", three(letter), "A", i, (3.3 * i, 1.9 * (i % 2), 0))
              for i, letter in enumerate(SEQUENCE, 1)]  # fmt: skip
    table = ANNOTATOR.annotate([write("a.pdb", *zigzag)], PROTEINS)
    ((start, end),) = places(table, "psea:strand")  # one span, not a row a residue
    assert (start, end) == pytest.approx((3, 22), abs=2)
    assert not any(concept.startswith("dssp:") for concept in table.concepts["concept"])
    helix = table.concepts.filter(pl.col("concept") == "psea:helix").row(0, named=True)
    assert (helix["world"], helix["level"]) == ("closed", "span")
    assert helix["release"].startswith("P-SEA of biotite")
    assert looked(table, "psea:helix") == [(3, 22)]


def test_partners_are_open_world_and_sites(write):
    path = write("a.pdb", *chain(SEQUENCE), hetero("ZN", (16, 2, 0)))
    concepts = ANNOTATOR.annotate([path], PROTEINS, options=PLAIN).concepts
    world = dict(concepts.select("concept", "world").iter_rows())
    assert world["structure:metal/ZN"] == world["structure:metal"] == "open"
    assert world["structure:disulfide"] == "closed"
    assert set(concepts["level"]) == {"residue"}


def test_bridged_neighbours_are_two_sites(write):
    letters = "MKTAYCCKQRQISFVKSHFS"
    sulfurs = [atom("SG", "CYS", "A", n, (x, 0, 9)) for n, x in ((6, 24), (7, 26))]
    lines = [line for line in chain(letters) if line != "TER"]
    path = write("a.pdb", *lines[:6], sulfurs[0], lines[6], sulfurs[1], *lines[7:])
    table = ANNOTATOR.annotate([path], [Protein("P1", letters)], options=PLAIN)
    assert places(table, "structure:disulfide") == [(6, 6), (7, 7)]


def test_without_proteins_each_chain_is_one(write, caplog):
    lines = [
        *chain(SEQUENCE, first=101),
        *chain(SEQUENCE, name="B", y=4),
        hetero("ZN", (16, -2, 0)),
    ]
    table = ANNOTATOR.annotate([write("mine.pdb", *lines)], options=PLAIN)
    assert places(table, "structure:metal", "mine_A") == [(4, 4)]
    assert looked(table, "structure:metal", "mine_B") == [(1, 20)]
    assert "no proteins were given" in caplog.text


def test_chains_that_are_none_of_the_proteins_are_told(write, caplog):
    caplog.set_level("INFO")
    path = write("a.pdb", *chain("CCCPPPCCCPPPCCCPPP"))
    table = ANNOTATOR.annotate([path], PROTEINS, options=PLAIN)
    assert (table.rows.height, table.coverage.height, table.concepts.height) == (0, 0, 0)
    assert "1 of 1 files show none of the proteins: a.pdb" in caplog.text
    assert "chain A is none of the proteins" in caplog.text


def test_a_chain_with_mutations_and_a_tag_still_finds_its_protein(write):
    """Each tenth letter changed leaves half of the words of five."""
    mutated = "".join("G" if i % 10 == 9 else x for i, x in enumerate(2 * SEQUENCE))
    protein = Protein("P1", 2 * SEQUENCE[:10] + 2 * SEQUENCE + "WYHDNWYHDN")
    lines = [*chain("HHHHHHSSGG" + mutated), hetero("ZN", (4 * 14, 2, 0))]
    table = ANNOTATOR.annotate([write("a.pdb", *lines)], [protein, *PROTEINS[1:]], options=PLAIN)
    assert places(table, "structure:metal") == [(24, 24)]


@pytest.mark.parametrize(
    "options",
    [{"metal": "near"}, {"metal": "-1"}, {"ligand": "nan"}, {"radius": "5"}, {"secondary": "x"}],
)
def test_a_wrong_option_is_refused(write, options):
    (name,) = options
    with pytest.raises(AnnotationError, match=name if name != "secondary" else "psea"):
        ANNOTATOR.annotate([write("a.pdb", *chain(SEQUENCE))], PROTEINS, options=options)


def test_a_cut_file_and_no_file_are_errors(write, tmp_path):
    whole = write("a.pdb", "HEADER", *chain(SEQUENCE)).read_text()
    cut = tmp_path / "cut.pdb"
    cut.write_text(whole[:-30])
    with pytest.raises(StructureError, match=r"cut\.pdb"):
        ANNOTATOR.annotate([cut], PROTEINS)
    with pytest.raises(AnnotationError, match="none"):
        ANNOTATOR.annotate([], PROTEINS)


def test_coordinates_that_are_no_numbers_and_names_that_are_none_do_no_harm(write):
    nan = chain(SEQUENCE)[9].replace("  40.000", "     nan")
    lines = chain(SEQUENCE)
    odd = atom("ZN", "Z,/", "A", 200, (16, 2, 0), record="HETATM")
    path = write("a.pdb", *lines[:9], nan, *lines[10:], odd)
    table = ANNOTATOR.annotate([path], PROTEINS, options=PLAIN)
    assert places(table, "structure:metal") == [(6, 6)]
    assert looked(table, "structure:metal") == [(3, 11), (13, 22)]
    assert {c for c in table.concepts["concept"] if "/" in c} == set()


@pytest.mark.parametrize("text", ["", ">sp|P1\nMKV\n", "a,b\nHEADER,1\n", "data_x\n_cell.a 1\n"])
def test_other_files_are_not_read(tmp_path, text):
    path = tmp_path / "file"
    path.write_text(text)
    assert not ANNOTATOR.reads(path)
    assert not ANNOTATOR.reads(tmp_path)
    assert not ANNOTATOR.reads(tmp_path / "nothing")


def test_it_keeps_the_promises_of_annotators(write):
    path = write("a.pdb", *chain(SEQUENCE), hetero("ZN", (16, 2, 0)))
    check_annotator(ANNOTATOR, [path], PROTEINS)


def test_its_table_joins_others_and_comes_back_from_disk(write, tmp_path):
    path = write("a.pdb", *chain(SEQUENCE), hetero("ZN", (16, 2, 0)))
    table = ANNOTATOR.annotate([path], PROTEINS, options=PLAIN)
    other = AnnotationTable.from_records([], [], [])
    AnnotationTable.concat([other, table]).save(tmp_path / "out")
    back = AnnotationTable.load(tmp_path / "out")
    assert back.rows.select(table.rows.columns).equals(table.rows)
    kept = filter_evidence(back, at_least("combinatorial"))
    assert kept.rows.height == table.rows.height


def test_the_same_file_twice_counts_once(write):
    path = write("a.pdb", *chain(SEQUENCE), hetero("ZN", (16, 2, 0)))
    one, two = (ANNOTATOR.annotate([path] * n, PROTEINS, options=PLAIN) for n in (1, 2))
    assert one.rows.equals(two.rows)


def test_options_are_read_as_numbers():
    read = Settings.read({"metal": "2.5", "secondary": "psea"})
    assert (read.metal, read.secondary, read.ligand) == (2.5, "psea", 5.0)


VOTE = st.tuples(st.integers(1, 3), st.sampled_from("ab"), st.booleans(), st.sampled_from("xyz"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(VOTE, max_size=12), st.integers(0, 12))
def test_votes_add_up_in_any_order_and_grouping(given_votes, cut):
    def frame(votes):
        rows = [("P1", p, c, 1, int(yes), yes, [name] if yes else []) for p, c, yes, name in votes]
        return pl.DataFrame(rows, schema=VOTES, orient="row")

    order = ["concept", "position"]
    whole = count([frame(given_votes)]).sort(order)
    parts = [count([frame(given_votes[cut:])]), count([frame(given_votes[:cut])])]
    assert whole.equals(count(parts).sort(order))


@pytest.mark.shared_data
def test_hemoglobin_of_the_pdb_lands_on_uniprots_numbers(shared_data):
    """In UniProt the first methionine counts: His F8 of alpha is 88, of beta 93."""
    path = shared_data / "structures/4hhb.cif.gz"
    structure = read_structure(path)
    proteins = [Protein(n, "M" + structure.chain(c).sequence) for n, c in
                (("P69905", "A"), ("P68871", "B"))]  # fmt: skip
    table = ANNOTATOR.annotate([path], proteins, options={"secondary": "psea"})
    alpha = {start for start, _ in places(table, "structure:ligand/HEM", "P69905")}
    beta = {start for start, _ in places(table, "structure:ligand/HEM", "P68871")}
    assert {59, 88} <= alpha
    assert {64, 93} <= beta
    assert looked(table, "structure:disulfide", "P69905") == [(2, 142)]
    # of 113 and 117 chain A says buried and chain C exposed, or the other way round
    assert looked(table, "structure:buried", "P69905") == [(2, 112), (114, 116), (118, 142)]
    assert len(places(table, "psea:helix", "P69905")) >= 6


@pytest.mark.shared_data
@pytest.mark.skipif(shutil.which("mkdssp") is None, reason="mkdssp is not on PATH")
def test_rnase_like_inhibitor_has_its_three_bridges(shared_data):
    """BPTI 5PTI: bridges 5-55, 14-38, 30-51; two strands and a helix at the end."""
    table = collect([shared_data / "structures/5pti.cif.gz"], annotator="structure")
    accession = "5PTI_A"
    bridged = [start for start, _ in places(table, "structure:disulfide", accession)]
    assert bridged == [5, 14, 30, 38, 51, 55]
    assert any(start <= 50 <= end for start, end in places(table, "dssp:helix", accession))
    assert any(start <= 33 <= end for start, end in places(table, "dssp:strand", accession))
