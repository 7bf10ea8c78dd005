"""Reading: seven formats of one entry, compression, and what is broken."""

import gzip
import json
import random
from pathlib import Path

import polars as pl
import pytest
import zstandard

from bio_interp.annotations import AnnotationTable
from bio_interp.errors import AnnotationError
from bio_interp_uniprot import ANNOTATOR

TOYS = Path(__file__).parents[1] / "data/uniprot"
KEY = ["accession", "start", "end", "concept", "evidence"]
TOY_NAMES = sorted(path.name for path in TOYS.glob("toy*"))


def read(path: Path) -> AnnotationTable:
    return ANNOTATOR.annotate([path], options={"kinds": "all"})


def rows(name: str, columns: list[str] = KEY) -> pl.DataFrame:
    return read(TOYS / name).rows.select(columns).sort(columns)


@pytest.mark.parametrize("name", ["toy.xml", "toy.json", "toy.tsv", "toy.gff"])
def test_one_entry_gives_equal_rows_in_every_format(name: str) -> None:
    assert rows(name).equals(rows("toy.dat"))


@pytest.mark.parametrize("name", ["toy.xml", "toy.json", "toy.tsv"])
def test_source_coverage_and_concepts_are_equal_too(name: str) -> None:
    table, expected = read(TOYS / name), read(TOYS / "toy.dat")
    assert set(table.rows["source"]) == {"uniprot:swissprot"}
    assert table.concepts.equals(expected.concepts)
    kinds = set(table.coverage["kind"])  # a TSV file covers its columns only
    wanted = expected.coverage.filter(pl.col("kind").is_in(kinds))
    assert table.coverage.sort(pl.all()).equals(wanted.sort(pl.all()))


def test_a_tsv_file_covers_the_kinds_of_its_columns() -> None:
    kinds = set(read(TOYS / "toy.tsv").coverage["kind"])
    assert "uniprot:DOMAIN" in kinds
    assert "uniprot:LIPID" not in kinds


def test_the_old_syntax_and_a_feature_table_agree_but_for_evidence() -> None:
    key = ["accession", "start", "end", "concept"]
    assert (
        rows("toy.csv", key)
        .filter(pl.col("accession") == "P0TOY2")
        .equals(rows("toy_old.dat", key))
    )
    assert set(rows("toy.csv")["evidence"]) == {""}


@pytest.mark.parametrize("name", TOY_NAMES)
def test_compressed_files_are_told_by_their_first_bytes(name: str, tmp_path: Path) -> None:
    content = (TOYS / name).read_bytes()
    for number, packed in enumerate((gzip.compress(content), zstandard.compress(content))):
        path = tmp_path / f"{number}.anything"
        path.write_bytes(packed)
        assert ANNOTATOR.reads(path)
        assert read(path).rows.equals(read(TOYS / name).rows)


@pytest.mark.parametrize("name", TOY_NAMES)
def test_windows_line_ends_and_a_byte_order_mark_change_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xef\xbb\xbf" + (TOYS / name).read_bytes().replace(b"\n", b"\r\n"))
    assert ANNOTATOR.reads(path)
    assert read(path).rows.equals(read(TOYS / name).rows)


@pytest.mark.parametrize(
    "wrap",
    [
        '{{"results":[{0},{1}]}}',
        '{{"results": [{0},\n{1}], "facets": {{"a": [1, 2]}}, "n": 3}}',
        "[{0},{1}]",
        "{0}\n{1}\n",
    ],
)
def test_json_of_many_entries_comes_in_several_shapes(wrap: str, tmp_path: Path) -> None:
    one = json.loads((TOYS / "toy.json").read_text())
    texts = [json.dumps(one | {"primaryAccession": name}) for name in ("Q0AAA1", "Q0AAA2")]
    path = tmp_path / "many.json"
    path.write_text(wrap.format(*texts))
    assert ANNOTATOR.reads(path)
    assert (
        read(path).rows.group_by("accession").len()["len"].to_list() == [rows("toy.dat").height] * 2
    )


