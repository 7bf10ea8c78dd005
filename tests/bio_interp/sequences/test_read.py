"""Reading proteins from files and objects."""

import gzip
import io
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bio_interp.errors import InputError, SequenceError
from bio_interp.sequences import Protein, as_proteins, read_proteins

Write = Callable[[str | bytes], Path]

# every example overwrites the same file of the same folder
_ONE_FOLDER = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(content: str | bytes) -> Path:
        path = tmp_path / "my.data"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return _write


def one(path: Path) -> Protein:
    (protein,) = read_proteins(path)
    return protein


RECORD = """\
ID   INS_HUMAN               Reviewed;           9 AA.
AC   P01308; Q5EEX2;
AC   Q6YK33;
DE   RecName: Full=Insulin {ECO:0000305};
DE   AltName: Full=Other;
CC   -!- FUNCTION: Decreases blood glucose.
SQ   SEQUENCE   9 AA;  1000 MW;  C2C3B23B85E520E5 CRC64;
     MALWMRLL P
//
"""


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    proteins=st.dictionaries(
        st.text("ABCabc019_.-|:", min_size=1, max_size=8).filter(lambda a: a[:3] not in _UNIPROT),
        st.text("ACDEFGHIKLMNPQRSTVWYUOBZXJ", min_size=1, max_size=150),
        min_size=1,
        max_size=6,
    ),
    width=st.integers(1, 70),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    blank=st.integers(0, 2),
    pack=st.sampled_from(["plain", "gzip", "zstd"]),
    last=st.booleans(),
)
def test_fasta_reads_back_whatever_its_line_width_and_line_ends(
    tmp_path: Path,
    proteins: dict[str, str],
    width: int,
    newline: str,
    blank: int,
    pack: str,
    last: bool,
):
    lines: list[str] = []
    heads: list[int] = []
    for accession, sequence in proteins.items():
        lines += [""] * blank
        heads.append(len(lines) + 1)
        lines.append(f">{accession} a description")
        lines += [sequence[i : i + width] for i in range(0, len(sequence), width)]
    content = (newline.join(lines) + (newline if last else "")).encode()
    content = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}[pack](content)
    (tmp_path / "a.txt").write_bytes(content)
    found = list(read_proteins(tmp_path / "a.txt"))
    if not any(map(_nucleic, proteins.values())):
        assert {p.accession: p.sequence for p in found} == proteins
        assert [p.line for p in found] == heads
        assert {p.description for p in found} == {"a description"}


_UNIPROT = ("sp|", "tr|")


def _nucleic(sequence: str) -> bool:
    return set(sequence) <= set("ACGTUN")


@given(st.binary(max_size=400))
@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_bytes_whatever_give_anything_but_proteins_or_our_error(tmp_path: Path, content: bytes):
    for start in (b"", b">a\n", RECORD.encode(), gzip.compress(RECORD.encode())):
        (tmp_path / "any").write_bytes(start + content)
        try:
            found = list(read_proteins(tmp_path / "any"))
        except InputError:
            continue
        assert all(p.sequence.isalpha() and p.sequence.isupper() for p in found)


@given(cut=st.integers(1, 60), pack=st.sampled_from([gzip.compress, zstandard.compress]))
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_truncated_compressed_file_is_an_error_not_an_end(
    tmp_path: Path, cut: int, pack: Callable[[bytes], bytes]
):
    records = "".join(f">p{i}\n{'MKVLAT' * (i % 7 + 1)}\n" for i in range(400))
    whole = pack(records.encode())
    (tmp_path / "cut.fasta.gz").write_bytes(whole[: -min(cut, len(whole) - 20)])
    with pytest.raises(SequenceError, match="truncated or damaged after line"):
        list(read_proteins(tmp_path / "cut.fasta.gz"))


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_files_of_several_compressed_parts_are_read_whole(write: Write, pack):
    assert len(list(read_proteins(write(pack(b">a\nMK\n") + pack(b">b\nMK\n"))))) == 2


def test_skippable_frames_such_as_pzstd_writes_are_skipped(write: Write):
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"abcd"
    frames = [zstandard.compress(b">a\nMK"), zstandard.compress(b"V\n")]
    assert one(write(skippable + frames[0] + skippable + frames[1])).sequence == "MKV"


@pytest.mark.parametrize("content", ["", "\n\n", gzip.compress(b""), zstandard.compress(b"\n")])
def test_an_empty_file_has_no_records(write: Write, content: str | bytes):
    with pytest.raises(SequenceError, match="no records"):
        list(read_proteins(write(content)))


