"""What becomes of features: concepts, rows, coverage."""

import logging
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from bio_interp.annotations import AnnotationTable, Annotator
from bio_interp.errors import AnnotationError
from bio_interp.sequences import Protein
from bio_interp.testing import check_annotator
from bio_interp_uniprot import ANNOTATOR

TOYS = Path(__file__).parents[1] / "data/uniprot"
SEQUENCE = "MKLLAVVLALCASGTWAQAEKRPHNDECFYISKWCGTNHPVLQEACSDYRTCISKNLVGH"


def read(*names: str, **options: str) -> AnnotationTable:
    return ANNOTATOR.annotate([TOYS / name for name in names], options=options)


def spans(table: AnnotationTable, concept: str) -> list[tuple[int, int]]:
    rows = table.rows.filter(pl.col("concept") == concept)
    return [(row["start"], row["end"]) for row in rows.iter_rows(named=True)]


def covered(table: AnnotationTable, kind: str, state: str = "looked") -> list[tuple[int, int]]:
    rows = table.coverage.filter((pl.col("kind") == kind) & (pl.col("state") == state))
    return [(row["start"], row["end"]) for row in rows.iter_rows(named=True)]


def flat(folder: Path, features: str, head: str = "Reviewed;          60 AA.") -> Path:
    path = folder / "entry.dat"
    sequence = " ".join(SEQUENCE[i : i + 10] for i in range(0, 60, 10))
    path.write_text(
        f"ID   A_B   {head}\nAC   Q0TOY1;\n{features}SQ   SEQUENCE   60 AA;\n     {sequence}\n//\n"
    )
    return path


def test_the_annotator_keeps_the_protocol() -> None:
    assert check_annotator(ANNOTATOR, sorted(TOYS.glob("toy*"))).rows.height > 30
    assert isinstance(ANNOTATOR, Annotator)
    assert ANNOTATOR.api_version == 1


def test_importing_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import bio_interp_uniprot, sys;"
        "assert not {'torch', 'polars', 'pandas', 'Bio', 'lightning'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_feature_gives_its_kind_and_its_kind_with_the_head_of_its_note() -> None:
    table = read("toy.dat")
    assert spans(table, "uniprot:DOMAIN") == spans(table, "uniprot:DOMAIN/Homeobox") == [(25, 40)]
    assert spans(table, "uniprot:MOD_RES/Phosphoserine") == [(33, 33)]
    assert spans(table, "uniprot:BINDING") == [(30, 30), (31, 33)]
    assert spans(table, "uniprot:BINDING/ATP") == [(30, 30)]
    assert spans(table, "uniprot:BINDING/beta-D-glucose 6-phosphate") == [(31, 33)]


def test_a_feature_without_a_note_is_kept() -> None:
    assert spans(read("toy.dat"), "uniprot:SIGNAL") == [(1, 20)]


def test_old_binding_kinds_are_binding_with_the_ligand_names_of_today() -> None:
    table = read("toy_old.dat")
    assert spans(table, "uniprot:BINDING/Zn(2+)") == [(26, 26), (39, 39)]
    assert spans(table, "uniprot:BINDING/Ca(2+)") == [(45, 56)]
    assert spans(table, "uniprot:BINDING/heme") == [(44, 44)]
    assert spans(table, "uniprot:BINDING/pyridoxal 5'-phosphate") == [(53, 53)]
    assert len(spans(table, "uniprot:BINDING")) == 6
    assert not table.concepts.filter(pl.col("concept").str.contains("METAL|NP_BIND|CA_BIND")).height


def test_a_bond_is_two_residues_with_one_pair_number_and_no_range() -> None:
    rows = read("toy.dat").rows.filter(pl.col("pair").is_not_null())
    ends = rows.group_by("pair", maintain_order=True).agg("concept", "start", "end")
    assert ends["start"].to_list() == [[35, 46], [48, 54], [48, 54]]
    assert ends["start"].to_list() == ends["end"].to_list()
    assert ends["concept"].list.unique().list.len().to_list() == [1, 1, 1]


def test_a_bond_to_another_chain_is_one_residue_without_a_pair() -> None:
    table = read("toy.dat")
    assert spans(table, "uniprot:DISULFID/Interchain") == [(52, 52)]
    rows = table.rows.filter(pl.col("concept") == "uniprot:DISULFID/Interchain")
    assert rows["pair"].to_list() == [None]