def test_a_long_json_list_is_read_entry_by_entry(tmp_path: Path) -> None:
    from bio_interp_uniprot._files import read_entries

    text = json.dumps(json.loads((TOYS / "toy.json").read_text()))
    path = tmp_path / "long.json"
    path.write_text('{"results":[' + ",".join([text] * 100) + ",{broken]}")
    entries = read_entries(path)
    assert [next(entries).accession for _ in range(90)] == ["Q0TOY1"] * 90
    with pytest.raises(AnnotationError, match="JSON"):
        list(entries)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("toy.dat", "Reviewed;  ", "Refused;   ", r"ID.*line 1 of"),
        ("toy.dat", "AC   Q0TOY1; Q0OLD1;\n", "", r"AC line.*line 1 of"),
        ("toy.dat", "25..40", "25..x", r"'x' in DOMAIN 25\.\.x of Q0TOY1 \(line 17 of"),
        ("toy.dat", "25..40", "0..40", r"'0' in DOMAIN 0\.\.40 of Q0TOY1 \(line 17 of"),
        ("toy.dat", "DOMAIN  ", "DOMANE  ", r"'DOMANE' in DOMANE 25\.\.40 of Q0TOY1 \(line 17"),
        ("toy.dat", 'TALE-type"', "TALE-type", r"both quotes in DOMAIN.*line 17"),
        ("toy.dat", "NLVGH", "NLVG", r"60 residues in Q0TOY1.*59.*line 1 of"),
        ("toy.dat", "\n//", "", r"ends with '//'.*'TOY_MADEUP'"),
        ("toy_old.dat", "25     40", "25     4O", r"'4O' in DOMAIN 25 4O of P0TOY2 \(line 6"),
        ("toy.xml", "</entry>", "", r"well-formed XML.*line \d+ of"),
        ("toy.xml", 'type="domain"', 'type="domane"', r"'domane'.*Q0TOY1 \(line 16 of"),
        ("toy.xml", 'position="25"', 'position="-25"', r"'-25' in feature 'domain' of Q0TOY1"),
        ("toy.xml", 'evidence="2"', 'evidence="99"', r"'99'.*Q0TOY1"),
        ("toy.json", '"Domain"', '"Domane"', r"'Domane'.*feature 4 .*Q0TOY1 \(line 1 of"),
        ("toy.json", '"value": 25', '"value": "z"', r"'z' in feature 4 \('Domain'\) of Q0TOY1"),
        ("toy.json", '"start": {', '"begin": {', r"feature 1 \('Signal'\) of Q0TOY1"),
        ("toy.json", '"DOMAIN', '"', r"JSON"),
        ("toy.gff", "Domain\t25", "Domane\t25", r"'Domane'.*Q0TOY1 \(line 5 of"),
        ("toy.gff", "\t25\t40\t.", "\t25", r"nine columns.*line 5"),
        ("toy.gff", "\t25\t40", "\tten\t40", r"'ten' in Domain.*line 5"),
        ("toy.gff", "Q0TOY1 1 60", "Q0TOY1 1", r"sequence-region.*line 2"),
        ("toy.tsv", "DOMAIN 25..40;", "DOMAIN 25.40;", r"'25\.40'.*Q0TOY1 \(line 2 of"),
        ("toy.tsv", "DOMAIN 25..40; ", "25..40; ", r"Q0TOY1 \(line 2 of"),
        ("toy.tsv", "reviewed\t", "reviewed ", r"columns.*'Q0TOY1'.*line 2"),
        ("toy.tsv", "\t60\t", "\tsixty\t", r"'sixty' \(line 2"),
        ("toy.csv", "25.0", "25.5", r"'25\.5' in DOMAIN 25\.5\.\.40\.0 of P0TOY2 \(line 3 of"),
        ("toy.csv", "DOMAIN", "DOMANE", r"'DOMANE'.*line 3 of"),
        ("toy.csv", ",DOMAIN,,", ",DOMAIN,", r"6 columns.*line 3 of"),
    ],
)
def test_a_broken_record_is_named_with_file_line_and_record(
    name: str, old: str, new: str, message: str, tmp_path: Path
) -> None:
    text = (TOYS / name).read_text()
    if (name, old) == ("toy.json", '"DOMAIN'):
        text = text[:-20]  # cut within the entry
    else:
        assert old in text
    path = tmp_path / name
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(AnnotationError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b">sp|P1|A_B\nMKV\n",
        b'<?xml version="1.0"?><UniRef xmlns="http://uniprot.org/uniref"></UniRef>',
        b"<rdf:RDF></rdf:RDF>",
        b'{"name": 1}',
        b"Entry\tLength\nP1\t3\n",
        b"ID   ASN_GLYCOSYLATION; PATTERN.\nAC   PS00001;\n",
        b"##gff-version 3\nchr1\thavana\tgene\t1\t9\t.\t+\t.\tID=g\n",
        b"\x1f\x8bnot gzip",
        b"\x28\xb5\x2f\xfdnot zstd",
        bytes(range(256)),
    ],
)
def test_other_files_are_refused_with_the_formats_that_are_read(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    assert not ANNOTATOR.reads(path)
    with pytest.raises(AnnotationError, match="other"):
        read(path)


def test_a_missing_file_is_an_annotation_error(tmp_path: Path) -> None:
    assert not ANNOTATOR.reads(tmp_path / "none")
    with pytest.raises(AnnotationError, match="none"):
        read(tmp_path / "none")


def test_a_cut_gzip_file_is_an_annotation_error(tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    noise = "".join(random.choices("abcdefgh", k=100_000))
    packed = gzip.compress((TOYS / "toy.dat").read_bytes() + f"CC   {noise}\n".encode())
    path.write_bytes(packed[: len(packed) - 100])
    with pytest.raises(AnnotationError, match=r"EOFError.*cut|cut\.gz"):
        read(path)


@pytest.mark.parametrize("name", TOY_NAMES)
def test_damaged_files_never_give_a_traceback(name: str, tmp_path: Path) -> None:
    chance = random.Random(name)
    content = (TOYS / name).read_bytes()
    path = tmp_path / name
    messages = []
    for _ in range(40):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            at, size = chance.randrange(len(damaged)), chance.randint(0, 6)
            damaged[at : at + size] = chance.randbytes(chance.randint(0, 3))
        path.write_bytes(damaged)
        try:
            read(path)
        except AnnotationError as error:
            messages.append(str(error))
    assert messages
    assert all(str(path) in message for message in messages)
