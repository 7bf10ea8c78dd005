"""The winner's curse: the best of many scores is lower the next time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float
from numpy import ndarray

from bio_interp.errors import MismatchError
from bio_interp.linking.statistics._resample import cluster_weights, score


@dataclass(frozen=True)
class Curse:
    """How far chosen scores fall on proteins they were not chosen on.

    Attributes
    ----------
    table
        One row a concept, the largest drop first: ``concept, select, calibrate`` (null where not
        given), ``test, drop``.
    select, calibrate, test, drop
        Means over the concepts; a concept without a score on test counts 0 there. `calibrate` is
        None where not given.
    """

    table: pl.DataFrame
    select: float
    calibrate: float | None
    test: float
    drop: float


def winners_curse(
    concepts: Sequence[str],
    select: Float[ndarray, "concepts"],
    test: Float[ndarray, "concepts"],
    calibrate: Float[ndarray, "concepts"] | None = None,
) -> Curse:
    """Show what chosen pairs score where they were chosen, and elsewhere.

    Parameters
    ----------
    concepts
        Their names.
    select
        Score of each concept's best feature and threshold on the fold they were chosen on.
    test, calibrate
        Score of the same feature and threshold on other folds; NaN where it has none, which counts
        as 0.

    Examples
    --------
    >>> told = winners_curse(["pfam:A", "pfam:B"], np.array([0.8, 0.7]), np.array([0.6, 0.7]))
    >>> round(told.select, 2), round(told.test, 2), round(told.drop, 2)
    (0.75, 0.65, 0.1)
    """
    scores = {"select": select, "calibrate": calibrate, "test": test}
    for name, values in scores.items():
        if values is not None and len(values) != len(concepts):
            raise MismatchError(
                f"a score on {name} for each of {len(concepts)} concepts",
                f"{len(values)} scores",
                "Give all scores in the order of the concepts.",
            )
    columns: dict[str, Any] = {
        name: None if values is None else np.nan_to_num(values) for name, values in scores.items()
    }
    table = pl.DataFrame({"concept": list(concepts), **columns}, schema_overrides=_SCHEMA)
    table = table.with_columns(drop=pl.col("select") - pl.col("test"))
    mean = {name: None if c is None else float(np.mean(c)) for name, c in columns.items()}
    first, last = mean["select"] or 0.0, mean["test"] or 0.0
    return Curse(
        table.sort("drop", "concept", descending=[True, False]),
        first,
        mean["calibrate"],
        last,
        first - last,
    )


_SCHEMA: dict[str, Any] = {
    "concept": pl.String,
    "select": pl.Float64,
    "calibrate": pl.Float64,
    "test": pl.Float64,
}


@dataclass(frozen=True)
class BestScore:
    """The best of several candidates, as it looks and without what choosing added.

    Attributes
    ----------
    candidate
        Index of the best candidate.
    naive
        Its F1 on the clusters that it was chosen on.
    optimism
        How much better the best of resampled clusters looks there than on all clusters, in the
        mean.
    """

    candidate: int
    naive: float
    optimism: float

    @property
    def debiased(self) -> float:
        """What to expect of the candidate elsewhere."""
        return max(self.naive - self.optimism, 0.0)


def best_score(
    sums: Float[ndarray, "candidates clusters 4"], *, draws: int = 200, seed: int = 0
) -> BestScore:
    """Choose the candidate of highest F1, and estimate how much of that is luck.

    Parameters
    ----------
    sums
        For each candidate (feature and threshold) of one concept and each cluster: right runs,
        runs, found spans, spans.
    draws, seed
        Resamples of the clusters, and what they are drawn with.

    Notes
    -----
    The bootstrap of optimism (Efron 1983, J. Am. Stat. Assoc. 78:316): the choice is repeated on
    resampled clusters. It takes away about half of the curse and not all, since a resample shares
    63 % of its clusters with what it is compared with; only another fold is a test.
    """
    candidates, clusters, _ = sums.shape
    flat = np.ascontiguousarray(np.moveaxis(sums, 1, 0)).reshape(clusters, candidates * 4)
    once = _f1(flat.sum(0)[None])[0]
    gains: list[Float[ndarray, "some"]] = []
    for weights in cluster_weights(clusters, draws, seed):
        drawn = _f1(weights @ flat)
        chosen = drawn.argmax(1)
        gains.append(drawn[np.arange(len(drawn)), chosen] - once[chosen])
    best = int(once.argmax())
    return BestScore(best, float(once[best]), float(np.concatenate(gains).mean()))


def _f1(flat: Float[ndarray, "some candidates_by_4"]) -> Float[ndarray, "some candidates"]:
    return np.nan_to_num(score(*np.moveaxis(flat.reshape(len(flat), -1, 4), -1, 0))[2])