@pytest.mark.parametrize("body", ["", "\n", "*\n", "  \n\n"])
def test_a_record_without_sequence_is_named(write: Write, body: str):
    with pytest.raises(SequenceError, match=r"empty \(line 3 of .*my.data\), which has none"):
        list(read_proteins(write(f">a\nMKV\n>empty\n{body}>b\nMKV\n")))


def test_lower_case_is_upper_cased_and_rare_letters_are_kept(write: Write):
    assert one(write(">a\nmkvUOBZXJuobzxj\n")).sequence == "MKVUOBZXJUOBZXJ"


def test_stops_at_the_end_are_removed(write: Write):
    assert one(write(">a\nMKV\nLL*\n")).sequence == "MKVLL"


def test_a_stop_inside_is_an_error_with_record_and_position(write: Write):
    with pytest.raises(SequenceError, match=r"'\*' at position 4 of a \(line 1 .*on line 3"):
        list(read_proteins(write(">a\nMKV\n*LL\n")))


@pytest.mark.parametrize("gap", ["-", "."])
def test_gaps_of_an_alignment_are_an_error_that_says_to_remove_them(write: Write, gap: str):
    with pytest.raises(SequenceError, match=r"'.' at position 2 of b .*Remove the gaps"):
        list(read_proteins(write(f">a\nMKV\n>b\nM{gap}KV\n")))


@pytest.mark.parametrize("letter", ["1", "@", "\N{GREEK SMALL LETTER ALPHA}", "\0", "~"])
def test_an_illegal_letter_is_named_with_record_line_and_position(write: Write, letter: str):
    path = write(f">a\nMKV\n\n>b desc\nMK V\n\nLL{letter}A\n")
    with pytest.raises(SequenceError, match=r"at position 6 of b \(line 4 .*, on line 7"):
        list(read_proteins(path))


def test_records_before_a_bad_one_have_been_yielded(write: Write):
    stream = read_proteins(write(">a\nMKV\n>b\nMK9\n"))
    assert next(stream).accession == "a"
    with pytest.raises(SequenceError, match="of b "):
        next(stream)


def test_duplicate_accessions_are_refused_with_both_lines(write: Write):
    path = write(">sp|P1|A_B x\nMKV\n>Q2\nMKV\n>tr|P1|C_D y\nMKV\n")
    with pytest.raises(SequenceError, match=r"P1 at line 1 and again at line 5"):
        list(read_proteins(path))
    assert [p.accession for p in read_proteins(path, duplicates="keep")] == ["P1", "Q2", "P1"]


def test_duplicates_takes_two_words_only(write: Write):
    with pytest.raises(InputError, match="'drop'"):
        read_proteins(write(">a\nMK\n"), duplicates="drop")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("header", "accession", "description"),
    [
        ("sp|P12345|AATM_RABIT Aspartate OS=Rabbit", "P12345", "Aspartate OS=Rabbit"),
        ("tr|A0A024|A0A024_HUMAN", "A0A024", ""),
        ("sp|P12345-2|AATM_RABIT Isoform 2", "P12345-2", "Isoform 2"),
        ("P12345.3\ttab  and spaces ", "P12345.3", "tab and spaces"),
        (" after_a_space x", "after_a_space", "x"),
        ("gi|12|ref|NP_1.1| y", "gi|12|ref|NP_1.1|", "y"),
        ("sp||NAME", "sp||NAME", ""),
        ("Zürich µ", "Zürich", "µ"),
    ],
)
def test_the_accession_is_that_of_uniprot_or_the_first_word(
    write: Write, header: str, accession: str, description: str
):
    protein = one(write(f">{header}\nMKV\n"))
    assert (protein.accession, protein.description) == (accession, description)


def test_a_header_without_a_name_is_an_error_with_its_line(write: Write):
    with pytest.raises(SequenceError, match="none at line 3"):
        list(read_proteins(write(">a\nMK\n>  \nMK\n")))


def test_latin_1_in_a_description_is_replaced_and_in_a_name_or_sequence_refused(write: Write):
    assert one(write(b">a prot\xe9ine\nMKV\n")).description == "prot\ufffdine"
    with pytest.raises(SequenceError, match=r"UTF-8.* at line 3 of"):
        list(read_proteins(write(b">a\nMKV\n>prot\xe9ine\nMKV\n")))
    with pytest.raises(SequenceError, match=r"position 2 of a .* on line 2"):
        list(read_proteins(write(b">a\nM\xe9V\n")))


def test_a_byte_order_mark_is_no_part_of_the_file(write: Write):
    assert one(write(b"\xef\xbb\xbf>a\nMKV\n")).accession == "a"


