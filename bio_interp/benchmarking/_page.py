"""Write a benchmark: JSON, Parquet, and a page with plots."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from bio_interp.benchmarking._bench import BenchTable
from bio_interp.benchmarking._measure import SCORES
from bio_interp.linking.statistics import MIN_TEST_CLUSTERS
from bio_interp.provenance import atomic_path, versions, write_json
from bio_interp.render import Markup, element, join, table
from bio_interp.reports import html_page

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NOTE = (
    "Features and thresholds were chosen on the select fold and scored on the test fold, once. A "
    "concept that fails on test counts as 0. Intervals (95 %) resample homology clusters. Only "
    f"concepts with {MIN_TEST_CLUSTERS} test clusters or more are summed up; the others are not "
    "testable and stand apart. Precision is over all residues that were looked at; prevalence "
    "beside it is what a guess would reach."
)
_SHOWN = ("concept", "name", "score", "feature", "f1", "low", "high", "precision", "prevalence",
          "recall", "select_f1", "auroc", "test_clusters", "q")  # fmt: skip


def save_bench(found: BenchTable, folder: Path) -> None:
    """Write ``bench.json``, ``rows.parquet``, ``evidence.parquet`` and ``index.html``.

    Parameters
    ----------
    found
        The benchmark.
    folder
        Made where it is absent.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("rows", "evidence"):
        with atomic_path(folder / f"{name}.parquet") as path:
            getattr(found, name).write_parquet(path)
    content = {
        "facts": dict(found.facts),
        "date": datetime.now(UTC).date().isoformat(),
        "versions": versions(("bio-interp", "torch", "numpy", "polars", "scikit-learn")),
        **found.summed_up(),
    }
    write_json(folder / "bench.json", content)
    with atomic_path(folder / "index.html") as path:
        path.write_text(bench_page(found), encoding="utf-8")


def bench_page(found: BenchTable) -> str:
    """Write the page: plots, the summary, and every concept of the SAE."""
    strict = found.summary.filter(protocol="strict")
    sae = found.rows.filter(source="sae", protocol="strict").sort("f1", descending=True)
    tested = sae.filter(pl.col("test_clusters") >= MIN_TEST_CLUSTERS)
    apart = sae.filter(pl.col("test_clusters") < MIN_TEST_CLUSTERS)
    facts = [(key, value) for key, value in found.facts.items() if not isinstance(value, dict)]
    parts = [
        element("p", _NOTE),
        table(("fact", "value"), facts),
        element("h2", "Concepts found"),
        _picture(bars(strict), "concepts with test F1 above one half, by source and score"),
        element("h2", "Chosen on select, reported on test"),
        _picture(curse(tested), "F1 on select against F1 on test of the SAE's choices"),
        element("h2", "All sources"),
        _table(found.summary),
        element("h2", "The SAE minus each baseline, on the same resampled clusters"),
        _table(found.paired),
        element("h2", f"Concepts with {MIN_TEST_CLUSTERS} or more test clusters"),
        _table(tested.select(_SHOWN)),
        element("h2", "Not testable: fewer test clusters"),
        _table(apart.select(_SHOWN)),
    ]
    return html_page(f"Benchmark: {found.facts.get('atlas', 'SAE')}", join(parts))


def _table(frame: pl.DataFrame) -> Markup:
    rows = ([_cell(value) for value in row] for row in frame.iter_rows())
    return table(frame.columns, rows)


def _cell(value: object) -> str:
    if value is None or value != value:
        return "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _picture(figure: Figure, says: str) -> Markup:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=130)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    return element("img", src=f"data:image/png;base64,{data}", alt=says, style="max-width:100%")


def bars(summary: pl.DataFrame) -> Figure:
    """Draw how many concepts each source finds, a group of bars a score, with intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axes: Any = figure.subplots()
    sources = summary["source"].unique(maintain_order=True).to_list()
    width = 0.8 / max(1, len(sources))
    for i, source in enumerate(sources):
        rows = [_row(summary, source, score) for score in SCORES]
        height = np.array([r["above_half"] or 0 for r in rows], float)
        low, high = (
            np.array([r[f"above_half_{end}"] or 0 for r in rows], float) for end in ("low", "high")
        )
        error = np.maximum([height - low, high - height], 0)
        axes.bar(np.arange(len(SCORES)) + i * width, height, width, yerr=error, label=source)
    axes.set_xticks(np.arange(len(SCORES)) + 0.4 - width / 2, SCORES)
    axes.set_ylabel("concepts with test F1 > 0.5")
    if axes.has_data():
        axes.legend(fontsize="small", frameon=False)
    return figure


def _row(summary: pl.DataFrame, source: str, score: str) -> dict[str, Any]:
    found = summary.filter((pl.col("source") == source) & (pl.col("score") == score))
    none = dict.fromkeys(summary.columns)
    return found.row(0, named=True) if found.height else none


def curse(rows: pl.DataFrame) -> Figure:
    """Draw what each choice scored where it was made against what it scored on test."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.2), layout="constrained")
    axes: Any = figure.subplots()
    scores: Sequence[str] = [s for s in SCORES if s in set(rows["score"])]
    for score in scores:
        own = rows.filter(pl.col("score") == score)
        axes.scatter(own["select_f1"], own["f1"], s=9, alpha=0.7, label=score)
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
    axes.set(
        xlabel="F1 on select, where it was chosen", ylabel="F1 on test", xlim=(0, 1), ylim=(0, 1)
    )
    if scores:
        axes.legend(fontsize="small", frameon=False)
    return figure
