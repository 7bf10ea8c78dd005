"""Codes and labels out of a generator, of any size, a shard at a time."""

from pathlib import Path

import numpy as np
import polars as pl
from scipy.sparse import csr_matrix

from bio_interp.annotations import CONCEPTS
from bio_interp.features import FeatureStore
from bio_interp.linking import Intervals, Labels

LENGTH = 375  # residues of a protein
FOLD = "select"


def write_store(folder: Path, *, residues: int, d_sae: int, k: int, seed: int) -> FeatureStore:
    """Write codes of proteins of equal length: k features a residue, some far rarer than others."""
    settings = {"residues": residues, "k": k, "seed": seed}
    store = FeatureStore.create(folder, d_sae=d_sae, settings=settings)
    rng = np.random.default_rng(seed)
    indptr = np.arange(LENGTH + 1, dtype=np.int32) * k
    with store.writer() as writer:
        for number in range(residues // LENGTH):
            values = rng.exponential(size=LENGTH * k).astype(np.float32) + np.float32(0.01)
            parts = (values, _features(rng, LENGTH, d_sae, k).ravel(), indptr)
            writer.add(f"p{number}", csr_matrix(parts, shape=(LENGTH, d_sae)))
    return store


def _features(rng: np.random.Generator, rows: int, d_sae: int, k: int) -> np.ndarray:
    """Draw k different features a row, ascending: one of each stretch of d_sae / k."""
    width = d_sae // k
    within = (width * rng.random((rows, k), dtype=np.float32) ** 3).astype(np.int32)
    return np.minimum(within, width - 1) + np.arange(k, dtype=np.int32) * width


def lay_layers(store: FeatureStore, *, concepts: int, layers: int, seed: int) -> Labels:
    """Cover every residue with `layers` concepts: spans of 10 to 90 residues, end to end."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(store.lengths)]).astype(np.int64)
    parts = [_layer(rng, offsets, concepts) for _ in range(layers)]
    joined = (
        np.concatenate([np.zeros(0, np.int64), *column]) for column in zip(*parts, strict=True)
    )
    spans = Intervals(*(list(joined) or [np.zeros(0, np.int64)] * 4))
    spans = spans.where(np.argsort(spans.start, kind="stable"))
    return labels_of(offsets, spans, concepts)


def _layer(rng: np.random.Generator, offsets: np.ndarray, concepts: int) -> tuple[np.ndarray, ...]:
    residues = int(offsets[-1])
    cuts = np.cumsum(rng.integers(10, 91, residues // 50 + 100))
    cuts = np.unique(np.concatenate([offsets, cuts[cuts < residues]]))
    start, end = cuts[:-1], cuts[1:]
    label = rng.integers(0, concepts, len(start))
    return start, end, label, np.searchsorted(offsets, start, side="right") - 1


def labels_of(offsets: np.ndarray, spans: Intervals, concepts: int) -> Labels:
    """Lay spans along proteins of one fold, each looked at from end to end."""
    proteins = np.arange(len(offsets) - 1)
    nothing = np.zeros(0, np.int64)
    names = pl.DataFrame(
        [{"concept": f"toy:{c}", "level": "span"} for c in range(concepts)], schema=CONCEPTS
    )
    return Labels(
        offsets=offsets,
        clusters=proteins,
        folds=np.full(len(proteins), FOLD),
        weights=np.ones(len(proteins)),
        concepts=names,
        positives=spans,
        unknowns=Intervals(nothing, nothing, nothing, nothing),
        looked=Intervals(offsets[:-1], offsets[1:], np.zeros(len(proteins), np.int64), proteins),
        coverage_class=np.zeros(concepts, np.int64),
    )
