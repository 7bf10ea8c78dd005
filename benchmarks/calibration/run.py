"""Does a stated precision hold? Calls on proteins of the test fold against their Pfam hits.

The proteins are of homology clusters that entered neither SAE, links nor calibration. A call of a
Pfam family is right if at least half of it lies in a hit and it covers a quarter of that hit;
calls on a hit of a sibling family, or of one that lost an overlap, are left out.
"""

import gzip
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
import polars as pl
from _harness import ROOT, SHARED, finish, parse, record

from bio_interp.annotations import AnnotationTable
from bio_interp.atlas import Call, load_atlas
from bio_interp.errors import BioInterpError
from bio_interp.sequences import Protein, Split, read_proteins
from bio_interp_pfam import pfam_table, read_hits

SPLIT = ROOT / "examples/unirep/split.tsv.gz"


def main() -> None:
    options = parse(__doc__)
    proteins = drawn(60 if options.quick else 2000)
    truth = labels(proteins)
    figures: dict[str, Any] = {"proteins": len(proteins), "residues": sum(map(len, proteins))}
    for atlas in ("reference", "unirep"):
        try:
            calls = annotated(atlas, proteins)
        except BioInterpError as error:
            figures[atlas] = f"not measured: {error}"
            continue
        figures[atlas] = compare(calls, truth, len(proteins))
    finish(record("calibration", options, figures, packages=("bio-interp", "torch")), options)


def drawn(count: int) -> list[Protein]:
    """Draw one scanned protein of each test cluster, 30 to 800 residues."""
    split = Split.load(SPLIT)
    listed = gzip.decompress((SHARED / "corpus/pfam_scanned_48k.txt.gz").read_bytes())
    scanned = set(listed.decode().split())
    chosen: dict[str, Protein] = {}
    for protein in read_proteins(SHARED / "corpus/swissprot_2014_reps50.fasta.zst"):
        name = protein.accession
        if name in scanned and split.fold(name) == "test" and 30 <= len(protein) <= 800:
            chosen.setdefault(split.cluster(name), protein)
    every = list(chosen.values())
    return every[:: max(1, len(every) // count)][:count]


def labels(proteins: Iterable[Protein]) -> AnnotationTable:
    """Resolve the Pfam hits of the proteins as the links did."""
    lengths = {p.accession: len(p) for p in proteins}
    hits = read_hits(SHARED / "corpus/pfam_hits_48k.tsv.gz")
    return pfam_table(hits.filter(pl.col("accession").is_in(set(lengths))), lengths)


def annotated(atlas: str, proteins: Iterable[Protein]) -> list[Call]:
    """Make every call of a Pfam concept, however weak."""
    results = load_atlas(atlas).annotate(proteins, min_precision=0.0)
    return [c for r in results for c in r.calls if c.concept.startswith("pfam")]


def compare(calls: list[Call], truth: AnnotationTable, proteins: int) -> dict[str, Any]:
    """Compare stated with realised precision, and count calls at two claims."""
    spans = index(truth.rows)
    unknown = index(truth.coverage.filter(pl.col("state") == "unknown").rename({"kind": "concept"}))
    judged = [
        (c.precision, c.precision_low, right(c, spans.get((c.accession, c.concept), [])))
        for c in calls
        if right(c, spans.get((c.accession, c.concept), []))
        or not touches(c, unknown.get((c.accession, c.concept), []))
    ]
    stated, low, good = (
        (np.array(x, dtype=float) for x in zip(*judged, strict=True))
        if judged
        else (np.zeros(0),) * 3
    )
    figures: dict[str, Any] = {"calls_judged": len(stated)}
    order = np.argsort(stated, kind="stable")
    parts = np.array_split(order, min(20, len(order) // 100)) if len(order) >= 100 else []
    gaps = [abs(stated[p].mean() - good[p].mean()) * len(p) for p in parts]
    figures["mean_absolute_difference"] = round(sum(gaps) / len(order), 4) if parts else None
    for claim in (0.8, 0.9):
        shown = low >= claim
        figures[f"calls_per_1000_proteins_at_{claim}"] = round(1000 * shown.sum() / proteins, 1)
        figures[f"realised_precision_at_{claim}"] = (
            round(float(good[shown].mean()), 4) if shown.any() else None
        )
    return figures


def index(rows: pl.DataFrame) -> dict[tuple[str, str], list[tuple[int, int]]]:
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for accession, concept, start, end in rows.select(
        "accession", "concept", "start", "end"
    ).iter_rows():
        found.setdefault((accession, concept), []).append((start, end))
    return found


def right(call: Call, spans: list[tuple[int, int]]) -> bool:
    """Half of the call lies in a span, and it covers a quarter of the span."""
    length = call.end - call.start + 1
    shared = [(min(call.end, e) - max(call.start, s) + 1, e - s + 1) for s, e in spans]
    return any(n >= 0.5 * length and n >= 0.25 * span for n, span in shared)


def touches(call: Call, spans: list[tuple[int, int]]) -> bool:
    """Half of the call or more is to be ignored."""
    shared = sum(max(0, min(call.end, e) - max(call.start, s) + 1) for s, e in spans)
    return shared >= 0.5 * (call.end - call.start + 1)


if __name__ == "__main__":
    main()
