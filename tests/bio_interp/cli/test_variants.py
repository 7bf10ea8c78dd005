"""variants, from the command line."""

import json

import polars as pl
import pytest

from bio_interp.cli._app import run
from bio_interp.variants import EFFECTS, SCAN

TEXT = "MKTAYIAKQRQISFVKSHFS"
ATLAS = ["--atlas", "reference", "-q"]


@pytest.fixture
def fasta(tmp_path) -> str:
    path = tmp_path / "my.fasta"
    path.write_text(f">a\n{TEXT}\n>b\nMKV\n")
    return str(path)


def test_a_pipe_gets_tsv_ranked_by_variant(fasta, capsys):
    asked = ["variants", fasta, "K2R", "p.Ala4Pro", "--accession", "a", "--top", "2", *ATLAS]
    assert run(asked) == 0
    head, *rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert head == list(EFFECTS)
    assert [row[:2] for row in rows] == [["K2R", "1"], ["K2R", "2"], ["A4P", "1"], ["A4P", "2"]]
    assert all(row[2].startswith("reference/f") for row in rows)


def test_a_scan_is_written_to_files_of_each_format(tmp_path):
    frames = {}
    for suffix in ("tsv", "json", "parquet"):
        out = tmp_path / f"scan.{suffix}"
        assert run(["variants", TEXT[:5], "--scan", "--summary", "-o", str(out), *ATLAS]) == 0
        frames[suffix] = out
    table = pl.read_parquet(frames["parquet"])
    assert table.schema == SCAN
    assert table.height == 19 * 5
    assert json.loads(frames["json"].read_text())["variants"] == table.to_dicts()
    read = pl.read_csv(frames["tsv"], separator="\t", null_values="-")
    assert read["mutation"].to_list() == table["mutation"].to_list()
    assert read["relative"].to_list() == pytest.approx(table["relative"].to_list(), abs=1e-3)


def test_json_and_a_table_go_to_standard_output(capsys):
    assert run(["variants", TEXT, "K2R", "-f", "json", "--top", "1", *ATLAS]) == 0
    (row,) = json.loads(capsys.readouterr().out)["variants"]
    assert row["mutation"] == "K2R"
    assert run(["variants", TEXT, "K2R", "-f", "table", "--top", "1", *ATLAS]) == 0
    assert row["feature"] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "code", "text"),
    [
        ([TEXT, "A2R"], 1, "got K at position 2"),
        ([TEXT, "K2del"], 1, "a deletion"),
        ([TEXT], 2, "MUTATIONS or --scan"),
        ([TEXT, "K2R", "--scan"], 2, "MUTATIONS or --scan"),
        ([TEXT, "K2R", "-o", "x.csv"], 2, "say the format with -f"),
        ([TEXT, "K2R", "-f", "table", "-o", "x.txt"], 2, "Parquet in a file"),
    ],
)
def test_what_cannot_be_done_is_said(asked, code, text, capsys):
    assert run(["variants", *asked, *ATLAS]) == code
    assert text in capsys.readouterr().err


def test_a_file_of_several_proteins_needs_an_accession(fasta, capsys):
    assert run(["variants", fasta, "K2R", *ATLAS]) == 1
    assert "--accession" in capsys.readouterr().err
