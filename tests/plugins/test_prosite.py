import contextlib
import gzip
import itertools
import logging
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.annotations import Annotator
from bio_interp.errors import AnnotationError
from bio_interp.plugins import load_plugin
from bio_interp.sequences import Protein
from bio_interp_prosite import ANNOTATOR, parse_pattern, read_entries
from bio_interp_prosite._search import ends

ENTRY = """\
CC   PROSITE; Release 2024_05 of 02-Oct-2024.
//
ID   RGD; PATTERN.
AC   PS00016;
DE   Cell attachment
DE   sequence.
PA   R-G-
PA   D.
CC   /TAXO-RANGE=??E?V; /SKIP-FLAG=TRUE;
DO   PDOC00016;
//
ID   ASN; PATTERN.
AC   PS00001;
DE   N-glycosylation site.
PA   N-{P}-[ST]-{P}.
//
ID   PROFILE; MATRIX.
AC   PS50001;
DE   A profile.
MA   /GENERAL_SPEC: ALPHABET='ABC';
//
"""
PROTEINS = [Protein("P1", "MARGDNNTSA"), Protein("P2", "MMM")]


@pytest.fixture
def prosite(tmp_path: Path) -> Path:
    path = tmp_path / "prosite.dat"
    path.write_text(ENTRY)
    return path


def test_the_plugin_is_an_annotator_and_imports_no_torch() -> None:
    assert isinstance(load_plugin("annotators", "prosite"), Annotator)
    code = "import sys, bio_interp_prosite; print({'torch', 'pandas'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_patterns_are_found_and_whole_proteins_covered(prosite: Path) -> None:
    assert ANNOTATOR.reads(prosite)
    table = ANNOTATOR.annotate([prosite], PROTEINS)
    assert table.rows.select("accession", "start", "end", "concept").rows() == [
        ("P1", 6, 9, "prosite:PS00001"),
        ("P1", 7, 10, "prosite:PS00001"),
    ]
    assert table.coverage.select("accession", "start", "end", "kind", "state").rows() == [
        ("P1", 1, 10, "prosite", "looked"),
        ("P2", 1, 3, "prosite", "looked"),
    ]
    assert set(table.concepts["world"]) == {"closed"}
    assert set(table.concepts["release"]) == {"2024_05"}


