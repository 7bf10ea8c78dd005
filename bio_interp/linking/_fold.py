"""One fold with its labels: firing residues of a feature, known spans of a concept."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.linking._intervals import Intervals
from bio_interp.linking._labels import Labels
from bio_interp.linking._runs import MAX_GAP, Runs, Trial, join, overlap

if TYPE_CHECKING:
    from bio_interp.linking.counting import Columns


class Fold:
    """What a fold says of features and concepts.

    Parameters
    ----------
    columns
        Activations by feature, of all folds.
    labels
        Labels along the same residues.
    name
        ``"select"``, ``"calibrate"`` or ``"test"``.
    """

    def __init__(self, columns: Columns, labels: Labels, name: str) -> None:
        self.columns, self.labels, self.name = columns, labels, name
        self.proteins = labels.proteins_of(name)
        self.spans = labels.positives.where(self.proteins[labels.positives.protein])
        self._unknown = labels.unknowns.where(self.proteins[labels.unknowns.protein])
        self.hits = lru_cache(maxsize=64)(self._hits)
        self.spans_of = lru_cache(maxsize=None)(self._spans_of)
        self._looked = lru_cache(maxsize=None)(self._looked_in)
        self._unknown_of = lru_cache(maxsize=None)(self._ignored_of)

    def _hits(
        self, feature: int
    ) -> tuple[Int[ndarray, "hits"], Int[ndarray, "hits"], Float[ndarray, "hits"]]:
        """Find where a feature fires in the fold: residue, protein and activation."""
        found = self.columns.block(range(feature, feature + 1))
        protein = np.searchsorted(self.labels.offsets, found.index, side="right") - 1
        keep = self.proteins[protein]
        return found.index[keep], protein[keep], found.value[keep]

    def _spans_of(self, concept: int) -> Intervals:
        """List the true spans of a concept, sorted by start."""
        return self.spans.where(self.spans.label == concept)

    def runs(self, feature: int, threshold: float, concept: int) -> Runs:
        """Find the runs of a feature at or above a threshold, where the concept is known."""
        index, protein, value = self.hits(feature)
        on = value >= threshold
        gap = 0 if self.labels.is_site[concept] else MAX_GAP
        return self.known(join(index[on], protein[on], value[on], max_gap=gap), concept)

    def trial(self, runs: Runs, concept: int) -> Trial:
        """Lay runs beside the true spans of a concept."""
        spans = self.spans_of(concept)
        site = bool(self.labels.is_site[concept])
        return Trial(runs, spans, overlap(runs, spans), self.labels.weights, site)

    def known(self, runs: Runs, concept: int) -> Runs:
        """Keep the runs of which more than half was looked at and is not to be ignored."""
        looked = self._looked(int(self.labels.coverage_class[concept]))
        share = _shared(runs, looked) - _shared(runs, self._unknown_of(concept))
        return runs.where(share > 0.5)

    def _looked_in(self, coverage_class: int) -> Intervals:
        looked = self.labels.looked
        return looked.where((looked.label == coverage_class) & self.proteins[looked.protein])

    def _ignored_of(self, concept: int) -> Intervals:
        return self._unknown.where(self._unknown.label == concept)


def _shared(runs: Runs, spans: Intervals) -> Float[ndarray, "runs"]:
    """Share of each run that lies in spans that do not overlap each other."""
    if not len(spans):
        return np.zeros(len(runs))
    pairs = overlap(runs, spans)
    return np.bincount(pairs.run, weights=pairs.of_run, minlength=len(runs))
