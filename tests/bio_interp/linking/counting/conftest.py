"""Random small worlds: activations by feature, and labels along the same residues."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from bio_interp.annotations import CONCEPTS
from bio_interp.linking import Intervals, Labels
from bio_interp.linking.counting import Block


@dataclass(frozen=True)
class DenseColumns:
    """Columns of an array ``(residues, d_sae)``."""

    rows: np.ndarray

    @property
    def d_sae(self):
        return self.rows.shape[1]

    @property
    def density(self):
        return float((self.rows > 0).sum() / self.d_sae)

    def block(self, features):
        part = self.rows[:, features.start : features.stop].T
        feature, index = (part > 0).nonzero()
        counts = np.bincount(feature, minlength=len(features))
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return Block(offsets, index.astype(np.int64), part[feature, index].astype(np.float32))


def spans_of(rng, offsets, count, labels):
    """Random stretches within proteins, which may overlap each other."""
    protein = rng.integers(0, len(offsets) - 1, count)
    length = offsets[protein + 1] - offsets[protein]
    start = offsets[protein] + (rng.random(count) * length).astype(int)
    end = np.minimum(start + rng.integers(1, 9, count), offsets[protein + 1])
    order = np.argsort(start, kind="stable")
    label = rng.integers(0, labels, count)
    return Intervals(start[order], end[order], label[order], protein[order])


def make_world(seed, *, concepts=3, d_sae=7, proteins=24, weighted=True):
    """Activations with ties, and labels of two coverage classes with unknown stretches."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 30, proteins)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    rows = rng.integers(1, 9, (offsets[-1], d_sae)) / 4.0
    rows[rng.random(rows.shape) > 0.3] = 0.0
    positives = spans_of(rng, offsets, 30, concepts)
    unknowns = spans_of(rng, offsets, 8, concepts).merged().without(positives.merged())
    looked = spans_of(rng, offsets, 40, 2)
    whole = Intervals(
        offsets[:-1], offsets[1:], np.zeros(proteins, int), np.arange(proteins)
    )  # class 0 looked everywhere
    first = positives.where(positives.label % 2 == 1)
    known = Intervals(first.start, first.end, first.label * 0 + 1, first.protein)
    some = Intervals.joined([looked.where(looked.label == 1), known]).merged()
    searched = Intervals.joined([whole, some])
    odd, even = unknowns.where(unknowns.label % 2 == 1), unknowns.where(unknowns.label % 2 == 0)
    unknowns = Intervals.joined([odd.inside(some.mask(offsets[-1])), even])
    frame = pl.DataFrame(
        [{"concept": f"c:{i}", "level": "span"} for i in range(concepts)], schema=CONCEPTS
    )
    labels = Labels(
        offsets=offsets,
        clusters=rng.integers(0, 10, proteins),
        folds=rng.choice(["select", "test"], proteins),
        weights=rng.choice([0.25, 1.0, 2.5], proteins) if weighted else np.ones(proteins),
        concepts=frame,
        positives=positives,
        unknowns=unknowns,
        looked=searched,
        coverage_class=np.arange(concepts) % 2,
    )
    return DenseColumns(rows), labels


@pytest.fixture(scope="session")
def world():
    return make_world


@pytest.fixture(scope="session")
def dense():
    return DenseColumns
