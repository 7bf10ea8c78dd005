"""suggest, from the command line, with the small atlas that ships."""

import json
from pathlib import Path

import polars as pl
import pytest

from bio_interp.annotations import AnnotationTable, is_table
from bio_interp.cli._app import run
from bio_interp.discovery import SUGGESTIONS

PROTEINS = Path(__file__).parents[3] / "examples/proteins.fasta"
HEADER = "protein_id,feature,isoform_id,start,end,note\n"
# lysozyme with two turns but without the helix of 5 to 15 between them
SILENT = HEADER + "P00698,TURN,,1,2,\nP00698,TURN,,20,21,\nP00698,HELIX,,25,36,\n"
TOLD = SILENT + "P00698,HELIX,,5,15,\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="known.csv"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write


def suggest(*tokens, proteins=str(PROTEINS)):
    tokens = [*tokens, "--atlas", "reference", "--threads", "1", "-q"]
    return run(["suggest", proteins, "--annotations", *tokens])


def lines(text):
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


def test_a_missing_helix_is_suggested_and_a_known_one_is_not(write, capsys):
    assert suggest(write(SILENT), "--min-precision", "0.5") == 0
    header, *rows = lines(capsys.readouterr().out)
    assert header == list(SUGGESTIONS)
    (row,) = (dict(zip(header, row, strict=True)) for row in rows)
    assert (row["rank"], row["accession"], row["concept"]) == ("1", "P00698", "uniprot:HELIX")
    assert (row["start"], row["nearest"]) == ("4", "uniprot:HELIX:25-36")
    assert row["protein_name"] == "Lysozyme C"
    assert suggest(write(TOLD), "--min-precision", "0.5") == 0
    assert len(lines(capsys.readouterr().out)) == 1


def test_a_folder_of_concepts_does_as_its_files_do(write, tmp_path, capsys):
    assert run(["concepts", write(SILENT), "-o", str(tmp_path / "known"), "-q"]) == 0
    capsys.readouterr()
    assert is_table(tmp_path / "known")
    printed = []
    for known in (write(SILENT), str(tmp_path / "known")):
        assert suggest(known, "--min-precision", "0.5") == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert AnnotationTable.load(tmp_path / "known").rows.height == 3


def test_files_and_folders_may_be_mixed(write, tmp_path, capsys):
    assert run(["concepts", write(SILENT), "-o", str(tmp_path / "known"), "-q"]) == 0
    capsys.readouterr()
    more = write(HEADER + "P00698,HELIX,,5,15,\n", "more.csv")
    assert suggest(str(tmp_path / "known"), more, "--min-precision", "0.5") == 0
    assert len(lines(capsys.readouterr().out)) == 1


@pytest.mark.parametrize("name", ["out.tsv", "out.json", "out.parquet"])
def test_the_suffix_chooses_the_format(write, tmp_path, name):
    out = tmp_path / name
    assert suggest(write(SILENT), "--min-precision", "0.5", "-o", str(out)) == 0
    if name.endswith("tsv"):
        rows = lines(out.read_text())[1:]
        assert rows[0][1] == "P00698"
    elif name.endswith("json"):
        content = json.loads(out.read_text())
        assert content["atlas"]["name"] == "reference"
        assert content["counts"]["suggested"] == 1
        assert content["suggestions"][0]["accession"] == "P00698"
    else:
        assert pl.read_parquet(out)["accession"].to_list() == ["P00698"]


def test_top_and_kinds_choose(write, capsys):
    known = write(SILENT + "P00698,MOD_RES,,120,120,Phosphoserine\n")
    assert suggest(known, "--min-precision", "0", "--kinds", "uniprot:MOD_RES", "--top", "2") == 0
    header, *rows = lines(capsys.readouterr().out)
    assert len(rows) == 2
    assert all(row[header.index("concept")].startswith("uniprot:MOD_RES") for row in rows)


def test_nothing_found_can_be_an_exit_code(write, capsys):
    assert suggest(write(TOLD), "--min-precision", "0.5", "--fail-empty") == 3


@pytest.mark.parametrize(("tokens", "code", "said"), [
    (["--top", "0"], 2, "Must be >= 1"),
    (["-o", "out.docx"], 1, "-o to end in"),
    (["-f", "parquet"], 1, "a file for Parquet"),
    (["-o", "nowhere/out.tsv"], 1, "Make the folder first"),
    (["--kinds", "uniprot:NONE"], 1, "uniprot:NONE"),
    (["--margin", "-1"], 1, "a margin of 0"),
])  # fmt: skip
def test_wrong_options_are_said_before_anything_is_read(write, capsys, tokens, code, said):
    assert suggest(write(SILENT), *tokens) == code
    out, err = capsys.readouterr()
    assert said in " ".join(err.split())
    assert out == ""


def test_annotations_of_other_proteins_are_refused(write, capsys, tmp_path):
    run(["concepts", write(SILENT), "-o", str(tmp_path / "known"), "-q"])
    other = write(">X1\n" + "MKVLAAGIVGS" * 5 + "\n", "other.fasta")
    assert suggest(str(tmp_path / "known"), proteins=other) == 1
    assert "'X1'; the annotations have 'P00698'" in capsys.readouterr().err


def test_an_atlas_that_is_not_there_is_refused(write, capsys):
    known = write(SILENT)
    assert run(["suggest", str(PROTEINS), "--annotations", known, "--atlas", "none", "-q"]) == 1
    assert "an installed atlas" in capsys.readouterr().err


def test_annotations_are_required(capsys):
    assert run(["suggest", str(PROTEINS)]) == 2
    assert "--annotations" in capsys.readouterr().err
