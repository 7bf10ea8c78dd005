from pathlib import Path

import pytest

from bio_interp.annotations import collect
from bio_interp.errors import AnnotationError, PluginError
from bio_interp.sequences import Protein

PROTEINS = [Protein("P1", "MARGDWRGD"), Protein("P2", "MMMMM")]


@pytest.fixture
def prosite(tmp_path: Path) -> Path:
    path = tmp_path / "rgd.dat"
    path.write_text("ID   RGD; PATTERN.\nAC   PS00016;\nDE   Cell attachment.\nPA   R-G-D.\n//\n")
    return path


@pytest.fixture
def hits(tmp_path: Path) -> list[Path]:
    table, scanned = tmp_path / "hits.tsv", tmp_path / "scanned.txt"
    table.write_text(
        "accession\tpfam\tname\tali_start\tali_end\tenv_start\tenv_end\tbits\ti_evalue\n"
        "P1\tPF00004.32\tAAA\t2\t8\t1\t9\t30.5\t1e-9\n"
    )
    scanned.write_text("P1\n")
    return [table, scanned]


def test_each_file_goes_to_the_annotator_that_reads_it(prosite: Path, hits: list[Path]) -> None:
    table = collect([prosite, *hits], proteins=PROTEINS)
    assert set(table.rows["concept"]) == {"prosite:PS00016", "pfam:PF00004"}
    looked = set(table.coverage.select("accession", "kind").rows())
    assert looked == {("P1", "prosite"), ("P2", "prosite"), ("P1", "pfam")}


def test_a_file_that_no_annotator_reads_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir,\n")
    with pytest.raises(AnnotationError, match=r"letter\.txt"):
        collect([path], proteins=PROTEINS)


def test_a_missing_file_and_no_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="not found"):
        collect([tmp_path / "absent.dat"])
    with pytest.raises(AnnotationError, match="at least one file"):
        collect([])


def test_a_named_annotator_reads_all_files(prosite: Path) -> None:
    assert collect([str(prosite)], proteins=PROTEINS, annotator="prosite").rows.height == 2
    with pytest.raises(PluginError, match="nothing-like-it"):
        collect([prosite], annotator="nothing-like-it")


def test_options_for_one_of_several_annotators_are_refused(prosite: Path, hits: list[Path]) -> None:
    with pytest.raises(AnnotationError, match="options for one annotator"):
        collect([prosite, *hits], proteins=PROTEINS, options={"frequent": "yes"})
