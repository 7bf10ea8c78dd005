"""Figures of an atlas on the test fold: links, the bootstrap against a baseline, calibration."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from bio_interp.linking import LinkTable, look_up

KINDS = ("family_marker", "locator", "delineator", "interplm")
ENOUGH = 15  # test clusters


def link_figures(table: LinkTable) -> dict[str, Any]:
    """Count concepts of at least 15 test clusters with F1 above 0.5 on test, by link type."""
    figures: dict[str, Any] = {}
    for source, links in _by_source(table.links):
        enough = links.filter(pl.col("test_clusters") >= ENOUGH)
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
            t.links.filter((pl.col("link_type") == kind) & (pl.col("test_clusters") >= ENOUGH))
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
    curves: dict[str, list[Any]] = {}
    for concept, *row in table.calibration.sort("concept", "strength").drop("clusters").iter_rows():
        curves.setdefault(concept, []).append(tuple(row))
    rows = [look_up(curves[c], s)[:3] for c, s in calls.select("concept", "strength").iter_rows()]
    columns = {"precision": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return calls.hstack(pl.DataFrame(rows, schema=columns, orient="row"))


def calibration_figures(table: LinkTable, calls: pl.DataFrame, proteins: int) -> dict[str, Any]:
    """Compare stated and realised precision of calls on the test fold."""
    told = priced(table, calls)
    figures: dict[str, Any] = {"test_calls": told.height, "test_proteins": proteins}
    for claim in (0.8, 0.9):
        shown = told.filter(pl.col("low") >= claim)
        figures[f"calls_per_1000_at_low_{claim}"] = _rounded(1000 * shown.height / proteins)
        figures[f"realised_at_low_{claim}"] = _rounded(shown["right"].mean())
        claimed = told.filter(pl.col("precision") >= claim)
        figures[f"calls_per_1000_at_precision_{claim}"] = _rounded(1000 * claimed.height / proteins)
        figures[f"realised_at_precision_{claim}"] = _rounded(claimed["right"].mean())
    for source, part in [("all", told), *_by_source(told)]:
        figures[f"calibration_error_{source}"] = calibration_error(part)
    figures["interval_coverage"] = _interval_coverage(told)
    return figures


def calibration_error(told: pl.DataFrame, smallest: int = 100) -> float | None:
    """Call-weighted mean of |stated - realised| over bins of 100 calls or more."""
    ordered = told.sort("precision")
    bins = max(1, min(20, ordered.height // smallest))
    if ordered.height < smallest:
        return None
    parts = np.array_split(np.arange(ordered.height), bins)
    stated, right = ordered["precision"].to_numpy(), ordered["right"].to_numpy()
    gaps = [abs(stated[p].mean() - right[p].mean()) * len(p) for p in parts]
    return _rounded(sum(gaps) / ordered.height)


def _interval_coverage(told: pl.DataFrame) -> dict[str, Any]:
    """How often a (concept, stratum)'s test precision is consistent with its 95 % interval.

    A stratum of ``n`` clusters holds where its count of right ones is inside the 95 % range of
    binomials with the interval's ends, so that sampling noise of few test clusters is not blamed.
    """
    from scipy.stats import binom

    strata = (
        told.group_by("concept", "low", "high")
        .agg(pl.col("right").sum().alias("k"), pl.len().alias("n"))
        .filter(pl.col("n") >= 5)
    )
    k, n, low, high = (strata[c].to_numpy() for c in ("k", "n", "low", "high"))
    held = (k >= binom.ppf(0.025, n, low)) & (k <= binom.ppf(0.975, n, high))
    return {"strata": strata.height, "held": _rounded(held.mean() if len(held) else None)}


def _by_source(frame: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    source = pl.col("concept").str.split(":").list.first()
    return [(str(k[0]), part) for k, part in frame.group_by(source, maintain_order=True)]


def _rounded(value: Any) -> float | None:
    return None if value is None else round(float(value), 4)


def figures(table: LinkTable, calls: pl.DataFrame, proteins: int) -> Mapping[str, Any]:
    """Put the figures of links and calibration together."""
    return {
        "links": link_figures(table),
        "calibration": calibration_figures(table, calls, proteins),
    }
