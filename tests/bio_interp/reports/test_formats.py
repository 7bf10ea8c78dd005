"""Laws: whatever the calls are, every format gives their positions back to a strict reader."""

import io
import json
import math
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.atlas import ProteinResult, ProteinStatus
from bio_interp.reports import CALL_COLUMNS, FORMATS, SUMMARY_COLUMNS, RunHeader
from bio_interp.sequences import Protein

from .conftest import fake_annotate, make_call, read_page, written

HEADER = RunHeader("0.1.0", "toy", "2", "unirep", "CC BY-NC 4.0", 0.8, ("a line\tfor people",))
# an accession is the first word of a header; a name is anything
WORDS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12),
    st.sampled_from(["track1", "browser", "#1", "-", "<script>", "a;b=c", "%41", "P12345-2", '"']),
)
NAMES = st.one_of(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"])), WORDS)
SHARES = st.floats(0, 1) | st.just(math.nan)
FLAGS = st.lists(st.sampled_from(["weak", "low_complexity", "window_edge"]), unique=True)


@st.composite
def results(draw):
    """Draw proteins with calls anywhere in them."""
    found = []
    for accession in draw(st.lists(WORDS, unique=True, max_size=3)):
        length = draw(st.integers(1, 3000))
        calls = []
        for _ in range(draw(st.integers(0, 4))):
            start = draw(st.integers(1, length))
            end = draw(st.integers(start, length))
            fields = {
                "concept": draw(WORDS),
                "name": draw(NAMES),
                "precision": draw(SHARES),
                "flags": tuple(draw(FLAGS)),
                "link_type": draw(st.sampled_from(["locator", "unlinked"])),
            }
            calls.append(make_call(accession, start, end, **fields))
        status = ProteinStatus(accession, length, "ok", len(calls), draw(NAMES))
        found.append(ProteinResult(status, tuple(calls), "A" * length))
    return found


def read_tsv(content):
    frame = pl.read_csv(content, separator="\t", comment_prefix="# ", quote_char=None,
                        schema_overrides={"accession": pl.String})  # fmt: skip
    return frame.select("accession", "start", "end").rows()


def read_json(content):
    return [(c["accession"], c["start"], c["end"]) for c in json.loads(content)["calls"]]


def read_gff3(content):
    lines = [line.split("\t") for line in content.decode().splitlines() if line[0] != "#"]
    assert all(len(line) == 9 for line in lines)
    return [(unquote(line[0]), int(line[3]), int(line[4])) for line in lines]


def read_bed(content):
    """Read BED9 strictly by GA4GH BED 1.0, but for the letters of names of chromosomes."""
    found = []
    last = ("", 0, 0)
    for line in content.decode().split("\n")[:-1]:
        if line.startswith("#"):
            continue
        assert not re.match("track|browser", line, flags=re.IGNORECASE)
        assert line == line.strip()
        chrom, start, end, name, score, strand, thick_start, thick_end, color = line.split("\t")
        assert re.fullmatch(r"[\x21-\x7e]+", chrom)
        assert re.fullmatch(r"[\x21-\x7e]+", name)  # no space: readers may split there
        assert 0 <= int(start) < int(end)
        assert 0 <= int(score) <= 1000
        assert strand == "."
        assert (thick_start, thick_end) == (start, end)
        assert all(0 <= int(share) <= 255 for share in color.split(","))
        assert len(color.split(",")) == 3
        assert chrom != last[0] or (int(start), int(end)) >= last[1:]  # sorted
        last = (chrom, int(start), int(end))
        # half-open and from 0, so the residues are start + 1 to end
        found.append((unquote(chrom), int(start) + 1, int(end)))
    return found


def read_iprscan(content):
    lines = [line.split("\t") for line in content.decode().split("\n")[:-1]]
    assert all(len(line) == 15 for line in lines)
    return [(line[0], int(line[6]), int(line[7])) for line in lines]


def read_parquet(content):
    return pl.read_parquet(io.BytesIO(content)).select("accession", "start", "end").rows()


def read_html(content):
    found = []
    for section in read_page(content.decode()).all("section"):
        name, facts = section.all("h2")[0].children
        length = int(facts.text.split()[0])
        cells = [[cell.text for cell in row.all("td")] for row in section.all("tr")[1:]]
        places = Counter((int(row[0]), int(row[1])) for row in cells)
        # the bars are where the table says that they are
        assert Counter(_place(bar, length) for bar in section.all("a")) <= places
        found += [(name.removesuffix(" "), *place) for place in places.elements()]
    return found


def _place(bar, length):
    left, width = map(float, re.findall(r"(?:left|width):([\d.]+)%", bar.attributes["style"]))
    return round(left * length / 100) + 1, round((left + width) * length / 100)


READERS = {
    "tsv": read_tsv,
    "json": read_json,
    "gff3": read_gff3,
    "bed": read_bed,
    "iprscan": read_iprscan,
    "html": read_html,
    "parquet": read_parquet,
}


def test_every_format_but_the_terminals_has_a_reader_here():
    assert set(READERS) == set(FORMATS) - {"table"}


@pytest.mark.parametrize("form", READERS)
@settings(deadline=None, max_examples=40)
@given(drawn=results())
def test_positions_and_accessions_come_back_from_every_format(form, drawn):
    found = READERS[form](written(form, drawn, HEADER))
    assert Counter(found) == Counter((c.accession, c.start, c.end) for r in drawn for c in r.calls)


def test_bed_alone_counts_from_zero():
    """One call of residues 2 to 2 and one of 1 to 1, as each format writes them."""
    drawn = list(fake_annotate([Protein("P1", "MDKK"), Protein("P3", "D")]))
    lines = {form: written(form, drawn, HEADER).decode().splitlines() for form in ("bed", "gff3")}
    bed = [line.split("\t")[1:3] for line in lines["bed"] if line[0] != "#"]
    gff = [line.split("\t")[3:5] for line in lines["gff3"] if line[0] != "#"]
    assert bed == [["1", "2"], ["0", "1"]]
    assert gff == [["2", "2"], ["1", "1"]]
    iprscan = written("iprscan", drawn, HEADER).decode().splitlines()
    assert [line.split("\t")[6:8] for line in iprscan] == gff


def test_the_page_on_formats_names_every_format_suffix_and_column():
    text = (Path(__file__).parents[3] / "docs/formats.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    start = next(i for i, row in enumerate(rows) if row[:1] == ["format"]) + 2
    documented = {row[1].strip("`"): row for row in rows[start : start + len(FORMATS)]}
    assert set(documented) == set(FORMATS)
    for name, spec in FORMATS.items():
        assert documented[name][2].strip("`") == " ".join(spec.suffixes)
        assert ("--resume" in documented[name][5]) == spec.resumes
    for column in (*CALL_COLUMNS, *SUMMARY_COLUMNS):
        assert f"`{column}`" in text