@pytest.mark.parametrize("residues", [1, 35_000])
@pytest.mark.parametrize("width", [60, 40_000])
def test_proteins_of_any_length_are_read_whole(write: Write, residues: int, width: int):
    sequence = ("MKVLAERTWY" * (residues // 10 + 1))[:residues]
    lines = "\n".join(sequence[i : i + width] for i in range(0, residues, width))
    assert one(write(f">a\n{lines}\n")).sequence == sequence


def test_dna_is_refused_but_a_peptide_of_the_same_letters_is_not(write: Write):
    assert one(write(">peptide\nGATTACAGATTACA\n")).sequence == "GATTACAGATTACA"
    assert one(write(f">decoy\n{'GA' * 50}\n")).sequence == "GA" * 50
    with pytest.raises(SequenceError, match=r"gene .* looks like DNA or RNA"):
        list(read_proteins(write(">gene\nATGGCCAAGGTTCTGACCATGGCCAAGGTTCTGACC\n")))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"sequence": "MKV"}', "JSON"),
        (b"data_1ABC\n#\n", "mmCIF"),
        (b"HEADER    HYDROLASE\nATOM      1\n", "PDB"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"<?xml version='1.0'?><uniprot>", "XML"),
        (b"LOCUS       NC_001422  5386 bp", "GenBank"),
        (b"ID   X56734; SV 1; linear; mRNA; STD; PLN; 1859 BP.\n", "EMBL"),
        (b"ID   ASN_GLYCOSYLATION; PATTERN.\n", "PROSITE"),
        (b"# STOCKHOLM 1.0\n", "Stockholm"),
        (b"HMMER3/f [3.4]\n", "HMMER"),
        (b"@read1\nACGT\n+\nIIII\n", "FASTQ"),
        (b">P1;CRAB_ANAPL\nALPHA CRYSTALLIN\nMKV*\n", "PIR"),
        (bytes(range(256)) * 4, "binary"),
        (b"PK\x03\x04zip", "zip"),
        (b"BZh91AY", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        ("\ufeff>a\nMKV\n".encode("utf-16"), "UTF-16"),
        (b"MKVLLTT\nMKV\n", "a header line such as '>my_protein'"),
        (b"accession,sequence\nP1,MKV\n", "'accession,sequence' at line 1"),
    ],
)
def test_other_files_are_refused_with_what_they_look_like(write: Write, content: bytes, says: str):
    with pytest.raises(InputError, match="Wanted ") as caught:
        list(read_proteins(write(content)))
    assert says in str(caught.value)
    assert "FASTA" in str(caught.value) or "header line" in str(caught.value)


@pytest.mark.parametrize("name", ["absent.fasta", ".", "a\0b", "x" * 5000 + ".fasta"])
def test_a_path_that_cannot_be_opened_is_our_error(tmp_path: Path, name: str):
    with pytest.raises(InputError, match="Check the path"):
        list(read_proteins(tmp_path / name))


def test_the_content_and_not_the_suffix_tells_the_format(tmp_path: Path):
    for name in ("a.fasta", "a.gz", "a.zst", "a.dat"):
        for pack in (bytes, gzip.compress, zstandard.compress):
            for content, accession in ((b">x\nMKV\n", "x"), (RECORD.encode(), "P01308")):
                (tmp_path / name).write_bytes(pack(content))
                assert one(tmp_path / name).accession == accession


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
def test_a_dash_reads_stdin_and_leaves_it_open(monkeypatch: pytest.MonkeyPatch, pack):
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(pack(b">a\nMKV\n"))))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert [p.accession for p in read_proteins("-")] == ["a"]
    assert not stdin.buffer.closed
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"junk 1\n")))
    with pytest.raises(SequenceError, match="line 1 of stdin"):
        list(as_proteins("-"))


def test_a_swiss_prot_record_gives_first_accession_name_and_line(write: Write):
    found = list(read_proteins(write(f"\n{RECORD}{RECORD.replace('P01308', 'P01317')}")))
    assert found[0] == Protein("P01308", "MALWMRLLP", "Insulin", 2)
    assert (found[1].accession, found[1].line) == ("P01317", 11)


