"""Calls made by hand, so that what a report must say is known."""

from collections.abc import Iterable, Iterator

import pytest

from bio_interp.atlas import Call, ProteinResult, ProteinStatus
from bio_interp.reports import RunHeader
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
        yield ProteinResult(summary, calls)


@pytest.fixture
def header() -> RunHeader:
    return RunHeader("0.1.0", "toy", "2", "unirep", "CC BY-NC 4.0", 0.8, ("a line\tfor people",))


@pytest.fixture
def proteins() -> list[Protein]:
    return [Protein("P1", "MDKD"), Protein("P 2;x", "MKKK"), Protein("P3", "DAAAA")]