def test_variants_and_chains_are_no_concepts_unless_asked() -> None:
    kinds = set(read("toy.dat").concepts["kind"])
    assert not kinds & {"uniprot:VARIANT", "uniprot:CHAIN"}
    assert spans(read("toy.dat", kinds="all"), "uniprot:VARIANT") == [(12, 12)]
    asked = read("toy.dat", kinds="VARIANT, disulfide bond")
    assert set(asked.concepts["kind"]) == {"uniprot:VARIANT", "uniprot:DISULFID"}
    assert set(asked.coverage["kind"]) == {"uniprot:VARIANT", "uniprot:DISULFID"}


def test_asking_for_metal_gives_all_of_binding() -> None:
    assert len(spans(read("toy_old.dat", kinds="METAL"), "uniprot:BINDING")) == 6


def test_an_unknown_kind_or_option_is_refused() -> None:
    with pytest.raises(AnnotationError, match="'GENE' is none"):
        read("toy.dat", kinds="DOMAIN,GENE")
    with pytest.raises(AnnotationError, match="'kind'"):
        read("toy.dat", kind="all")


def test_ends_beyond_a_fragment_and_unsure_ends_are_kept() -> None:
    assert spans(read("toy.dat", kinds="all"), "uniprot:CHAIN") == [(21, 60)]
    assert spans(read("toy_old.dat"), "uniprot:TRANSMEM/Helical") == [(5, 20)]


def test_an_unknown_end_is_left_out_logged_and_its_residues_are_unknown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        table = read("toy.dat")
    assert spans(table, "uniprot:TRANSIT") == []
    assert covered(table, "uniprot:TRANSIT", "unknown") == [(1, 60)]
    assert "TRANSIT 1..? of Q0TOY1, line 11 of" in caplog.text
    assert "MOD_RES Q0TOY1-2:58 of Q0TOY1" in caplog.text
    assert "left out 2 features" in caplog.text


@pytest.mark.parametrize(
    ("place", "unknown"), [("?..20", (1, 20)), ("30..?", (30, 60)), ("?", (1, 60))]
)
def test_what_an_unknown_end_may_cover_is_unknown(
    tmp_path: Path, place: str, unknown: tuple[int, int]
) -> None:
    table = ANNOTATOR.annotate([flat(tmp_path, f"FT   SIGNAL          {place}\n")])
    assert table.rows.height == 0
    assert covered(table, "uniprot:SIGNAL", "unknown") == [unknown]


def test_features_of_other_isoforms_are_left_out() -> None:
    assert 58 not in read("toy.dat").rows["start"].to_list()


def test_the_strongest_evidence_is_kept_and_none_is_empty() -> None:
    table = read("toy.dat")
    evidence = dict(table.rows.select("concept", "evidence").iter_rows())
    assert evidence["uniprot:BINDING/ATP"] == "ECO:0000269"
    assert evidence["uniprot:MOD_RES"] == "ECO:0007744"
    assert evidence["uniprot:CROSSLNK"] == ""


def test_words_for_evidence_in_the_old_syntax_become_codes() -> None:
    rows = read("toy_old.dat").rows.select("concept", "evidence").iter_rows()
    evidence = {concept: code for concept, code in rows if "/" in concept or "SIG" in concept}
    assert evidence["uniprot:SIGNAL"] == "ECO:0000255"
    assert evidence["uniprot:DOMAIN/Homeobox"] == "ECO:0000250"
    assert evidence["uniprot:BINDING/heme"] == "ECO:0000305"
    assert evidence["uniprot:BINDING/Ca(2+)"] == ""


def test_the_source_says_whether_the_entry_is_reviewed(tmp_path: Path) -> None:
    feature = "FT   SIGNAL          1..20\n"
    unreviewed = ANNOTATOR.annotate([flat(tmp_path, feature, "Unreviewed;        60 AA.")])
    assert set(unreviewed.rows["source"]) == {"uniprot:trembl"}
    assert set(unreviewed.coverage["source"]) == {"uniprot:trembl"}
    assert set(read("toy.dat").rows["source"]) == {"uniprot:swissprot"}
    assert set(read("toy.csv").rows["source"]) == {"uniprot"}


def test_every_kind_was_looked_for_in_all_of_the_protein() -> None:
    table = read("toy.dat")
    for kind in ("LIPID", "DOMAIN", "BINDING", "SIGNAL"):
        assert covered(table, f"uniprot:{kind}") == [(1, 60)]


