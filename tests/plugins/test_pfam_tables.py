import gzip
from pathlib import Path

import polars as pl
import pytest

from bio_interp.errors import AnnotationError
from bio_interp.sequences import Protein
from bio_interp_pfam import ANNOTATOR, HITS, pfam_table, read_hits

HEADER = "\t".join(HITS)
ROW = "P1\tPF00004.32\tAAA\t2\t8\t1\t9\t30.5\t1e-9"
PROTEINS = [Protein("P1", "M" * 20), Protein("P2", "M" * 30), Protein("P3", "M" * 40)]
DOMTBLOUT = """\
#                                                                            --- full sequence ---
# target name        accession   tlen query name           accession   qlen   E-value  score  bias
#------------------- ---------- ----- -------------------- ---------- ----- --------- ------ -----
{target} {tacc} 20 {query} {qacc} 130 1e-20 70.1 0.1 1 1 2e-12 3e-11 65.5 0.0 4 20 2 8 1 9 0.9 A b
#
# Program:         {program}
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "hits.tsv"
    path.write_text(f"{HEADER}\n{ROW}\n")
    return path


@pytest.fixture
def scanned(tmp_path: Path) -> Path:
    path = tmp_path / "scanned.txt"
    path.write_text("P1\nP2\n")
    return path


def test_a_protein_that_was_not_scanned_is_not_covered(table: Path, scanned: Path) -> None:
    read = ANNOTATOR.annotate([table, scanned], PROTEINS)
    assert read.rows.select("accession", "start", "end", "env_end").rows() == [("P1", 2, 8, 9)]
    assert read.coverage.select("accession", "end").rows() == [("P1", 20), ("P2", 30)]


def test_without_a_list_all_proteins_count_as_scanned(table: Path) -> None:
    coverage = ANNOTATOR.annotate([table], PROTEINS).coverage
    assert coverage["accession"].to_list() == ["P1", "P2", "P3"]


def test_a_table_needs_the_proteins_for_their_lengths(table: Path, scanned: Path) -> None:
    with pytest.raises(AnnotationError, match="lengths"):
        ANNOTATOR.annotate([table, scanned])


def test_hits_of_proteins_not_given_are_left_out_and_counted(
    table: Path, scanned: Path, caplog: pytest.LogCaptureFixture
) -> None:
    read = ANNOTATOR.annotate([table, scanned], PROTEINS[1:])
    assert read.rows.is_empty()
    assert read.coverage["accession"].to_list() == ["P2"]
    assert "1 hits are in proteins not given" in caplog.text


def test_a_list_that_lacks_a_protein_with_hits_does_not_belong(table: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("P2\n")
    with pytest.raises(AnnotationError, match="first P1"):
        ANNOTATOR.annotate([table, other], PROTEINS)


def test_gzip_crlf_and_a_missing_header_read_alike(table: Path, tmp_path: Path) -> None:
    expected = read_hits(table)
    packed = tmp_path / "hits.tsv.gz"
    packed.write_bytes(gzip.compress(f"{HEADER}\r\n{ROW}\r\n\r\n".encode()))
    bare = tmp_path / "bare.tsv"
    bare.write_text(ROW + "\n")
    for path in (packed, bare):
        assert ANNOTATOR.reads(path)
        assert read_hits(path).equals(expected)


@pytest.mark.parametrize("program", ["hmmsearch", "hmmscan"])
def test_domtblout_of_either_program_reads_alike(tmp_path: Path, program: str) -> None:
    path = tmp_path / "out.domtblout"
    names = {"target": "P1", "tacc": "-", "query": "AAA", "qacc": "PF00004.32"}
    if program == "hmmscan":
        names = {"target": "AAA", "tacc": "PF00004.32", "query": "P1", "qacc": "-"}
    path.write_text(DOMTBLOUT.format(program=program, **names))
    assert ANNOTATOR.reads(path)
    assert read_hits(path).rows() == [("P1", "PF00004.32", "AAA", 2, 8, 1, 9, 65.5, 3e-11)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEADER}\n{ROW}\nP1\tPF1\tAAA\t2\n", "line 3"),
        (f"{HEADER}\n{ROW.replace('30.5', 'high')}\n", "line 2"),
        (f"{HEADER}\n{ROW}\textra\n", "line 2"),
        ("# target name tlen\nP1 - 20 AAA\n", "line 2"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.tsv"
    path.write_text(text)
    with pytest.raises(AnnotationError, match=rf"{message} of .*bad\.tsv"):
        ANNOTATOR.annotate([path], PROTEINS)


def test_files_that_do_not_go_together_are_refused(scanned: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.tsv"
    empty.touch()
    prose = tmp_path / "prose.txt"
    prose.write_text("two words\n")
    for files in ([scanned], [empty], [tmp_path / "absent"], []):
        with pytest.raises(AnnotationError):
            ANNOTATOR.annotate(files, PROTEINS)
        assert not any(map(ANNOTATOR.reads, files))


def test_a_list_with_two_words_on_a_line_is_named(table: Path, tmp_path: Path) -> None:
    prose = tmp_path / "prose.txt"
    prose.write_text("P1\ntwo words\n")
    with pytest.raises(AnnotationError, match=r"line 2 of .*prose\.txt"):
        ANNOTATOR.annotate([table, prose], PROTEINS)


@pytest.mark.shared_data
def test_the_hits_of_48_000_proteins_become_a_table_with_groups(shared_data: Path) -> None:
    hits = read_hits(shared_data / "corpus/pfam_hits_48k.tsv.gz")
    with gzip.open(shared_data / "corpus/pfam_scanned_48k.txt.gz", "rt") as file:
        scanned = dict.fromkeys(file.read().split(), 1022)
    table = pfam_table(hits, scanned)
    assert (hits.height, len(scanned)) == (47_591, 48_000)
    concepts = {row["concept"]: row for row in table.concepts.iter_rows(named=True)}
    assert "pfam:PF07728" in concepts["pfam-group:AAA"]["members"]
    assert concepts["pfam:PF07714"]["name"] == "protein kinase-like"
    assert sum("pfam-group:" in concept for concept in concepts) > 80
    families = table.rows.filter(pl.col("concept").str.starts_with("pfam:"))
    assert 0.7 * hits.height < families.height < 0.9 * hits.height
    looked = table.coverage.filter(pl.col("state") == "looked")
    assert looked["accession"].n_unique() == looked.height == 48_000
