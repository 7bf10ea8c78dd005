"""Any bytes give a result or an error of ours, whatever parser reads them."""

import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bio_interp.annotations import AnnotationTable
from bio_interp.errors import BioInterpError
from bio_interp.sequences import Protein, Split, as_proteins, deal, read_proteins
from bio_interp_pfam import ANNOTATOR as PFAM
from bio_interp_pfam import HITS, pfam_names
from bio_interp_prosite import ANNOTATOR as PROSITE
from bio_interp_prosite import parse_pattern
from bio_interp_structures import ANNOTATOR as STRUCTURE
from bio_interp_uniprot import ANNOTATOR as UNIPROT

TOYS = Path(__file__).parents[1] / "data/uniprot"
PROTEINS = [Protein("P1", "MARGDWKLMNPQRSTVWYAC" * 4), Protein("P2", "MKVLLTGGAC" * 8)]
FASTA = ">sp|P01308|INS_HUMAN Insulin\nmalwm\nrl*\n\n>x déjà\nMKV\nMKV\n>y\nMKX\n".encode()
HIT = ("P1", "PF00004.32", "AAA", "5", "60", "4", "62", "80.5", "1e-20")
TSV = "\n".join("\t".join(row) for row in (tuple(HITS), HIT, ("P2", *HIT[1:]))).encode()
DOMTBL = (
    b"# target name accession tlen query name accession qlen E-value\n"
    b"P1 - 80 AAA PF00004.32 132 1e-9 80.5 0.1 1 1 1e-9 1e-9 80.5 0.1 3 90 "
    b"5 60 4 62 0.95 some protein\n# Program: hmmsearch\n"
)
NAMES = b'[{"accession": "IPR1", "name": "ATPase", "members": ["PF00004"], "go_terms": []}]'
PATTERNS = (
    b"CC   Release 2024_05 of 02-Oct-2024.\n//\nID   RGD; PATTERN.\nAC   PS00016;\nDE   Cell.\n"
    b"PA   R-G-\nPA   [DE](1)-x(0,2)-{P}*-[LV>].\nDO   PDOC1;\n//\n"
    b"ID   M; MATRIX.\nAC   PS50001;\n//\n"
)
ATOMS = (
    b"SSBOND   1 CYS A    1    CYS A    2                          1555   1555  2.03\n"
    b"SITE     1 AC1  1 GLY A   3\n"
    b"ATOM      1  SG  CYS A   1       0.000   0.000   0.000  1.00 20.00           S\n"
    b"ATOM      2  CA  CYS A   2       3.800   0.000   0.000  1.00 20.00           C\n"
    b"ATOM      3  CA  GLY A   3       7.600   0.000   0.000  1.00 20.00           C\n"
    b"HETATM    4 ZN    ZN A 101       7.600   2.000   0.000  1.00 20.00          ZN\nEND\n"
)

# what broke a parser once, or would break a careless one
PIECES = [
    *(
        b"",
        b"\0",
        b"\n",
        b"\r",
        b"\r\n",
        b"\t",
        b" ",
        b"\xff",
        b"\xe9",
        "é²٣".encode(),
        b"\x1b[31m",
    ),
    *(b"9" * 5000, b"99999999999", b"-1", b"0", b"1e9", b"nan", b"inf", b"?", b"<1", b">0", b"1_0"),
    *(b'"', b"'", b"[" * 3000, b"]", b"{", b"}", b"null", b"true", b"[]", b"{}", b'"\\ud800"'),
    *(b"//\n", b">", b">\n", b"ID   ", b"AC   ", b"FT   ", b"SQ   ", b"PA   ", b"<", b"&x;"),
    *(
        b"<entry>",
        b"</entry>",
        b"<!DOCTYPE uniprot>",
        b"#",
        b"# ",
        b",",
        b";",
        b"\\",
        b"%ZZ",
        b"x*",
    ),
]
many = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@st.composite
def broken(draw: st.DrawFn, valid: bytes) -> bytes:
    """Put one to four pieces, copies or cuts into a valid file, and pack some of them."""
    content = valid
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        until = min(len(content), at + draw(st.sampled_from([0, 0, 1, 2, 7, 40, len(content)])))
        far = draw(st.integers(0, len(content)))
        copy = st.just(content[far : far + 60])
        piece = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=8), copy))
        content = content[:at] + piece + content[until:]
    pack = draw(st.sampled_from([None, None, None, gzip.compress, zstandard.compress]))
    if pack:
        packed = pack(content)
        content = packed[: draw(st.sampled_from([len(packed), draw(st.integers(0, len(packed)))]))]
    return content


def expect_result_or_error(content: bytes, parse: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "given")
        path.write_bytes(content)
        try:
            parse(path)
        except BioInterpError as error:
            told = error
        else:
            return
    assert all((told.wanted, told.got, told.todo))
    assert str(told).replace("\n", "").isprintable()


def collected(annotator: object, name: str = "") -> Callable[[Path], object]:
    def parse(path: Path) -> object:
        annotator.reads(path)
        return annotator.annotate([path], PROTEINS if annotator is not UNIPROT else None)

    return parse