def test_frequent_patterns_are_skipped_unless_asked_and_profiles_always_and_that_is_said(
    prosite: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        table = ANNOTATOR.annotate([prosite], PROTEINS)
    assert table.concepts["concept"].to_list() == ["prosite:PS00001"]
    assert "1 of 3 entries are profiles: not searched" in caplog.text
    assert "1 patterns with /SKIP-FLAG left out" in caplog.text
    asked = ANNOTATOR.annotate([prosite], PROTEINS, options={"frequent": "yes"})
    assert asked.concepts["concept"].to_list() == ["prosite:PS00016", "prosite:PS00001"]
    assert asked.concepts["name"][0] == "RGD (Cell attachment sequence)"
    assert ("P1", 3, 5, "prosite:PS00016") in asked.rows.select(
        "accession", "start", "end", "concept"
    ).rows()


def test_proteins_and_known_options_are_needed(prosite: Path) -> None:
    with pytest.raises(AnnotationError, match="the proteins to search"):
        ANNOTATOR.annotate([prosite])
    for options in ({"frequent": "maybe"}, {"often": "yes"}):
        with pytest.raises(AnnotationError, match="frequent"):
            ANNOTATOR.annotate([prosite], PROTEINS, options=options)


def test_a_file_given_twice_or_absent_is_an_error(prosite: Path, tmp_path: Path) -> None:
    packed = tmp_path / "prosite.dat.gz"
    packed.write_bytes(gzip.compress(ENTRY.encode()))
    (entries, release), (plain, _) = read_entries(packed), read_entries(prosite)
    assert [replace(e, file="") for e in entries] == [replace(e, file="") for e in plain]
    assert release == "2024_05"
    with pytest.raises(AnnotationError, match="one entry PS00016"):
        ANNOTATOR.annotate([prosite, packed], PROTEINS)
    with pytest.raises(AnnotationError, match=r"absent\.dat"):
        ANNOTATOR.annotate([tmp_path / "absent.dat"], PROTEINS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ID   A; PATTERN.\nPA   R-G-D.\n//\n", "line 3"),
        ("ID   A; PATTERN.\nAC   PS00016;\n//\n", "line 3"),
        ("ID   A; PATTERN.\nAC   PS00016;\nPA   R-G-D.\n", "line 3"),
        ("ID   A; PATTERN.\nID   B; PATTERN.\n", "line 2"),
        ("ID   A; SONG.\n", "line 1"),
        ("AC   PS00016;\n", "line 1"),
    ],
)
def test_a_malformed_entry_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.dat"
    path.write_text(text)
    with pytest.raises(AnnotationError, match=rf"{message} of .*bad\.dat"):
        ANNOTATOR.annotate([path], PROTEINS)


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        ".",
        "A-",
        "A--C",
        "A-[C",
        "A-{}",
        "A-[]",
        "A(2",
        "A(3,2)",
        "A(0)",
        "A(0,0)",
        "x(99999)",
        "A-1",
        "A-[C>]-D",
        "A-[>]",
        "a-C",
        "A-<C",
        "A*",
        "{x}",
        "[>]",
        "x(0,3)",
        "[AC>](2)",
        "AC",
        "é",
        "A-[C%]",
    ],
)
def test_a_malformed_pattern_is_named_with_its_accession(pattern: str) -> None:
    with pytest.raises(AnnotationError) as error:
        parse_pattern(pattern, "PS99999")
    assert repr(pattern) in error.value.got
    assert "PS99999" in error.value.got


@pytest.mark.parametrize(
    ("pattern", "sequence", "found"),
    [
        ("R-G-D.", "RGDRGD", [(1, 3), (4, 6)]),
        ("A-x(2)-A", "AAAAAA", [(1, 4), (2, 5), (3, 6)]),
        ("<M-A", "MAMA", [(1, 2)]),
        ("M-A>.", "MAMA", [(3, 4)]),
        ("<M(2)>", "MM", [(1, 2)]),
        ("F-[GSTV]-P-R-L-[G>].", "FGPRLGFTPRL", [(1, 6), (7, 11)]),
        ("[<A]-C", "CAC", [(1, 1), (2, 3)]),
        ("C-x(1,3)-C", "CACAC", [(1, 5)]),
        ("{AC}-D", "ADCDED", [(5, 6)]),
        ("B-Z-J", "DELNQI", [(1, 3), (4, 6)]),
        ("A(2,3)", "AAAA", [(1, 3), (2, 4)]),
        (" C-x ( 2 ) - C . ", "CAAC", [(1, 4)]),
    ],
)
def test_the_grammar_by_example(pattern: str, sequence: str, found: list) -> None:
    assert parse_pattern(pattern).find(sequence) == found


def test_an_ambiguous_residue_matches_where_each_residue_that_it_may_be_does() -> None:
    assert parse_pattern("A-x-A").find("AXA") == [(1, 3)]
    assert parse_pattern("A-{P}-A").find("AXA") == []
    assert parse_pattern("A-{P}-A").find("ABA") == [(1, 3)]
    assert parse_pattern("A-[DN]-A").find("ABA") == [(1, 3)]
    assert parse_pattern("A-D-A").find("ABA") == []
    assert parse_pattern("A-{P}-A").find("AUA") == [(1, 3)]


