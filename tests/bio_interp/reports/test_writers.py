import io
import json
import re
from importlib.resources import files
from urllib.parse import unquote

import jsonschema
import pytest

from bio_interp import BioInterpError
from bio_interp.atlas import ProteinResult, ProteinStatus
from bio_interp.reports import CALL_COLUMNS, Gff3Writer, JsonWriter, TableWriter, TsvWriter

from .conftest import fake_annotate, make_call


def written(writer, results, *, complete=True):
    writer.begin()
    for result in results:
        writer.write(result)
    writer.end(complete=complete)
    return writer.stream.getvalue()


def schema():
    return json.loads((files("bio_interp.reports") / "annotate.schema.json").read_text())


def test_tsv_starts_with_where_the_calls_come_from_and_then_names_its_columns(header, proteins):
    lines = written(TsvWriter(io.StringIO(), header), fake_annotate(proteins)).splitlines()
    assert lines[0].startswith("# bio_interp 0.1.0 atlas=toy atlas_version=2 model=unirep")
    assert lines[0].endswith("licence=CC BY-NC 4.0")
    assert lines[1] == "# a line for people"
    assert lines[2].split("\t") == list(CALL_COLUMNS)
    first = dict(zip(CALL_COLUMNS, lines[3].split("\t"), strict=True))
    assert (first["accession"], first["start"], first["end"]) == ("P1", "2", "2")
    assert (first["features"], first["precision"], first["n"]) == ("toy/f12,toy/f7", "0.934", "118")
    assert len(lines) == 3 + 3


def test_tsv_columns_come_in_the_order_asked_for_and_unknown_ones_are_named(header, proteins):
    writer = TsvWriter(io.StringIO(), header, columns=["end", "accession"])
    assert written(writer, fake_annotate(proteins)).splitlines()[2:4] == ["end\taccession", "2\tP1"]
    with pytest.raises(BioInterpError, match="'stop'"):
        TsvWriter(io.StringIO(), header, columns=["stop"])


def test_a_tab_in_a_name_does_not_make_a_new_column(header):
    call = make_call("P1", 1, 2, name="a\tb\nc", flags=())
    result = ProteinResult(ProteinStatus("P1", 5, "ok", 1), (call,))
    row = written(TsvWriter(io.StringIO(), header), [result]).splitlines()[-1].split("\t")
    assert len(row) == len(CALL_COLUMNS)
    assert (row[4], row[-1]) == ("a b c", "-")


def test_summary_has_one_row_for_every_protein_also_those_without_calls(header, proteins):
    text = written(TsvWriter(io.StringIO(), header, summary=True), fake_annotate(proteins))
    rows = [line.split("\t")[:4] for line in text.splitlines()[3:]]
    assert rows == [
        ["P1", "4", "ok", "2"],
        ["P 2;x", "4", "no_known_concept", "0"],
        ["P3", "5", "ok", "1"],
    ]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_fits_its_schema_and_lists_calls_and_all_proteins(header, proteins, count):
    text = written(JsonWriter(io.StringIO(), header), fake_annotate(proteins[:count]))
    content = json.loads(text)
    jsonschema.validate(content, schema(), cls=jsonschema.Draft202012Validator)
    assert [p["accession"] for p in content["proteins"]] == [p.accession for p in proteins[:count]]
    assert sum(p["calls"] for p in content["proteins"]) == len(content["calls"])
    if count:
        assert content["calls"][0]["features"] == ["toy/f12", "toy/f7"]
        assert set(content["calls"][0]) == set(CALL_COLUMNS)


def test_json_of_an_interrupted_run_is_still_json_and_says_so(header, proteins):
    text = written(JsonWriter(io.StringIO(), header), fake_annotate(proteins), complete=False)
    assert json.loads(text)["complete"] is False