SPLIT = b"\n".join(
    (b"# bio_interp split 1", b"# method: by hand", b"accession\tcluster\tfold", b"P1\tP1\tfit")
)
PARSERS = {
    "fasta": (FASTA, lambda path: list(read_proteins(path))),
    "flat proteins": ((TOYS / "toy.dat").read_bytes(), lambda path: list(read_proteins(path))),
    "split": (SPLIT, Split.load),
    "hits tsv": (TSV, collected(PFAM)),
    "domtblout": (DOMTBL, collected(PFAM)),
    "names": (NAMES, pfam_names),
    "prosite": (PATTERNS, collected(PROSITE)),
    "structure": (ATOMS, lambda path: STRUCTURE.annotate([path], options={"secondary": "psea"})),
    **{
        name: ((TOYS / name).read_bytes(), collected(UNIPROT))
        for name in (
            "toy.dat",
            "toy_old.dat",
            "toy.xml",
            "toy.json",
            "toy.gff",
            "toy.tsv",
            "toy.csv",
        )
    },
}


@pytest.mark.parametrize("name", PARSERS)
def test_a_broken_file_gives_a_result_or_an_error_of_ours(name: str) -> None:
    valid, parse = PARSERS[name]

    @many
    @given(st.one_of(st.binary(max_size=200), broken(valid), broken(valid), broken(valid)))
    def check(content: bytes) -> None:
        expect_result_or_error(content, parse)

    check()


@pytest.mark.parametrize("name", PARSERS)
def test_the_valid_files_of_these_tests_are_valid(name: str, tmp_path: Path) -> None:
    valid, parse = PARSERS[name]
    path = tmp_path / "given"
    path.write_bytes(valid)
    if name != "split":  # its hash is missing
        parse(path)


@settings(many, max_examples=400)
@given(st.text(max_size=30) | st.text(alphabet="ACxX[]{}<>()0123,-.* B", max_size=30))
def test_any_text_is_a_pattern_or_an_error_of_ours(text: str) -> None:
    try:
        pattern = parse_pattern(text)
    except BioInterpError:
        return
    for start, end in pattern.find("MARGDWACCA"):
        assert 1 <= start <= end <= 10


@many
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_mapping_gives_proteins_or_an_error_of_ours(accession: str, sequence: str) -> None:
    try:
        (protein,) = as_proteins({accession: sequence})
    except BioInterpError:
        return
    assert protein.sequence.isascii()
    assert protein.accession == accession


accessions = st.text("ABCxyz019_.:-é中", min_size=1, max_size=12)
sequences = st.text("ACDEFGHIKLMNPQRSTVWYXBZJUO", min_size=1, max_size=90).filter(
    lambda s: not set(s) <= set("ACGTUN")
)


@many
@given(
    st.dictionaries(accessions, sequences, min_size=1, max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(1, 80),
    st.sampled_from([bytes, gzip.compress, zstandard.compress]),
)
def test_fasta_comes_back_as_it_was_written(
    proteins: dict[str, str], end: str, width: int, pack: Callable[[bytes], bytes]
) -> None:
    lines = []
    for name, sequence in proteins.items():
        lines += [f">{name} of a test"]
        lines += [sequence[i : i + width] for i in range(0, len(sequence), width)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "given")
        path.write_bytes(pack(end.join(lines).encode()))
        found = {p.accession: p.sequence for p in read_proteins(path)}
    assert found == proteins


@many
@given(st.lists(st.tuples(accessions, accessions), min_size=1, max_size=20))
def test_a_split_comes_back_as_it_was_written(links: list[tuple[str, str]]) -> None:
    split = deal(links, {"method": "by hand"})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "split.tsv")
        split.save(path)
        loaded = Split.load(path)
    assert loaded == split
    assert loaded.hash == split.hash


spans = st.tuples(st.integers(1, 60), st.integers(0, 20), st.sampled_from(["DOMAIN", "REGION"]))


def rows_of(table: AnnotationTable) -> list[tuple[int, int, str]]:
    plain = (row for row in table.rows.iter_rows(named=True) if "/" not in row["concept"])
    return sorted((row["start"], row["end"], row["concept"][8:]) for row in plain)


@many
@given(st.lists(spans, min_size=1, max_size=8, unique=True))
def test_features_are_the_same_in_every_format_of_uniprot(
    given_: list[tuple[int, int, str]],
) -> None:
    found = [(start, start + more, kind) for start, more, kind in given_]
    location = '<location><begin position="{}"/><end position="{}"/></location>'
    files = {
        "flat": "ID   A_B   Reviewed;   90 AA.\nAC   P1;\n"
        + "".join(f"FT   {k:15} {s}..{e}\n" for s, e, k in found)
        + "//\n",
        "gff": "##gff-version 3\n##sequence-region P1 1 90\n"
        + "".join(f"P1\tUniProtKB\t{k.title()}\t{s}\t{e}\t.\t.\t.\t\n" for s, e, k in found),
        "tsv": "Entry\tLength\tDomain [FT]\tRegion\nP1\t90\t"
        + "\t".join(
            " ".join(f"{k} {s}..{e};" for s, e, k in found if k == kind)
            for kind in ("DOMAIN", "REGION")
        ),
        "xml": '<uniprot xmlns="http://uniprot.org/uniprot"><entry><accession>P1</accession>'
        + "".join(
            f'<feature type="{"domain" if k == "DOMAIN" else "region of interest"}">'
            f"{location.format(s, e)}</feature>"
            for s, e, k in found
        )
        + "</entry></uniprot>",
        "json": '{"results": [{"primaryAccession": "P1", "features": ['
        + ",".join(
            f'{{"type": "{k.title()}", "location": {{"start": {{"value": {s}}}, '
            f'"end": {{"value": {e}}}}}}}'
            for s, e, k in found
        )
        + "]}]}",
        "csv": "protein_id,feature,start,end\n" + "".join(f"P1,{k},{s},{e}\n" for s, e, k in found),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.write_text(text)
            assert rows_of(UNIPROT.annotate([path])) == sorted(found), name
