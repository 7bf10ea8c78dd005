"""BED, InterProScan TSV and Parquet, beside the laws of test_formats.py."""

import hashlib
import io
import json
from datetime import date

import polars as pl
import pytest

from bio_interp import BioInterpError
from bio_interp.atlas import ProteinResult, ProteinStatus
from bio_interp.reports import (
    CALL_COLUMNS,
    SUMMARY_COLUMNS,
    CrossReference,
    IprscanWriter,
    cross_references,
)

from .conftest import fake_annotate, make_call, written


def one(**changes):
    call = make_call("P1", 2, 3, **changes)
    return ProteinResult(ProteinStatus("P1", 5, "ok", 1), (call,), "MDDKA")


def rows(content):
    lines = content.decode().splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def test_bed_starts_with_where_the_calls_come_from(header):
    lines = written("bed", [one()], header).decode().splitlines()
    assert lines[0].startswith("# bio_interp 0.1.0 atlas=toy")
    assert "licence=CC BY-NC 4.0" in lines[0]
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("precision", "score"), [(0.934, "934"), (1.0, "1000"), (0.0, "0"), (float("nan"), "0")]
)
def test_the_score_of_bed_is_the_precision_in_thousandths(header, precision, score):
    assert rows(written("bed", [one(precision=precision)], header))[0][4] == score


def test_a_space_in_a_concept_does_not_split_a_bed_line(header):
    (row,) = rows(written("bed", [one(concept="uniprot:DOMAIN/Protein kinase")], header))
    assert row[3] == "uniprot:DOMAIN/Protein%20kinase"


def test_calls_of_a_protein_are_sorted_in_bed(header):
    calls = tuple(make_call("P1", start, end) for start, end in ((9, 10), (1, 20), (1, 3)))
    result = ProteinResult(ProteinStatus("P1", 30, "ok", 3), calls, "A" * 30)
    assert [r[1:3] for r in rows(written("bed", [result], header))] == [
        *(["0", "3"], ["0", "20"], ["8", "10"])
    ]


def test_interproscan_rows_have_the_fifteen_columns_of_version_5():
    stream = io.StringIO()
    writer = IprscanWriter(stream, today=date(2026, 3, 5))
    writer.begin()
    writer.write(one())
    writer.end(complete=True)
    assert stream.getvalue().removesuffix("\n").split("\t") == [
        *("P1", hashlib.md5(b"MDDKA").hexdigest(), "5", "BioInterp", "pfam:PF00036"),
        *("EF-hand; calcium, 1=yes & 100%", "2", "3", "-", "T", "05-03-2026"),
        *("-", "-", "-", "-"),
    ]


def test_xrefs_fill_the_interpro_and_go_columns(header):
    known = CrossReference("IPR002048", "EF-hand domain", ("GO:0005509", "GO:0005515"))
    content = written("iprscan", [one()], header, xrefs={"pfam:PF00036": known})
    assert rows(content)[0][11:] == [*("IPR002048", "EF-hand domain", "GO:0005509|GO:0005515", "-")]


def test_a_concept_without_xrefs_keeps_its_dashes(header):
    content = written("iprscan", [one()], header, xrefs={"pfam:PF99999": CrossReference("IPR1")})
    assert rows(content)[0][11:] == ["-"] * 4


def test_interproscan_refuses_results_without_the_sequence_it_hashes(header):
    result = ProteinResult(ProteinStatus("P1", 5, "ok", 1), (make_call("P1", 1, 2),))
    with pytest.raises(BioInterpError, match="MD5"):
        written("iprscan", [result], header)


def concepts(*given):
    schema = {"concept": pl.String, "name": pl.String, "xrefs": pl.List(pl.String)}
    return pl.DataFrame(given, schema=schema, orient="row")


def test_cross_references_come_from_what_the_atlas_keeps():
    found = cross_references(
        concepts(
            ("pfam:PF1", "HLH (Myc-type (bHLH) domain)", ["IPR011598", "GO:0046983"]),
            ("pfam-group:X", "X-like", ["GO:0005524"]),
            ("uniprot:BINDING/ATP", "Binding site: ATP", ["ChEBI:CHEBI:30616"]),
            ("toy:A", "nothing known", None),
        )
    )
    assert found == {
        "pfam:PF1": CrossReference("IPR011598", "Myc-type (bHLH) domain", ("GO:0046983",)),
        "pfam-group:X": CrossReference(go=("GO:0005524",)),
    }


def test_an_atlas_without_cross_references_says_what_is_needed():
    with pytest.raises(BioInterpError, match=r"interpro\.json"):
        cross_references(concepts(("toy:A", "a", []), ("toy:B", "b", ["ChEBI:1"])))


def test_parquet_has_the_columns_of_tsv_with_types(header, proteins):
    content = written("parquet", fake_annotate(proteins), header)
    frame = pl.read_parquet(io.BytesIO(content))
    assert frame.columns == list(CALL_COLUMNS)
    assert frame.schema["features"] == frame.schema["flags"] == pl.List(pl.String)
    assert frame.schema["start"] == frame.schema["n"] == pl.Int64
    assert frame.schema["precision"] == pl.Float64
    assert frame.row(0, named=True)["features"] == ["toy/f12", "toy/f7"]


def test_parquet_says_where_the_calls_come_from_and_whether_all_are_there(header, proteins):
    for complete in (True, False):
        content = written("parquet", fake_annotate(proteins), header, complete=complete)
        facts = json.loads(pl.read_parquet_metadata(io.BytesIO(content))["bio_interp"])
        assert (facts["atlas"]["licence"], facts["complete"]) == ("CC BY-NC 4.0", complete)


def test_parquet_without_calls_still_has_its_columns(header):
    frame = pl.read_parquet(io.BytesIO(written("parquet", [], header)))
    assert frame.shape == (0, len(CALL_COLUMNS))
    assert frame.schema["end"] == pl.Int64


def test_parquet_of_chosen_columns_and_of_the_summary(header, proteins):
    content = written("parquet", fake_annotate(proteins), header, columns=("end", "accession"))
    assert pl.read_parquet(io.BytesIO(content)).row(0) == (2, "P1")
    content = written("parquet", fake_annotate(proteins), header, summary=True)
    frame = pl.read_parquet(io.BytesIO(content))
    assert frame.columns == list(SUMMARY_COLUMNS)
    assert frame["calls"].to_list() == [2, 0, 1]


def test_parquet_holds_null_and_not_nan_for_a_bare_feature(header):
    nan = float("nan")
    frame = pl.read_parquet(io.BytesIO(written("parquet", [one(precision=nan)], header)))
    assert frame["precision"].null_count() == 1


def test_rows_that_waited_on_disk_come_out_in_order(header, monkeypatch):
    monkeypatch.setattr("bio_interp.reports._parquet._ROWS", 3)
    calls = [make_call("P1", i, i + 1) for i in range(1, 12)]
    results = [ProteinResult(ProteinStatus("P1", 30, "ok", 1), (call,)) for call in calls]
    frame = pl.read_parquet(io.BytesIO(written("parquet", results, header)))
    assert frame["start"].to_list() == list(range(1, 12))