def test_descriptions_of_old_flat_releases_are_joined(write: Write):
    old = RECORD.replace("RecName: Full=Insulin {ECO:0000305};", "Insulin precursor")
    assert one(write(old.replace("AltName: Full=Other;", "(Fragment)."))).description == (
        "Insulin precursor (Fragment)."
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("//\n", "", r"INS_HUMAN \(line 1 of .*the file was cut"),
        ("AC   P01308; Q5EEX2;\nAC   Q6YK33;\n", "", "no accession"),
        ("SQ   SEQ", "XX   SEQ", "no sequence"),
        ("MALWMRLL P", "MALWMRLL", "8 residues where line 7 says 9"),
        ("     MALWMRLL P\n", "", r"P01308 \(line 1 .* which has none"),
        ("MALWMRLL P", "MALW*RLL P", r"position 5 of P01308 .* on line 8"),
        ("     MALW", "MALW", "line 8 among its sequence lines"),
        ("//\n", "ID   NEXT  Reviewed;  9 AA.\n", "no '//' at its end"),
    ],
)
def test_a_broken_swiss_prot_record_is_named(write: Write, old: str, new: str, says: str):
    with pytest.raises(SequenceError, match=says):
        list(read_proteins(write(RECORD.replace(old, new))))


def test_many_records_stream_in_constant_memory(tmp_path: Path):
    path = tmp_path / "many.fasta"
    with path.open("w") as file:
        file.writelines(f">p{i}\n{'MKVLAERTWY' * 10}\n" for i in range(100_000))
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_proteins(path, duplicates="keep"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 100_000
    assert peak < 1_000_000  # bytes; the file has 11 million


def test_as_proteins_takes_a_sequence_a_path_a_mapping_and_proteins(write: Write):
    path = write(">a\nMKV\n")
    protein = Protein("b", "MLL", "kept", 7)
    assert list(as_proteins("mkv\nll*")) == [Protein("query", "MKVLL")]
    assert list(as_proteins(path)) == list(as_proteins(str(path))) == [Protein("a", "MKV", line=1)]
    assert list(as_proteins({"x y": "mkv"})) == [Protein("x y", "MKV")]
    assert list(as_proteins(protein)) == list(as_proteins([protein])) == [protein]
    assert list(as_proteins(iter([Protein("c", "mk*")]))) == [Protein("c", "MK")]


def test_as_proteins_prefers_an_existing_file_to_a_sequence_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert [p.sequence for p in as_proteins("proteins")] == ["PROTEINS"]
    Path("proteins").write_text(">a\nMKV\n")
    assert [p.sequence for p in as_proteins("proteins")] == ["MKV"]


@pytest.mark.parametrize("given", [5, ["MKV"], [None], {"a": 3}, {1: "MKV"}, {"a\tb": "MKV"}])
def test_as_proteins_refuses_what_has_no_name_or_sequence(given: object):
    with pytest.raises(InputError, match="mapping"):
        list(as_proteins(given))  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["my.fasta", "MKV-LL", "P12345", "", "*"])
def test_as_proteins_takes_any_other_text_for_a_path(given: str):
    with pytest.raises(InputError, match="letters only"):
        list(as_proteins(given))


def test_as_proteins_checks_what_it_is_given():
    with pytest.raises(SequenceError, match="'-' at position 2 of a"):
        list(as_proteins({"a": "M-V"}))
    with pytest.raises(SequenceError, match="a at item 1 and again at item 3"):
        list(as_proteins([Protein("a", "MK"), Protein("b", "MK"), Protein("a", "MK")]))


def test_as_proteins_streams(write: Write):
    def endless() -> Iterator[Protein]:
        number = 0
        while True:
            number += 1
            yield Protein(f"p{number}", "MKV")

    stream = as_proteins(endless())
    assert [next(stream).accession for _ in range(3)] == ["p1", "p2", "p3"]


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("file", "records", "residues"),
    [
        ("proteome_yeast/yeast.fasta.gz", 6711, 3_020_159),
        ("uniprot_flat/swissprot_dev_1.dat.gz", 299, 161_476),
        ("uniprot_flat/trembl_dev_1.dat.gz", 153, 72_498),
        ("uniprot_fixtures/emboss_seq.dat.gz", 100, 37_225),
    ],
)
def test_real_files_are_read_as_biopython_reads_them(
    shared_data: Path, file: str, records: int, residues: int
):
    from Bio import SeqIO

    found = {p.accession: p.sequence for p in read_proteins(shared_data / file)}
    with gzip.open(shared_data / file, "rt") as text:
        kind = "fasta" if "fasta" in file else "swiss"
        part = 1 if kind == "fasta" else 0
        theirs = {r.id.split("|")[part]: str(r.seq) for r in SeqIO.parse(text, kind)}
    assert found == theirs
    assert (len(found), sum(map(len, found.values()))) == (records, residues)


@pytest.mark.shared_data
def test_the_corpus_is_read_from_zstandard(shared_data: Path):
    path = shared_data / "corpus/swissprot_2014_reps50.fasta.zst"
    lengths = [len(p) for p in read_proteins(path)]
    assert (len(lengths), sum(lengths)) == (115_794, 48_777_012)
