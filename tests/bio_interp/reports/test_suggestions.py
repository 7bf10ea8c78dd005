"""Suggestions as text and files."""

import io
import json

import polars as pl
import pytest

from bio_interp.discovery import SUGGESTIONS
from bio_interp.errors import InputError
from bio_interp.reports import (
    RunHeader,
    SuggestionReport,
    suggestion_format,
    write_suggestions,
)

HEADER = RunHeader("1", "toy", "2", "model", "CC0", 0.8, notes=("be careful",))
ROW = {
    "rank": 1, "accession": "P1", "start": 5, "end": 30, "concept": "toy:W", "name": "a\tb\nc",
    "precision": 0.93456, "precision_low": 0.81234, "precision_high": 0.999, "n": 12,
    "strength": 0.71234, "link_type": "locator", "features": ["toy/f1", "toy/f2"], "peak": 3.14159,
    "nearest": "toy:W:50-60", "nearest_distance": 20, "overlapping": [], "evidence_elsewhere": "",
    "examples": ["Q1:3", "Q2:4"], "exposure": "not_in_training", "flags": [],
    "protein_name": "Thing",
}  # fmt: skip


@pytest.fixture
def report() -> SuggestionReport:
    rows = [ROW, {**ROW, "rank": 2, "nearest": "", "nearest_distance": None}]
    return SuggestionReport(pl.DataFrame(rows, schema=SUGGESTIONS), HEADER, {"calls": 9})


def test_tsv_has_its_origin_and_a_row_a_suggestion(report):
    lines = report.text("tsv").splitlines()
    assert lines[0].startswith("# bio_interp 1 atlas=toy")
    assert lines[1:3] == ["# be careful", "# counts: calls 9"]
    assert lines[3].split("\t") == list(SUGGESTIONS)
    row = dict(zip(SUGGESTIONS, lines[4].split("\t"), strict=True))
    assert (row["name"], row["overlapping"], row["flags"]) == ("a b c", "-", "-")
    assert (row["precision"], row["strength"], row["peak"]) == ("0.935", "0.712", "3.142")
    assert (row["features"], row["examples"]) == ("toy/f1,toy/f2", "Q1:3,Q2:4")
    assert len(lines) == 6
    assert lines[5].split("\t")[14:16] == ["-", "-"]


def test_json_has_full_numbers_lists_and_nulls(report):
    content = json.loads(report.text("json"))
    assert content["atlas"]["name"] == "toy"
    assert content["counts"] == {"calls": 9}
    assert content["suggestions"][0] == ROW
    assert content["suggestions"][1]["nearest_distance"] is None


def test_parquet_keeps_types_and_origin(report, tmp_path):
    path = tmp_path / "out.parquet"
    write_suggestions(report, path)
    assert dict(pl.read_parquet(path).schema) == SUGGESTIONS
    facts = json.loads(pl.read_parquet_metadata(path)["bio_interp"])
    assert (facts["atlas"]["name"], facts["counts"]) == ("toy", {"calls": 9})


def test_the_table_for_people_has_the_main_columns(report, capsys):
    write_suggestions(report, None, "table")
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["rank", "accession", "start", "end", "concept", "precision",
                              "nearest", "flags"]  # fmt: skip
    assert "a b c" in rows[0]
    assert len(rows) == 2


def test_no_suggestions_are_said_in_words_and_as_an_empty_table(report):
    empty = SuggestionReport(report.table.clear(), HEADER)
    assert empty.text("table") == "no suggestions\n"
    assert empty.text("tsv").splitlines()[-1].split("\t") == list(SUGGESTIONS)
    assert json.loads(empty.text("json"))["suggestions"] == []


def test_a_pipe_gets_tsv_and_a_terminal_a_table(monkeypatch):
    terminal = io.StringIO()
    monkeypatch.setattr("sys.stdout", terminal)
    assert suggestion_format(None, None) == "tsv"
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    assert suggestion_format(None, None) == "table"


def test_a_file_that_cannot_be_written_leaves_the_old_one(report, tmp_path, monkeypatch):
    path = tmp_path / "out.tsv"
    path.write_text("old")
    monkeypatch.setattr(SuggestionReport, "text", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_suggestions(report, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_no_file(report, tmp_path):
    with pytest.raises(InputError, match="a file in a folder"):
        write_suggestions(report, tmp_path, "tsv")
