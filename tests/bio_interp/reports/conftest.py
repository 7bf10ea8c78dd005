"""Calls made by hand, so that what a report must say is known."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest

from bio_interp.atlas import Call, ProteinResult, ProteinStatus
from bio_interp.reports import FORMATS, ReportOptions, RunHeader
from bio_interp.sequences import Protein


def make_call(accession: str, start: int, end: int, **changes: object) -> Call:
    values: dict = {
        "concept": "pfam:PF00036",
        "name": "EF-hand; calcium, 1=yes & 100%",
        "link_type": "delineator",
        "features": (12, 7),
        "peak": 3.25,
        "precision": 0.934,
        "precision_low": 0.861,
        "precision_high": 0.972,
        "n": 118,
        "exposure": "unseen by SAE and links",
        "flags": ("weak",),
        **changes,
    }
    return Call(accession=accession, start=start, end=end, **values)


def fake_annotate(proteins: Iterable[Protein]) -> Iterator[ProteinResult]:
    """Call every run of D: a stand-in whose answers can be checked by eye."""
    for protein in proteins:
        starts = [i for i, aa in enumerate(protein.sequence, start=1) if aa == "D"]
        calls = tuple(make_call(protein.accession, i, i) for i in starts)
        status = "ok" if calls else "no_known_concept"
        summary = ProteinStatus(protein.accession, len(protein), status, len(calls))
        yield ProteinResult(summary, calls, protein.sequence)


def written(form: str, results: Iterable[ProteinResult], header: RunHeader, **options) -> bytes:
    """Write a whole report in memory, as `write_report` would on disk."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    complete = options.pop("complete", True)
    writer = FORMATS[form].writer(stream, header, ReportOptions(**options))
    writer.begin()
    for result in results:
        writer.write(result)
    writer.end(complete=complete)
    stream.flush()
    return stream.buffer.getvalue()


@dataclass
class Node:
    """An element of a page: its tag, attributes, and what is in it."""

    tag: str
    attributes: dict[str, str | None]
    children: list = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    def all(self, tag: str) -> list["Node"]:
        """Find the elements of a tag in it, in the order of the page."""
        inner = [child for child in self.children if isinstance(child, Node)]
        return [n for c in inner for n in ([c] if c.tag == tag else []) + c.all(tag)]


class _PageReader(HTMLParser):
    """Builds a tree, and accepts no element that is left open or closed twice."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Node("", {})
        self.path = [self.root]

    def handle_starttag(self, tag, attributes):
        assert len(dict(attributes)) == len(attributes), "an attribute given twice"
        node = Node(tag, dict(attributes))
        self.path[-1].children.append(node)
        if tag not in {"meta", "br"}:
            self.path.append(node)

    def handle_startendtag(self, tag, attributes):
        assert tag == "rect", "only elements of SVG close themselves"
        self.path[-1].children.append(Node(tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.path.pop().tag == tag

    def handle_data(self, data):
        self.path[-1].children.append(data)


def read_page(text: str) -> Node:
    """Read HTML strictly."""
    reader = _PageReader()
    reader.feed(text)
    reader.close()
    assert reader.path == [reader.root], "an element is left open"
    return reader.root


@pytest.fixture
def header() -> RunHeader:
    return RunHeader("0.1.0", "toy", "2", "unirep", "CC BY-NC 4.0", 0.8, ("a line\tfor people",))


@pytest.fixture
def proteins() -> list[Protein]:
    return [Protein("P1", "MDKD"), Protein("P 2;x", "MKKK"), Protein("P3", "DAAAA")]
