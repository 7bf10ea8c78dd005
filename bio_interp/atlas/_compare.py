"""Two atlases side by side: what each knows, how well, and whether their figures compare."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Any

import polars as pl

from bio_interp.linking import LinkTable, paired_bootstrap
from bio_interp.linking.statistics import MIN_TEST_CLUSTERS

if TYPE_CHECKING:
    from bio_interp.atlas._atlas import Atlas

COMPARED: dict[str, Any] = {
    "concept": pl.String,
    "name": pl.String,
    "link_type": pl.String,
    "feature_a": pl.String,
    "feature_b": pl.String,
    "test_f1_a": pl.Float64,
    "test_f1_b": pl.Float64,
    "difference": pl.Float64,
    "test_clusters_a": pl.Int32,
    "test_clusters_b": pl.Int32,
}


@dataclass(frozen=True)
class AtlasComparison:
    """Two atlases, A and B, side by side; made by `compare_atlases`.

    Attributes
    ----------
    names
        Of A and B; two of one name get their versions.
    warnings
        Why test figures must not be compared; empty where they may be.
    facts
        Rows ``(fact, A, B)``: model, site, split, concepts, calls, decoys ...
    links
        Columns of `COMPARED`, a row a concept and link type: test F1 in each (null where it has no
        such link), B minus A, and the test clusters that bear the concept.
    summary
        By link type, over concepts that both know with at least 15 test clusters in each:
        ``link_type, concepts, mean_a, mean_b, difference, low, high``. ``low`` and ``high`` bound
        the mean difference with 95 % (bootstrap over concepts, paired); null where the test
        proteins differ, since then concepts are not pairs.
    """

    names: tuple[str, str]
    warnings: tuple[str, ...]
    facts: tuple[tuple[str, Any, Any], ...]
    links: pl.DataFrame = field(repr=False)
    summary: pl.DataFrame = field(repr=False)

    @property
    def comparable(self) -> bool:
        """Whether both were tested on the same proteins."""
        return not self.warnings

    def concepts(self) -> tuple[list[str], list[str], list[str]]:
        """List the concepts in both, only in A, and only in B."""
        a, b = (
            set(self.links.filter(pl.col(f"test_f1_{side}").is_not_null())["concept"])
            for side in "ab"
        )
        return sorted(a & b), sorted(a - b), sorted(b - a)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values, ready for JSON."""
        both, only_a, only_b = self.concepts()
        return {
            "a": self.names[0],
            "b": self.names[1],
            "comparable": self.comparable,
            "warnings": list(self.warnings),
            "facts": [{"fact": fact, "a": a, "b": b} for fact, a, b in self.facts],
            "concepts": {"both": both, "only_a": only_a, "only_b": only_b},
            "summary": self.summary.to_dicts(),
            "links": self.links.to_dicts(),
        }


def compare_atlases(a: Atlas, b: Atlas, *, min_precision: float = 0.8) -> AtlasComparison:
    """Put two atlases side by side, from what they say of themselves; no model is loaded.

    Parameters
    ----------
    min_precision
        Concepts are counted whose calls can reach this lower bound.
    """
    links = _links(a, b)
    warnings = _warnings(a, b)
    names = (a.name, b.name)
    if a.name == b.name:
        names = (f"{a.name} {a.info.version} (A)", f"{b.name} {b.info.version} (B)")
    return AtlasComparison(
        names, warnings, _facts(a, b, min_precision), links, _summary(a, b, links, not warnings)
    )


def _warnings(a: Atlas, b: Atlas) -> tuple[str, ...]:
    if not (a.info.split_sha256 and b.info.split_sha256):
        return ("An atlas does not say on which split it was tested: do not compare test figures.",)
    if a.info.split_sha256 != b.info.split_sha256:
        return (
            "The splits differ: each atlas was tested on other proteins, and what is test for one "
            "may have trained the other. Differences of test figures say nothing.",
        )
    return ()


def _facts(a: Atlas, b: Atlas, min_precision: float) -> tuple[tuple[str, Any, Any], ...]:
    columns = [_facts_of(atlas, min_precision) for atlas in (a, b)]
    keys = dict.fromkeys([*columns[0], *columns[1]])
    return tuple((key, columns[0].get(key), columns[1].get(key)) for key in keys)


def _facts_of(atlas: Atlas, min_precision: float) -> dict[str, Any]:
    info, table = atlas.info, atlas.links
    reach = table.calibration.filter(pl.col("low") >= min_precision)["concept"].n_unique()
    measured = info.measured.get("calibration", {})
    shown = {
        f"calls per 1,000 test proteins, lower bound {bound}": measured.get(
            f"calls_per_1000_at_low_{bound}"
        )
        for bound in (0.8, 0.9)
    }
    return {
        "version": info.version,
        "model": info.model,
        "model weights": info.model_sha256[:12],
        "site": info.site,
        "split": info.split_sha256[:12],
        "licence": info.licence,
        "concepts": table.concepts.height,
        "features that make calls": table.callers["feature"].n_unique(),
        f"concepts whose calls reach a lower bound of {min_precision:g}": reach,
        **shown,
        **{f"calls per 1,000 decoys, {kind}": rate for kind, rate in info.decoys.items()},
        "domain limit (reconstruction error)": info.domain_limit,
    }


def _links(a: Atlas, b: Atlas) -> pl.DataFrame:
    key = ["concept", "link_type"]
    sides = [
        atlas.links.links.select(
            *key,
            pl.col("name").alias(f"name_{side}"),
            pl.format(f"{atlas.name}/f{{}}", "feature").alias(f"feature_{side}"),
            pl.col("test_f1").alias(f"test_f1_{side}"),
            pl.col("test_clusters").alias(f"test_clusters_{side}"),
        )
        for side, atlas in (("a", a), ("b", b))
    ]
    joined = reduce(lambda x, y: x.join(y, on=key, how="full", coalesce=True), sides)
    return (
        joined.with_columns(
            pl.coalesce("name_a", "name_b").alias("name"),
            (pl.col("test_f1_b") - pl.col("test_f1_a")).alias("difference"),
        )
        .select(pl.col(name).cast(kind) for name, kind in COMPARED.items())
        .sort("concept", "link_type")
    )


def _summary(a: Atlas, b: Atlas, links: pl.DataFrame, comparable: bool) -> pl.DataFrame:
    enough = (pl.col("test_clusters_a") >= MIN_TEST_CLUSTERS) & (
        pl.col("test_clusters_b") >= MIN_TEST_CLUSTERS
    )
    both = links.filter(enough)
    intervals = paired_bootstrap(_only(b.links, both), _only(a.links, both)) if comparable else {}
    rows = [
        {
            "link_type": str(kind),
            "concepts": part.height,
            "mean_a": part["test_f1_a"].mean(),
            "mean_b": part["test_f1_b"].mean(),
            "difference": part["difference"].mean(),
            "low": intervals.get(str(kind), {}).get("low"),
            "high": intervals.get(str(kind), {}).get("high"),
        }
        for (kind,), part in both.sort("link_type").group_by("link_type", maintain_order=True)
    ]
    numbers = ("mean_a", "mean_b", "difference", "low", "high")
    schema: dict[str, Any] = {"link_type": pl.String, "concepts": pl.Int64}
    return pl.DataFrame(rows, schema=schema | dict.fromkeys(numbers, pl.Float64))


def _only(table: LinkTable, rows: pl.DataFrame) -> LinkTable:
    """Keep the links of some concepts and types, so that every concept has its pair."""
    kept = table.links.join(rows, on=["concept", "link_type"], how="semi")
    return replace(table, links=kept)