LETTERS = "ACDP"
_SETS = st.sets(st.sampled_from(LETTERS), min_size=1, max_size=3).map(sorted).map("".join)
_REPEATS = st.one_of(
    st.just((1, 1)), st.tuples(st.integers(0, 3), st.integers(0, 2)).map(lambda r: (r[0], sum(r)))
)
_ELEMENTS = st.tuples(
    st.one_of(
        st.just(("x", "x", LETTERS)),
        st.sampled_from(LETTERS).map(lambda c: (c, c, c)),
        _SETS.map(lambda s: (f"[{s}]", s, s)),
        _SETS.map(lambda s: (f"{{{s}}}", s, "".join(set(LETTERS) - set(s)))),
    ),
    _REPEATS.filter(lambda r: r[1] > 0),
)


def _text(parts: list, start: bool, end: bool) -> str:
    spelled = [
        one + ("" if (low, high) == (1, 1) else f"({low})" if low == high else f"({low},{high})")
        for (one, *_), (low, high) in parts
    ]
    return "<" * start + "-".join(spelled) + ">" * end + "."


def _brute_force(parts: list, start: bool, end: bool, sequence: str) -> list[tuple[int, int]]:
    """Try each choice of repeats at each place, the longest of the first element first."""
    found: list[tuple[int, int]] = []
    for first in range(1 if start else len(sequence)):
        for repeats in itertools.product(*(range(h, low - 1, -1) for _, (low, h) in parts)):
            allowed = [
                a for ((_, _, a), _), n in zip(parts, repeats, strict=True) for _ in range(n)
            ]
            window = sequence[first : first + len(allowed)]
            fits = len(window) == len(allowed) and all(map(str.__contains__, allowed, window))
            if fits and not (end and first + len(allowed) != len(sequence)):
                if not any(first + len(allowed) <= e for _, e in found):
                    found.append((first + 1, first + len(allowed)))
                break
    return found


@settings(deadline=None)
@given(
    st.lists(_ELEMENTS, min_size=1, max_size=4).filter(lambda p: any(low for _, (low, _) in p)),
    st.booleans(),
    st.booleans(),
    st.text(LETTERS, max_size=14),
)
def test_a_random_pattern_matches_what_trying_everything_matches(
    parts: list, start: bool, end: bool, sequence: str
) -> None:
    found = parse_pattern(_text(parts, start, end)).find(sequence)
    assert found == _brute_force(parts, start, end, sequence)


@settings(deadline=None)
@given(st.lists(_ELEMENTS, min_size=1, max_size=4), st.data())
def test_a_sequence_spelled_from_a_pattern_is_found(parts: list, data: st.DataObject) -> None:
    motif = "".join(
        data.draw(st.text(allowed, min_size=max(1, low), max_size=high))
        for (_, _, allowed), (low, high) in parts
    )
    parts = [(one, (max(1, low), high)) for one, (low, high) in parts]
    before = data.draw(st.text(LETTERS, max_size=5))
    found = parse_pattern(_text(parts, False, False)).find(before + motif)
    inside = (len(before) + 1, len(before) + len(motif))
    assert any(s <= inside[0] and e >= inside[0] for s, e in found)


@settings(deadline=None)
@given(st.text("ACx[]{}()<>-,.0123 ", max_size=20))
def test_any_text_is_a_pattern_or_an_annotation_error(text: str) -> None:
    with contextlib.suppress(AnnotationError):
        parse_pattern(text).find("ACACAC")


@pytest.mark.shared_data
def test_the_real_entries_parse_and_profiles_are_told_apart(shared_data: Path) -> None:
    path = shared_data / "prosite_sample/emboss_prosite.dat"
    assert ANNOTATOR.reads(path)
    entries, _ = read_entries(path)
    kinds = [e.type for e in entries]
    assert (kinds.count("PATTERN"), kinds.count("MATRIX")) == (7, 4)
    rhodopsin = Protein("P1", "MM" + "GSEALLVLLLLTAADRYLALV" + "M")
    table = ANNOTATOR.annotate([path], [rhodopsin])
    assert table.concepts.height == 7
    assert not ANNOTATOR.reads(shared_data / "PROVENANCE.md")


