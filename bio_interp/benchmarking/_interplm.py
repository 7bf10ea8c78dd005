"""InterPLM's protocol beside the strict one, in the same table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float
from numpy import ndarray

from bio_interp.annotations import AnnotationTable
from bio_interp.benchmarking._measure import BENCH
from bio_interp.benchmarking._rows import Rows
from bio_interp.benchmarking._sources import Source
from bio_interp.linking.counting import Columns, ranges
from bio_interp.linking.interplm import Defects, Rules, Truth, lay_truth, protocol
from bio_interp.sequences import Split

HONEST, AS_PUBLISHED = "interplm", "interplm_as_published"
_FOLDS = {"select": "valid", "test": "test"}


@dataclass(frozen=True)
class InterplmTruth:
    """Labels by InterPLM's rules, honest and with the defects of its code.

    Attributes
    ----------
    by_name
        Truth by the name of the protocol.
    valid
        Residues of the fold that features are scaled by.
    """

    by_name: Mapping[str, Truth]
    valid: Bool[ndarray, "residues"]

    @classmethod
    def lay(cls, rows: Rows, table: AnnotationTable, split: Split) -> InterplmTruth:
        """Lay the labels along the rows; concepts of other sources than UniProt take part too."""
        names, lengths = rows.names, rows.lengths
        folds = {a: _FOLDS.get(split.fold(a), "") for a in names}
        rules = Rules(other_sources=True)
        laid = {
            name: lay_truth(table, names, lengths, folds=folds, rules=rules, defects=defects)
            for name, defects in ((HONEST, Defects()), (AS_PUBLISHED, Defects.of_interplm()))
        }
        valid = np.repeat(np.array([folds[a] == "valid" for a in names]), lengths)
        return cls(laid, valid)

    def rows_of(self, source: Source) -> pl.DataFrame:
        """Score a source under both; a row a concept, columns `BENCH`."""
        maxima = largest(source.columns, self.valid)
        frames = [pl.DataFrame(schema=BENCH)]
        for name, truth in self.by_name.items():
            if truth.labels.concepts.height:
                best = protocol(source.columns, truth, maxima=maxima).best
                frames.append(_as_bench(best, source.name, name))
        return pl.concat(frames)


def largest(columns: Columns, residues: Bool[ndarray, "residues"]) -> Float[ndarray, "d_sae"]:
    """Largest activation of each feature on some residues; 0 where it is not on there."""
    found = np.zeros(columns.d_sae, np.float32)
    for features in ranges(columns):
        block = columns.block(features)
        feature = np.repeat(np.arange(len(features)), np.diff(block.offsets))
        value = np.where(residues[block.index], block.value, 0.0)
        np.maximum.at(found, feature + features.start, value.astype(np.float32))
    return found


def _as_bench(best: pl.DataFrame, source: str, name: str) -> pl.DataFrame:
    """Give InterPLM's columns the names of `BENCH`; what it does not have is null."""
    known = best.select(
        "concept",
        "name",
        pl.col("feature").cast(pl.Int32),
        threshold=pl.col("valid_threshold").cast(pl.Float32),
        select_f1=pl.col("valid_f1_per_domain").fill_null(0.0),
        f1=pl.col("test_f1_per_domain").fill_null(0.0),
        precision="test_precision",
        recall="test_recall_per_domain",
        source=pl.lit(source),
        protocol=pl.lit(name),
        score=pl.lit("interplm"),
    )
    missing = {c: pl.lit(None, dtype=t) for c, t in BENCH.items() if c not in known.columns}
    return known.with_columns(**missing).select(pl.col(n).cast(t) for n, t in BENCH.items())


def summarise_interplm(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Sum up the rows of InterPLM's protocol; it has no intervals, and no least test clusters."""
    return [
        {
            "source": source,
            "protocol": name,
            "score": "interplm",
            "concepts": part.height,
            "above_half": int((part["f1"] > 0.5).sum()),
            "mean_f1": float(np.mean(part["f1"].to_numpy())),
            "select_f1": float(np.mean(part["select_f1"].to_numpy())),
            "drop": float(np.mean((part["select_f1"] - part["f1"]).to_numpy())),
        }
        for (source, name), part in rows.group_by("source", "protocol", maintain_order=True)
    ]
