"""Features against known annotations, with baselines beside them: the honest table.

Features and thresholds are chosen on *select* and reported on *test*, once. A source of features is
the SAE, the model's own neurons (both signs), principal components, random directions, the bare
sequence (one-hot, words of two and three residues), or the SAE against permuted labels.

============ ====================================================== =========================
table        a row                                                  columns
============ ====================================================== =========================
`BENCH`      a source, score and concept                            chosen pair, F1, interval
`SUMMARY`    a source and score, over concepts of 15 test clusters  concepts above 0.5, mean F1
`PAIRED`     a baseline and score                                   the SAE minus the baseline
============ ====================================================== =========================

Scores: ``family_marker`` (the protein has it), ``locator`` (half of a run lies in a span),
``delineator`` (*strict* span-F1: runs one to one with spans at 50 % reciprocal overlap),
``residue`` (precision and recall of residues), ``interplm`` (residue precision with any-hit span
recall).
"""

from bio_interp.benchmarking._bench import BenchSettings, BenchTable, bench
from bio_interp.benchmarking._measure import BENCH, SCORES, Measured, claims, measure
from bio_interp.benchmarking._page import save_bench
from bio_interp.benchmarking._probes import PROBES, make_probe, names_of
from bio_interp.benchmarking._require import check_expressions, require
from bio_interp.benchmarking._rows import Rows
from bio_interp.benchmarking._run import bench_atlas, check_annotations
from bio_interp.benchmarking._sources import BASELINES, Source, make_source
from bio_interp.benchmarking._summary import PAIRED, SUMMARY, compare, summarise

__all__ = [
    "BASELINES",
    "BENCH",
    "PAIRED",
    "PROBES",
    "SCORES",
    "SUMMARY",
    "BenchSettings",
    "BenchTable",
    "Measured",
    "Rows",
    "Source",
    "bench",
    "bench_atlas",
    "check_annotations",
    "check_expressions",
    "claims",
    "compare",
    "make_probe",
    "make_source",
    "measure",
    "names_of",
    "require",
    "save_bench",
    "summarise",
]