def test_structure_was_looked_at_near_helices_strands_and_turns_only(tmp_path: Path) -> None:
    ends = ((3, 5), (26, 30), (52, 54))
    lines = "".join(f"FT   HELIX           {start}..{end}\n" for start, end in ends)
    table = ANNOTATOR.annotate([flat(tmp_path, lines)])
    # the gap 6-25 is 20 residues, the gap 31-51 is 21
    for kind in ("HELIX", "STRAND", "TURN"):
        assert covered(table, f"uniprot:{kind}") == [(3, 30), (52, 54)]
    bare = ANNOTATOR.annotate([flat(tmp_path, "FT   SIGNAL          1..20\n")])
    assert covered(bare, "uniprot:HELIX") == []


def test_concepts_say_level_world_and_chebi() -> None:
    concepts = {row["concept"]: row for row in read("toy.dat").concepts.iter_rows(named=True)}
    assert concepts["uniprot:BINDING/ATP"]["xrefs"] == ["ChEBI:CHEBI:30616"]
    assert concepts["uniprot:BINDING/ATP"]["name"] == "Binding site: ATP"
    assert concepts["uniprot:BINDING/ATP"]["kind"] == "uniprot:BINDING"
    assert concepts["uniprot:BINDING/ATP"]["level"] == "residue"
    assert concepts["uniprot:BINDING/beta-D-glucose 6-phosphate"]["level"] == "span"
    assert concepts["uniprot:DISULFID"]["level"] == "residue"
    assert concepts["uniprot:DOMAIN"]["level"] == "span"
    assert concepts["uniprot:DOMAIN"]["world"] == "open"
    assert concepts["uniprot:HELIX"]["world"] == "closed"


def test_a_table_covers_the_kinds_of_its_rows_up_to_the_last_residue_named() -> None:
    table = read("toy.csv")
    assert covered(table, "uniprot:BINDING") == [(1, 56), (1, 35)]
    assert covered(table, "uniprot:LIPID") == []


def test_given_proteins_choose_the_entries_and_give_their_lengths(
    caplog: pytest.LogCaptureFixture,
) -> None:
    proteins = [Protein("P0TOY2", SEQUENCE)]
    table = ANNOTATOR.annotate([TOYS / "toy.csv", TOYS / "toy.dat"], proteins)
    assert set(table.rows["accession"]) == {"P0TOY2"}
    assert covered(table, "uniprot:BINDING") == [(1, 60)]
    caplog.clear()
    other = ANNOTATOR.annotate([TOYS / "toy_old.dat"], [Protein("P0TOY2", "A" + SEQUENCE[1:])])
    assert other.rows.height == other.coverage.height == 0
    assert "left out 1 entries" in caplog.text


def test_of_two_entries_the_first_is_kept_and_the_other_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        both = read("toy_old.dat", "toy.dat", "toy.csv")
    assert "entry P0TOY2, line 2 of" in caplog.text
    alone = read("toy_old.dat", "toy.dat")
    assert both.rows.equals(alone.rows)
    assert both.rows["pair"].drop_nulls().n_unique() == 4


@pytest.mark.parametrize(
    ("note", "head"),
    [
        ("EGF-like 2; calcium-binding", "EGF-like"),
        ("Peptidase S1", "Peptidase S1"),
        ("SH3 1", "SH3"),
        ("C2", "C2"),
        ("Helical; Name=1", "Helical"),
        ("Fibronectin type-III 12", "Fibronectin type-III"),
        ("Cleavage (by thrombin)", "Cleavage"),
        ("Phosphothreonine; by PKA; alternate", "Phosphothreonine"),
        ("(3R)-3-hydroxyasparagine", "(3R)-3-hydroxyasparagine"),
        ("Glycyl lysine isopeptide (Lys-Gly) (interchain with G-Cter in SUMO2)",) * 2,
        ("II", ""),
        ("1-4", ""),
        ("Or 22", ""),
        ("Alternate", ""),
        ("", ""),
    ],
)
def test_copies_of_one_sort_share_a_concept(note: str, head: str) -> None:
    from bio_interp_uniprot._notes import note_head

    assert note_head(note) == head


@pytest.mark.parametrize("place", ["61", "50..61", "<1..70", "?..61"])
def test_a_position_beyond_the_sequence_names_entry_line_and_feature(
    tmp_path: Path, place: str
) -> None:
    path = flat(tmp_path, f"FT   SIGNAL          1..20\nFT   DOMAIN          {place}\n")
    with pytest.raises(AnnotationError, match=r"Q0TOY1.*DOMAIN .*\(line 4 of .*entry\.dat\)"):
        ANNOTATOR.annotate([path])


def test_a_span_that_ends_before_it_starts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match=r"start before the end in Q0TOY1.*line 3"):
        ANNOTATOR.annotate([flat(tmp_path, "FT   DOMAIN          30..20\n")])
