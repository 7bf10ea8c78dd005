"""view, and annotate --structure, from the command line, with the small atlas that ships."""

import pytest

from bio_interp.cli._app import run

SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV"
OTHER = "GSHMGGSSPWCNDTYHPGMWNQCYTHSGPDNWMCGHYTNPSGDWQMCHNYTGPSDNW"


@pytest.fixture
def files(tmp_path, straight, viewer, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.pdb").write_bytes(straight(SEQUENCE, first=-3))
    (tmp_path / "mine.fasta").write_text(f">P1\n{SEQUENCE}\n>P2\n{OTHER}\n")
    (tmp_path / "one.fasta").write_text(f">P1\n{SEQUENCE}\n")
    (tmp_path / "other.fasta").write_text(f">P2\n{OTHER}\n")
    return viewer


def view(*words: str) -> int:
    return run(["view", *words, "--structure", "mine.pdb", "-o", "v.html", "--threads", "1"])


def test_features_are_shown_on_the_sequences_of_the_structure(files, tmp_path, capsys):
    assert view("reference/f635,f7") == 0
    (scene,) = files
    assert [layer.label for layer in scene.layers] == ["reference/f635", "reference/f7"]
    assert scene.found.position("A", -3).position == 1
    assert (tmp_path / "v.html").read_text() == "<!DOCTYPE html>drawn"
    said = capsys.readouterr()
    assert said.out == ""
    assert "wrote v.html" in said.err


def test_features_are_shown_on_proteins_of_a_file(files):
    assert view("f635", "--atlas", "reference", "--proteins", "mine.fasta") == 0
    assert [p.accession for p in files[0].proteins] == ["P1"]


def test_a_file_of_proteins_is_annotated(files, capsys):
    words = ["--min-precision", "0.1", "--style", "sticks"]
    assert view("mine.fasta", "--atlas", "reference", *words) == 0
    (scene,) = files
    assert [p.accession for p in scene.proteins] == ["P1"]
    assert scene.style == "sticks"
    assert scene.layers or "P1 has no call" in capsys.readouterr().err


def test_a_mutation_puts_the_mutant_beside(files):
    assert view("one.fasta", "--atlas", "reference", "--mutation", "K2W") == 0
    assert [scene.title for scene in files] == ["wild type on mine.pdb", "K2W on mine.pdb"]
    words = ["--proteins", "one.fasta", "--mutation", "p.Lys2Trp"]
    assert view("reference/f635", *words) == 0
    assert {layer.label for scene in files for layer in scene.layers} == {"reference/f635"}


def test_a_picture_is_written_by_its_suffix(files, tmp_path):
    words = ["view", "reference/f1", "--structure", "mine.pdb", "-o", "v.png"]
    assert run(words) == 0
    assert (tmp_path / "v.png").read_bytes() == b"drawn"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["other.fasta", "--atlas", "reference"], 1, "chain 'A' and P2"),
        (["nope.fasta", "--atlas", "reference"], 1, "nope.fasta"),
        (["reference/f99999"], 1, "f99999"),
        (["reference/f1,unirep/f2"], 2, "one atlas"),
        (["reference/f1", "--mutation", "K2W"], 2, "--proteins FILE"),
        (["reference/f1", "-o", "v.pdf"], 2, ".html or .png"),
        (["reference/f1", "--structure", "1ABC"], 1, "data get 'rcsb:1ABC'"),
        (["reference/f1", "--structure", "one.fasta"], 1, "FASTA"),
        (["reference/f1", "--structure", "../../../../etc/passwd"], 1, "structure"),
        (["reference/f1", "--style", "spheres"], 2, "spheres"),
    ],
)
def test_what_cannot_be_shown_is_said(files, tmp_path, capsys, monkeypatch, words, code, said):
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path / "cache"))
    rest = [] if "--structure" in words else ["--structure", "mine.pdb"]
    rest += [] if "-o" in words else ["-o", "v.html"]
    assert run(["view", *words, *rest]) == code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "v.html").exists()


def annotate(*words: str) -> int:
    return run(["annotate", *words, "--atlas", "reference", "--structure", "mine.pdb"])


def test_annotate_writes_the_structure_beside_and_html_links_to_it(files, tmp_path, capsys):
    assert annotate("mine.fasta", "-o", "calls.html") == 0
    assert [p.accession for p in files[0].proteins] == ["P1"]
    assert 'href="./calls.3d.html"' in (tmp_path / "calls.html").read_text()
    assert (tmp_path / "calls.3d.html").read_text() == "<!DOCTYPE html>drawn"
    assert "wrote calls.3d.html" in capsys.readouterr().err


def test_annotate_keeps_its_report_where_the_structure_shows_none_of_it(files, tmp_path, capsys):
    assert annotate("other.fasta", "-o", "calls.tsv") == 1
    assert "none in the report, which is written" in capsys.readouterr().err
    assert (tmp_path / "calls.tsv").is_file()
    assert not (tmp_path / "calls.3d.html").exists()


@pytest.mark.parametrize("words", [[], ["-o", "calls.tsv", "--resume"]])
def test_annotate_has_no_place_for_a_structure_without_a_new_file(files, words):
    assert annotate("mine.fasta", *words) == 2
