"""The stage of linking, asked for one query: choose on one half, score on the other.

All use of `bio_interp.linking` by this room is here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.annotations import AnnotationTable
from bio_interp.discovery._halves import Half
from bio_interp.features import FeatureStore
from bio_interp.linking import Choice, Fold, choose, lay_labels, rescore
from bio_interp.linking.counting import Best, Scan, StoreColumns, bin_edges, scan
from bio_interp.linking.statistics import cluster_tail, matched_total, size_strata

FEWEST = 3  # clusters that bear a concept, in each half


@dataclass(frozen=True)
class Pick:
    """A feature chosen for a concept on one half, with its score on the other.

    Attributes
    ----------
    concept
        Its number, see `Searched.concepts`.
    link_type, feature, threshold
        As in `bio_interp.linking.LINKS`.
    select_f1, test_f1
        F1 of the link type, where it was chosen and on the other half.
    """

    concept: int
    link_type: str
    feature: int
    threshold: float
    select_f1: float
    test_f1: float


class Searched:
    """Features chosen for the concepts of a query, and what the test half says of them.

    Attributes
    ----------
    picks
        In the order they were chosen: of each concept the best of each link type, then the best
        among the features not chosen before, and so on.
    concepts
        Names of the concepts that enough clusters of both halves bear.
    offsets, clusters
        First residue of each protein along all of them, and its homology cluster.
    test
        Marks the proteins of the half that is scored on.
    """

    def __init__(
        self,
        store: FeatureStore,
        table: AnnotationTable,
        clusters: Mapping[str, str],
        halves: Mapping[str, Half],
        *,
        features: int,
    ) -> None:
        self.store = store
        self._labels = lay_labels(
            table,
            store.accessions,
            store.lengths,
            folds={a: halves[clusters[a]] for a in store.accessions},
            clusters=clusters,
            min_clusters={"select": FEWEST, "test": FEWEST},
        )
        self.concepts: list[str] = self._labels.concepts["name"].to_list()
        self.offsets, self.clusters = self._labels.offsets, self._labels.clusters
        self.test: Bool[ndarray, "proteins"] = self._labels.proteins_of("test")
        self._columns = StoreColumns(store)
        self._fold = Fold(self._columns, self._labels, "test")
        self.picks = self._choose(features) if self.concepts else []

    def _choose(self, rounds: int) -> list[Pick]:
        """Choose in rounds; what a concept has chosen is out of its next round."""
        columns, labels = self._columns, self._labels
        edges = bin_edges(columns, labels.residue_mask(labels.proteins_of("select")))
        found = scan(columns, labels, edges, fold="select")
        select = Fold(columns, labels, "select")
        taken: set[tuple[int, int]] = set()
        picks: list[Pick] = []
        for _ in range(rounds):
            choices = [
                choice
                for choice in choose(found, select)
                if choice.score.f1 > 0 and (choice.concept, choice.feature) not in taken
            ]
            picks += [self._pick(choice) for choice in choices]
            taken |= {(choice.concept, choice.feature) for choice in choices}
            found = _without(found, choices)
        return picks

    def _pick(self, choice: Choice) -> Pick:
        return Pick(
            choice.concept,
            choice.kind,
            choice.feature,
            choice.threshold,
            choice.score.f1,
            rescore(choice, self._fold).f1,
        )

    def hits(
        self, pick: Pick
    ) -> tuple[Int[ndarray, "hits"], Int[ndarray, "hits"], Float[ndarray, "hits"]]:
        """Find where a pick fires in the test half: residue (along all), protein, activation."""
        index, protein, value = self._fold.hits(pick.feature)
        on = value >= pick.threshold
        return index[on], protein[on], value[on]

    def spans(self, concept: int) -> Int[ndarray, "spans 3"]:
        """List the true spans of the test half: start, end (excluded), protein."""
        spans = self._fold.spans_of(concept)
        return np.stack([spans.start, spans.end, spans.protein], axis=1)

    def positive(self, concept: int) -> Bool[ndarray, "residues"]:
        """Mark the residues of a concept in the test half."""
        return self._fold.spans_of(concept).mask(self._labels.residues)

    def cluster_tail(self, pick: Pick) -> float:
        """Tell how likely chance meets the clusters that bear the concept as often as the pick.

        The exact tail over the clusters of the test half, of which large ones are hit more easily.
        """
        clusters, of_protein = np.unique(self.clusters[self.test], return_inverse=True)
        strata = size_strata(np.bincount(of_protein, np.diff(self.offsets)[self.test]))
        hit, bearing = (
            np.isin(clusters, self.clusters[proteins])
            for proteins in (self.hits(pick)[1], self.spans(pick.concept)[:, 2])
        )
        counts = [
            np.bincount(strata[mask], minlength=strata.max() + 1)
            for mask in (hit, bearing, np.ones(len(clusters), dtype=bool))
        ]
        total = matched_total(*counts)
        tail = cluster_tail((hit & bearing).sum(), hit.sum(), bearing.sum(), total)
        return float(tail)


def _without(found: Scan, choices: list[Choice]) -> Scan:
    """Take features out of what may be chosen for their concepts."""
    concept, feature = [c.concept for c in choices], [c.feature for c in choices]
    best: dict[str, Best] = {}
    for name, of_name in found.best.items():
        f1 = of_name.f1.copy()
        f1[concept, feature] = -1.0
        best[name] = replace(of_name, f1=f1)
    return replace(found, best=best)