def test_json_has_null_and_not_nan_for_a_bare_feature(header):
    nan = float("nan")
    call = make_call("P1", 1, 2, link_type="unlinked", precision=nan, precision_low=nan, n=0)
    result = ProteinResult(ProteinStatus("P1", 5, "ok", 1), (call,))
    content = json.loads(written(JsonWriter(io.StringIO(), header), [result]))
    assert content["calls"][0]["precision"] is None
    jsonschema.validate(content, schema(), cls=jsonschema.Draft202012Validator)


def test_the_schema_refuses_a_position_of_zero(header, proteins):
    content = json.loads(written(JsonWriter(io.StringIO(), header), fake_annotate(proteins)))
    content["calls"][0]["start"] = 0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema(), cls=jsonschema.Draft202012Validator)


def read_gff3(text):
    """Read GFF3 strictly: every line is a directive, a comment or nine well-formed columns."""
    lines = text.splitlines()
    assert lines[0] == "##gff-version 3"
    regions, features, ids = {}, [], set()
    for line in lines[1:]:
        if line.startswith("##sequence-region "):
            _, seqid, start, end = line.split(" ")
            regions[unquote(seqid)] = (int(start), int(end))
        elif not line.startswith("#"):
            seqid, source, kind, start, end, score, strand, phase, column9 = line.split("\t")
            assert re.fullmatch(r"[a-zA-Z0-9.:^*$@!+_?|%-]+", seqid)
            assert (source, kind) == ("bio_interp", "polypeptide_region")
            assert (strand, phase) == (".", ".")
            pairs = [pair.split("=") for pair in column9.split(";")]
            assert all(len(pair) == 2 for pair in pairs)
            attributes = {k: [unquote(v) for v in values.split(",")] for k, values in pairs}
            assert attributes["ID"][0] not in ids
            ids.add(attributes["ID"][0])
            low, high = regions[unquote(seqid)]
            assert low <= int(start) <= int(end) <= high
            features.append((unquote(seqid), int(start), int(end), float(score), attributes))
    return regions, features


def test_gff3_is_read_back_with_names_and_positions_unchanged(header, proteins):
    text = written(Gff3Writer(io.StringIO(), header), fake_annotate(proteins))
    regions, features = read_gff3(text)
    assert regions == {"P1": (1, 4), "P 2;x": (1, 4), "P3": (1, 5)}
    assert [f[:4] for f in features] == [("P1", 2, 2, 3.25), ("P1", 4, 4, 3.25), ("P3", 1, 1, 3.25)]
    attributes = features[0][4]
    assert attributes["Name"] == ["EF-hand; calcium, 1=yes & 100%"]
    assert attributes["predicted_concept"] == ["pfam:PF00036"]
    assert attributes["features"] == ["toy/f12", "toy/f7"]
    assert (attributes["precision"], attributes["n"]) == (["0.934"], ["118"])


def test_gff3_never_claims_to_be_a_cross_reference_of_the_database(header, proteins):
    text = written(Gff3Writer(io.StringIO(), header), fake_annotate(proteins))
    assert "Dbxref" not in text
    assert "Ontology_term" not in text


def test_gff3_escapes_a_name_that_would_break_the_file(header):
    name = "a;b=c,d&e%f\tg"
    result = ProteinResult(ProteinStatus(">P 1", 9, "ok", 1), (make_call(">P 1", 1, 9, name=name),))
    (feature,) = read_gff3(written(Gff3Writer(io.StringIO(), header), [result]))[1]
    assert feature[0] == ">P 1"
    assert feature[4]["Name"] == [name]


@pytest.mark.parametrize("width", [60, 80, 140])
def test_the_table_names_proteins_concepts_and_weak_calls(header, proteins, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    stream = io.StringIO()
    writer = TableWriter(stream, header)
    writer.begin()
    for result in fake_annotate(proteins):
        writer.write(result)
    writer.end(complete=True)
    text = stream.getvalue()
    assert "P 2;x  4 residues  no_known_concept" in text
    assert "0.93?" in text
    assert "2-2" in text
    assert "3 calls in 2 of 3 proteins" in text
