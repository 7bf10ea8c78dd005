"""Proteins with long spans and features that know nothing of them."""

from collections.abc import Callable

import numpy as np
import polars as pl
from jaxtyping import Bool, Int
from numpy import ndarray

from bio_interp.linking import Intervals, Labels

Rows = list[tuple[int, int, int, int]]


def intervals(rows: Rows) -> Intervals:
    table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 4)
    return Intervals(*table.T)


def lay(
    lengths: Int[ndarray, "proteins"],
    positives: Rows,
    *,
    unknowns: Rows = (),
    looked: Rows | None = None,
    concepts: int = 1,
    clusters: Int[ndarray, "proteins"] | None = None,
    folds: ndarray | None = None,
    weights: ndarray | None = None,
) -> Labels:
    """Labels from ``(start, end, label, protein)`` along the axis; all was looked at if None."""
    lengths = np.asarray(lengths)
    offsets = np.append(0, np.cumsum(lengths))
    whole = [(int(offsets[p]), int(offsets[p + 1]), 0, p) for p in range(len(lengths))]
    return Labels(
        offsets=offsets,
        clusters=np.arange(len(lengths)) if clusters is None else clusters,
        folds=np.full(len(lengths), "test") if folds is None else folds,
        weights=np.ones(len(lengths)) if weights is None else weights,
        concepts=pl.DataFrame(
            {"concept": [f"toy:{c:03d}" for c in range(concepts)], "level": "span"}
        ),
        positives=intervals(positives),
        unknowns=intervals(list(unknowns)),
        looked=intervals(whole if looked is None else looked),
        coverage_class=np.zeros(concepts, dtype=int),
    )


def long_spans(
    rng: np.random.Generator, lengths: Int[ndarray, "proteins"], concepts: int, share: float
) -> Rows:
    """One span of a fifth to a half of the protein, in a share of the proteins, by concept."""
    offsets = np.append(0, np.cumsum(lengths))
    rows = []
    for concept in range(concepts):
        for protein in np.flatnonzero(rng.random(len(lengths)) < share):
            size = int(lengths[protein] * rng.uniform(0.2, 0.5))
            start = int(offsets[protein] + rng.integers(lengths[protein] - size + 1))
            rows.append((start, start + size, concept, int(protein)))
    return rows


def firing(
    rng: np.random.Generator, lengths: Int[ndarray, "proteins"], features: int, share: float
) -> Bool[ndarray, "features residues"]:
    """Where features fire: in a share of the proteins, along a run of 15 to 60 residues."""
    offsets = np.append(0, np.cumsum(lengths))
    on = np.zeros((features, int(offsets[-1])), dtype=bool)
    for feature in range(features):
        for protein in np.flatnonzero(rng.random(len(lengths)) < share):
            size = min(int(rng.integers(15, 61)), int(lengths[protein]))
            start = int(offsets[protein] + rng.integers(lengths[protein] - size + 1))
            on[feature, start : start + size] = True
    return on


def positive_mask(labels: Labels) -> Bool[ndarray, "concepts residues"]:
    mask = np.zeros((labels.concepts.height, labels.residues), dtype=bool)
    for start, end, concept, _ in labels.positives.rows():
        mask[concept, start:end] = True
    return mask


def best_f1(on: Bool[ndarray, "features residues"], fold: str = "test") -> Callable:
    """Best F1 over residues that any feature reaches for each concept, in one fold."""
    rows = on.astype(np.float32)

    def best(labels: Labels) -> ndarray:
        inside = labels.residue_mask(labels.proteins_of(fold))
        true = positive_mask(labels)[:, inside].astype(np.float32)
        fired = rows[:, inside]
        both = fired @ true.T
        return (2 * both / (fired.sum(1)[:, None] + true.sum(1) + 1e-9)).max(0)

    return best
