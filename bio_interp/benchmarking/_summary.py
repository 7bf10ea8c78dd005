"""The table of a benchmark in short: sources against each other, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from bio_interp.benchmarking._measure import Measured
from bio_interp.linking.statistics import (
    MIN_TEST_CLUSTERS,
    cluster_intervals,
    paired_intervals,
    winners_curse,
)

SUMMARY: dict[str, Any] = {
    "source": pl.String,
    "protocol": pl.String,
    "score": pl.String,
    "concepts": pl.Int32,
    "above_half": pl.Int32,
    "above_half_low": pl.Float64,
    "above_half_high": pl.Float64,
    "mean_f1": pl.Float64,
    "mean_f1_low": pl.Float64,
    "mean_f1_high": pl.Float64,
    "select_f1": pl.Float64,
    "drop": pl.Float64,
    "auroc": pl.Float64,
    "average_precision": pl.Float64,
}
PAIRED: dict[str, Any] = {
    "source": pl.String,
    "score": pl.String,
    "concepts": pl.Int32,
    "mean_f1": pl.Float64,
    "mean_f1_low": pl.Float64,
    "mean_f1_high": pl.Float64,
    "above_half": pl.Float64,
    "above_half_low": pl.Float64,
    "above_half_high": pl.Float64,
}


def summarise(measured: Sequence[Measured], clusters: int) -> pl.DataFrame:
    """Sum up every source and score over the concepts of at least 15 test clusters.

    Parameters
    ----------
    measured
        Sources on the same labels.
    clusters
        Clusters of the test fold.

    Returns
    -------
    DataFrame
        Columns of `SUMMARY`: how many concepts have F1 above one half on test and the mean F1,
        both with 95 % intervals over clusters; the mean F1 on select, where the choice was made,
        and how much of it is lost on test; mean AUROC and average precision.
    """
    rows = list[dict[str, Any]]()
    for one in measured:
        for (score,), part in one.rows.group_by("score", maintain_order=True):
            kept = part.filter(pl.col("test_clusters") >= MIN_TEST_CLUSTERS)
            rows.append({"source": one.name, "protocol": "strict", "score": score})
            rows[-1] |= _figures(kept, one.sums[str(score)], clusters)
    return pl.DataFrame(rows, schema=SUMMARY)


def _figures(rows: pl.DataFrame, sums: pl.DataFrame, clusters: int) -> dict[str, Any]:
    names = rows["concept"].to_list()
    if not names:
        return {"concepts": 0, "above_half": 0}
    told = cluster_intervals(_padded(sums, names, _one_of(sums)), clusters=clusters)
    mean, half = told.figures.rows_by_key("figure", named=True, unique=True).values()
    curse = winners_curse(names, rows["select_f1"].to_numpy(), rows["f1"].to_numpy())
    return {
        "concepts": len(names),
        "above_half": int((rows["f1"] > 0.5).sum()),
        "above_half_low": half["low"],
        "above_half_high": half["high"],
        "mean_f1": _mean(rows["f1"]),
        "mean_f1_low": mean["low"],
        "mean_f1_high": mean["high"],
        "select_f1": curse.select,
        "drop": curse.drop,
        "auroc": _mean(rows["auroc"]),
        "average_precision": _mean(rows["average_precision"]),
    }


def _one_of(*sums: pl.DataFrame) -> int:
    """Take a cluster that sums tell of."""
    return next((int(s["cluster"][0]) for s in sums if s.height), 0)


def _padded(sums: pl.DataFrame, names: Sequence[str], cluster: int) -> pl.DataFrame:
    """Keep some concepts; one of which nothing was chosen still counts, with F1 0.

    What it misses is put down to `cluster`, which must be one of test: another would be counted as
    one cluster more.
    """
    kept = sums.filter(pl.col("concept").is_in(list(names)))
    missing = sorted(set(names) - set(kept["concept"]))
    zeros = [(name, cluster, 0.0, 0.0, 0.0, 1.0) for name in missing]
    return pl.concat([kept, pl.DataFrame(zeros, schema=kept.schema, orient="row")])


def compare(ours: Measured, others: Sequence[Measured], clusters: int) -> pl.DataFrame:
    """Compare a source with others on the same resampled clusters.

    Returns
    -------
    DataFrame
        Columns of `PAIRED`: ours minus the other's, of the mean F1 and of the number of concepts
        with F1 above one half, with 95 % intervals.
    """
    rows = list[dict[str, Any]]()
    for other in others:
        for score, sums in ours.sums.items():
            known = ours.rows.filter(
                (pl.col("score") == score) & (pl.col("test_clusters") >= MIN_TEST_CLUSTERS)
            )
            names = known["concept"].to_list()
            if not names:
                continue
            theirs = other.sums[score]
            cluster = _one_of(sums, theirs)
            pair = (_padded(sums, names, cluster), _padded(theirs, names, cluster))
            figures = paired_intervals(*pair, clusters=clusters).figures
            mean, half = figures.rows_by_key("figure", named=True, unique=True).values()
            rows.append({"source": other.name, "score": score, "concepts": len(names)})
            rows[-1] |= _named("mean_f1", mean) | _named("above_half", half)
    return pl.DataFrame(rows, schema=PAIRED)


def _named(name: str, figure: dict[str, Any]) -> dict[str, Any]:
    return {name: figure["value"], f"{name}_low": figure["low"], f"{name}_high": figure["high"]}


def _mean(values: pl.Series) -> float | None:
    numbers = values.drop_nulls().drop_nans().to_numpy()
    return float(np.mean(numbers)) if len(numbers) else None
