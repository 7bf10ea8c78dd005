"""What is in a file, counted without the program, and what a run of it accounts for."""

import csv
import gzip
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import zstandard
from _cases import FEATURES

from bio_interp.annotations import AnnotationTable


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended."""

    code: int
    out: str
    err: str
    written: Path


def cut_silently(counter: str, path: Path, run: Outcome) -> str:
    """Compare what was there with what was read and what was named as left out; "" where equal."""
    if not counter or run.code != 0:
        return ""
    there = _THERE.get(counter, _proteins)(_plain(path))
    told = _TOLD[counter](run)
    return "" if there == told else f"{there} in the file, {told} accounted for"


def read_store(folder: Path) -> None:
    """Read all of a feature store."""
    from bio_interp.features import FeatureStore

    store = FeatureStore.open(folder)
    for name in store.accessions:
        store.protein(name)
    for feature in range(store.d_sae):
        store.feature(feature)


def _plain(path: Path) -> bytes:
    content = path.read_bytes()
    if content.startswith(b"\x1f\x8b"):
        return gzip.decompress(content)
    if content.startswith(b"\x28\xb5\x2f\xfd"):
        stream = zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True)
        return stream.read()
    return content


def _proteins(content: bytes) -> tuple[int, int]:
    """Count records and residues."""
    content = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if content.lstrip().startswith(b"ID   "):
        blocks = re.findall(rb"\nSQ   [^\n]*\n((?:     [^\n]*\n)*)", content)
        return len(blocks), len(re.sub(rb"\s", b"", b"".join(blocks)))
    headers = re.findall(rb"^>.*$", content, re.MULTILINE)
    rest = re.sub(rb"(?m)^>.*$", b"", content)
    return len(headers), len(re.sub(rb"[\s*]", b"", rest))


def _summary(run: Outcome) -> tuple[int, int]:
    lines = [line.split("\t") for line in run.out.split("\n") if line and not line.startswith("# ")]
    at = lines[0].index("length")
    return len(lines) - 1, sum(int(row[at]) for row in lines[1:])


def _npz(run: Outcome) -> tuple[int, int]:
    import numpy as np

    with np.load(run.written.with_name(run.written.name + ".npz")) as arrays:
        return len(arrays["accessions"]), int(arrays["offsets"][-1])


def _split(run: Outcome) -> int:
    lines = run.written.with_name(run.written.name + ".tsv").read_text().split("\n")
    return sum(1 for line in lines if "\t" in line) - 1


def _uniprot_there(content: bytes) -> int:
    """Count features."""
    text = content.decode("utf-8-sig", errors="replace")
    if text.lstrip().startswith("<"):
        return len(re.findall(r"<feature\b", text))
    if text.lstrip().startswith("{"):
        found = json.loads(text)
        entries = found.get("results", [found])
        return sum(len(entry.get("features", ())) for entry in entries)
    lines = text.splitlines() if "\r" in text else text.split("\n")
    if lines[0].startswith("ID   "):
        return sum(1 for line in lines if re.match(r"FT   \S", line))
    if lines[0].startswith("Entry"):
        cells = [cell for line in lines[1:] for cell in line.split("\t")]
        return sum(len(re.findall(r"(?:DOMAIN|ACT_SITE) \S", cell)) for cell in cells)
    if lines[0].startswith("protein_id"):
        return sum(1 for _ in csv.reader(io.StringIO(text))) - 1
    return sum(1 for line in lines if line.strip() and not line.startswith("#"))


def _uniprot_told(run: Outcome) -> int:
    table = AnnotationTable.load(run.written)
    rows = table.rows.filter(~pl.col("concept").str.contains("/"))
    left_out = sum(map(int, re.findall(r"left out (\d+) features", run.err)))
    # an entry that is left out by name takes its features with it
    entries = sum(map(int, re.findall(r"left out (\d+) entries", run.err)))
    return rows.height + left_out + FEATURES * entries


def _pfam_there(content: bytes) -> int:
    text = content.decode("utf-8-sig", errors="replace")
    lines = [line for line in re.split(r"\r\n|\n|\r", text) if line.strip()]
    return len(lines) - lines[0].startswith("accession\t")


def _pfam_told(run: Outcome) -> int:
    table = AnnotationTable.load(run.written)
    members = table.rows.filter(pl.col("concept").str.starts_with("pfam:"))
    lost = table.coverage.filter(
        (pl.col("state") == "unknown") & pl.col("kind").str.starts_with("pfam:")
    )
    strays = sum(map(int, re.findall(r"(\d+) hits are in proteins not given", run.err)))
    return members.height + lost.height + strays


def _prosite_there(content: bytes) -> int:
    return len(re.findall(rb"^ID   ", content, re.MULTILINE))


def _prosite_told(run: Outcome) -> int:
    table = AnnotationTable.load(run.written)
    skipped = re.findall(r"(\d+) of \d+ entries are profiles|(\d+) patterns with", run.err)
    return table.concepts.height + sum(int(a or b) for a, b in skipped)


_THERE: dict[str, Callable[[bytes], object]] = {
    "split": lambda content: _proteins(content)[0],
    "uniprot": _uniprot_there,
    "pfam": _pfam_there,
    "prosite": _prosite_there,
}
_TOLD: dict[str, Callable[[Outcome], object]] = {
    "summary": _summary,
    "npz": _npz,
    "split": _split,
    "uniprot": _uniprot_told,
    "pfam": _pfam_told,
    "prosite": _prosite_told,
}