@pytest.mark.parametrize(
    ("pattern", "sequence", "found"),
    [
        ("<{C}*>", "MARGDW", [(1, 6)]),
        ("<{C}*>.", "MACGDW", []),
        ("C-x*-C.", "ACAACMC", [(2, 7)]),
        ("<M-{P}*", "MARPD", [(1, 3)]),
        ("x(0,200)-[AC]-x(0,200)-C>", "WWACAC", [(1, 6)]),
    ],
)
def test_a_star_and_many_layouts_are_searched(
    pattern: str, sequence: str, found: list[tuple[int, int]]
) -> None:
    assert parse_pattern(pattern).find(sequence) == found


_PARTS = st.sampled_from(
    ["x", "A", "[AC]", "{A}", "x(2)", "A(0,2)", "x(0,3)", "{C}(1,2)", "x*", "[AC]*", "B"]
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from(["", "<", "[<A]-"]),
    st.lists(_PARTS, min_size=1, max_size=5),
    st.sampled_from(["", ">", "-[C>]"]),
    st.text("ACBX", max_size=9),
)
def test_both_searches_find_the_same(
    first: str, parts: list[str], last: str, sequence: str
) -> None:
    try:
        pattern = parse_pattern(f"{first}{'-'.join(['A', *parts])}{last}")
    except AnnotationError:
        return
    if pattern.regex is None:  # with a star; `re` can do a short protein
        body = "".join(
            f"(?:[{''.join(sorted(s.letters))}]{{{s.low},{min(s.high, 99)}}}"
            + {"<": r"|\A", ">": r"|\Z", "": ""}[s.end]
            + ")"
            for s in pattern.steps
        )
        body = (r"\A" if pattern.from_start else "") + body + (r"\Z" if pattern.to_end else "")
        wanted = re.compile(f"(?=({body}))")
    else:
        wanted = pattern.regex
    anchors = {"from_start": pattern.from_start, "to_end": pattern.to_end}
    assert list(ends(sequence, pattern.steps, **anchors)) == [
        match.span(1) for match in wanted.finditer(sequence)
    ]


def test_a_pattern_of_many_layouts_takes_no_longer_on_a_long_protein() -> None:
    pattern = parse_pattern("A-x(0,500)-A-x(0,500)-A-x*-A-x*-W.")
    start = time.process_time()
    assert pattern.find("A" * 35_000) == []
    assert time.process_time() - start < 2


def test_zstandard_files_are_read_and_cut_ones_refused(tmp_path: Path) -> None:
    packed = zstandard.compress(ENTRY.encode())
    path = tmp_path / "prosite.dat.zst"
    path.write_bytes(packed)
    assert ANNOTATOR.reads(path)
    assert read_entries(path)[0][0].accession == "PS00016"
    path.write_bytes(packed[:-4])
    with pytest.raises(AnnotationError, match=r"prosite\.dat\.zst"):
        ANNOTATOR.annotate([path], [Protein("P1", "MARGDW")])


def test_a_damaged_gzip_file_is_an_error_of_ours(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(ENTRY.encode() * 20))
    packed[30:60] = bytes(30)
    path = tmp_path / "prosite.dat.gz"
    path.write_bytes(packed)
    with pytest.raises(AnnotationError, match=r"prosite\.dat\.gz"):
        ANNOTATOR.annotate([path], [Protein("P1", "MARGDW")])


def test_a_pattern_of_ones_own_is_a_concept_without_any_file():
    found = ANNOTATOR.annotate([], [Protein("x", "ANGSANNTA")], options={"pattern": "N-{P}-[ST]"})
    assert found.rows.select("start", "end", "concept").rows() == [
        (2, 4, "prosite:pattern"),
        (6, 8, "prosite:pattern"),
    ]
    assert found.concepts["name"].to_list() == ["N-{P}-[ST]"]
    with pytest.raises(AnnotationError, match="of the options"):
        ANNOTATOR.annotate([], PROTEINS, options={"pattern": "N-"})
    with pytest.raises(AnnotationError, match="in PROSITE"):
        ANNOTATOR.annotate([], PROTEINS, options={"pattern": ""})
