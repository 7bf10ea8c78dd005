"""Figures on the test fold: links, the bootstrap against a baseline, calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from bio_interp.linking._calibration import look_up
from bio_interp.linking._table import LinkTable
from bio_interp.linking.statistics import MIN_TEST_CLUSTERS

KINDS = ("family_marker", "locator", "delineator", "interplm")


def link_figures(table: LinkTable) -> dict[str, Any]:
    """Count concepts of at least 15 test clusters with F1 above 0.5 on test, by link type."""
    figures: dict[str, Any] = {}
    for source, links in _by_source(table.links):
        enough = links.filter(pl.col("test_clusters") >= MIN_TEST_CLUSTERS)
        figures[source] = {"concepts": enough["concept"].n_unique()} | {
            kind: enough.filter((pl.col("link_type") == kind) & (pl.col("test_f1") > 0.5)).height
            for kind in KINDS
        }
        figures[source] |= {
            f"{kind}_mean_f1": _rounded(
                enough.filter(pl.col("link_type") == kind)["test_f1"].mean()
            )
            for kind in KINDS
        }
    return figures


def paired_bootstrap(ours: LinkTable, other: LinkTable, draws: int = 10_000) -> dict[str, Any]:
    """Test-F1 of ours minus the other's, mean over concepts, with a 95 % bootstrap interval."""
    result: dict[str, Any] = {}
    for kind in KINDS:
        a, b = (
            t.links.filter(
                (pl.col("link_type") == kind) & (pl.col("test_clusters") >= MIN_TEST_CLUSTERS)
            )
            for t in (ours, other)
        )
        both = a.join(b, on="concept", suffix="_other", how="left").fill_null(0.0)
        difference = (both["test_f1"] - both["test_f1_other"]).to_numpy()
        if len(difference):
            rng = np.random.default_rng(0)
            means = rng.choice(difference, (draws, len(difference))).mean(1)
            low, high = np.quantile(means, [0.025, 0.975])
            result[kind] = {
                "concepts": len(difference),
                "difference": _rounded(difference.mean()),
                "low": _rounded(low),
                "high": _rounded(high),
            }
    return result


def priced(table: LinkTable, calls: pl.DataFrame) -> pl.DataFrame:
    """Add ``precision``, ``low`` and ``high`` to judged calls."""
    curves = table.curves_by_concept()
    rows = [look_up(curves[c], s)[:3] for c, s in calls.select("concept", "strength").iter_rows()]
    columns = {"precision": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return calls.hstack(pl.DataFrame(rows, schema=columns, orient="row"))


def calibration_figures(table: LinkTable, calls: pl.DataFrame, proteins: float) -> dict[str, Any]:
    """Compare stated and realised precision of calls on the test fold.

    `proteins` is how many proteins the test proteins stand for (the sum of their weights).
    """
    told = priced(table, calls)
    figures: dict[str, Any] = {"test_calls": told.height, "test_proteins_weighted": proteins}
    for claim in (0.8, 0.9):
        for name, shown in (
            (f"low_{claim}", told.filter(pl.col("low") >= claim)),
            (f"precision_{claim}", told.filter(pl.col("precision") >= claim)),
        ):
            per_1000 = 1000 * float(shown["weight"].sum()) / proteins
            figures[f"calls_per_1000_at_{name}"] = _rounded(per_1000)
            figures[f"calls_at_{name}"] = shown.height
            figures[f"realised_at_{name}"] = _realised(shown)
    for source, part in [("all", told), *_by_source(told)]:
        figures[f"calibration_error_{source}"] = calibration_error(part)
    figures["interval_coverage"] = _interval_coverage(told)
    return figures


def _realised(calls: pl.DataFrame) -> float | None:
    weight = calls["weight"].to_numpy()
    return _rounded(np.average(calls["right"].to_numpy(), weights=weight)) if len(weight) else None


def calibration_error(told: pl.DataFrame, smallest: int = 100) -> float | None:
    """Call-weighted mean of ``|stated - realised|`` over bins of 100 calls or more."""
    if told.height < smallest:
        return None
    ordered = told.sort("precision")
    stated, right, weight = (ordered[c].to_numpy() for c in ("precision", "right", "weight"))
    parts = np.array_split(np.arange(ordered.height), min(20, ordered.height // smallest))
    gaps = [
        abs(np.average(stated[p], weights=weight[p]) - np.average(right[p], weights=weight[p]))
        * weight[p].sum()
        for p in parts
    ]
    return _rounded(sum(gaps) / weight.sum())


def _interval_coverage(told: pl.DataFrame) -> dict[str, Any]:
    """Tell how often the test precision of a (concept, stratum) agrees with its 95 % interval.

    The count of right clusters must lie inside the 95 % range of binomials at the interval's
    ends, so that the sampling noise of few test clusters is not blamed. Strata of 5 or more.
    """
    from scipy.stats import binom

    clusters = told.group_by("concept", "low", "high", "cluster").agg(pl.col("right").mean())
    strata = (
        clusters.group_by("concept", "low", "high")
        .agg(pl.col("right").sum().round().alias("k"), pl.len().alias("n"))
        .filter(pl.col("n") >= 5)
    )
    k, n, low, high = (strata[c].to_numpy() for c in ("k", "n", "low", "high"))
    held = (k >= binom.ppf(0.025, n, low)) & (k <= binom.ppf(0.975, n, high))
    return {"strata": strata.height, "held": _rounded(held.mean()) if len(held) else None}


def _by_source(frame: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    source = pl.col("concept").str.split(":").list.first()
    return [(str(k[0]), part) for k, part in frame.group_by(source, maintain_order=True)]


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 4)
