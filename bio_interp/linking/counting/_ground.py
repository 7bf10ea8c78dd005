"""What is known of one fold, laid out for counting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.linking._intervals import Intervals
from bio_interp.linking._labels import Labels
from bio_interp.linking.counting._layers import Layers
from bio_interp.linking.statistics import size_strata

if TYPE_CHECKING:
    import torch
    from torch import Tensor

STRATA = 10  # of clusters by size
GRAIN = 1024  # weights are multiples of 1/1024, whose sums in float64 are exact in any order


@dataclass(frozen=True)
class Totals:
    """What there is to find in a fold, by concept; weighted, but for clusters.

    Attributes
    ----------
    residues, spans, proteins, clusters
        That bear each concept; clusters by stratum of size (`cluster_strata`).
    covered, covered_proteins, covered_clusters
        Residues where each concept is known, and proteins and clusters that were looked at.
    """

    residues: Float[ndarray, "concepts"]
    spans: Float[ndarray, "concepts"]
    proteins: Float[ndarray, "concepts"]
    clusters: Float[ndarray, "concepts strata"]
    covered: Float[ndarray, "concepts"]
    covered_proteins: Float[ndarray, "concepts"]
    covered_clusters: Float[ndarray, "concepts strata"]


class Stretches:
    """Stretches to look residues up in, with the concept and the weight of each."""

    def __init__(
        self, spans: Intervals, weights: Float[ndarray, "proteins"], residues: int, to: _To
    ) -> None:
        self.layers = Layers(spans, residues, to.device)
        self.label, self.weight = to(spans.label), to(weights[spans.protein])

    def __len__(self) -> int:
        return len(self.label)


class _To:
    """Moves arrays to a device."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def __call__(self, array: ndarray) -> Tensor:
        import torch

        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)


class Ground:
    """Labels of one fold as lookups on a device.

    Parameters
    ----------
    labels
        Labels of all folds.
    fold
        The one that is counted.
    part
        ``(i, n)``, i from 1: the i-th of n parts of the fold's clusters. Counts of the parts add
        up to those of the whole, exactly.
    device
        Where it is counted.
    """

    def __init__(
        self, labels: Labels, fold: str, part: tuple[int, int], device: torch.device
    ) -> None:
        inside = labels.proteins_of(fold) & (labels.clusters % part[1] == part[0] - 1)
        weights, to = rounded(labels.weights), _To(device)
        self.weighted = bool((weights != 1).any())
        self.concepts, self.fold = labels.concepts.height, fold
        self._lay_proteins(labels, np.flatnonzero(inside), weights, to)
        self.keep = to(labels.residue_mask(inside))
        classes = int(labels.looked.label.max(initial=-1)) + 1
        self.looked = [to(_looked(labels, number)) for number in range(classes)]
        spans = labels.positives.where(inside[labels.positives.protein])
        self._lay_owners(labels, spans, weights, to)
        unknown = labels.unknowns.where(inside[labels.unknowns.protein])
        merged, residues = spans.merged(), labels.residues
        self.spans = Stretches(spans, weights, residues, to)
        # spans of one concept that overlap are hit apart, but their residues count once
        once = len(merged) == len(spans)
        self.merged = self.spans if once else Stretches(merged, weights, residues, to)
        self.unknown = Stretches(unknown, weights, residues, to)

    def _lay_proteins(
        self, labels: Labels, own: Int[ndarray, "_"], weights: Float[ndarray, "proteins"], to: _To
    ) -> None:
        """Give numbers to the proteins that are counted, and to their clusters."""
        number = np.zeros(len(weights), np.int32)
        number[own] = np.arange(len(own))
        self.protein = to(np.repeat(number, np.diff(labels.offsets)))
        self.protein_weight = to(weights[own])
        cluster = np.unique(labels.clusters[own], return_inverse=True)[1]
        self.protein_cluster = to(cluster.astype(np.int64))
        self.clusters = int(cluster.max(initial=-1)) + 1
        strata = cluster_strata(labels, self.fold)[labels.clusters[own]]
        of_cluster = np.zeros(self.clusters, np.int64)
        of_cluster[cluster] = strata
        self.cluster_stratum = to(of_cluster)

    def _lay_owners(
        self, labels: Labels, spans: Intervals, weights: Float[ndarray, "proteins"], to: _To
    ) -> None:
        """Give numbers to pairs of a protein, and of a cluster, with a concept that it bears."""
        owner, owner_of = _owners(spans.protein, spans.label, self.concepts)
        bearer, bearer_of = _owners(labels.clusters[owner[0]], owner[1], self.concepts)
        self.span_owner, self.owner_bearer = to(owner_of), to(bearer_of)
        self.owner_label, self.owner_weight = to(owner[1]), to(weights[owner[0]])
        self.bearer_label = to(bearer[1])


def rounded(weights: Float[ndarray, "proteins"]) -> Float[ndarray, "proteins"]:
    """Round weights to multiples of 1/1024, so that their sums are exact; none becomes 0."""
    return np.maximum(np.round(weights * GRAIN), 1.0) / GRAIN


def totals(labels: Labels, fold: str) -> Totals:
    """Count what there is to find in a fold."""
    inside, n = labels.proteins_of(fold), labels.concepts.height
    weights = rounded(labels.weights)
    spans = labels.positives.where(inside[labels.positives.protein])
    merged = spans.merged()
    (protein, label), _ = _owners(spans.protein, spans.label, n)
    bearers, _ = _owners(labels.clusters[protein], label, n)
    strata = cluster_strata(labels, fold)
    unknown = labels.unknowns.where(inside[labels.unknowns.protein])
    looked = labels.looked.where(inside[labels.looked.protein])
    classes = int(labels.looked.label.max(initial=-1)) + 1
    pairs, _ = _owners(looked.protein, looked.label, max(1, classes))
    clusters, _ = _owners(labels.clusters[pairs[0]], pairs[1], max(1, classes))
    by_class = (
        np.bincount(looked.label, _residues(looked, weights), classes),
        np.bincount(pairs[1], weights[pairs[0]], classes),
        _by_stratum(clusters, strata, classes),
    )
    whole, proteins, bearing = (counted[labels.coverage_class] for counted in by_class)
    return Totals(
        np.bincount(merged.label, _residues(merged, weights), n),
        np.bincount(spans.label, weights[spans.protein], n),
        np.bincount(label, weights[protein], n),
        _by_stratum(bearers, strata, n),
        whole - np.bincount(unknown.label, _residues(unknown, weights), n),
        proteins,
        bearing,
    )


def cluster_strata(labels: Labels, fold: str) -> Int[ndarray, "clusters"]:
    """Put the clusters of a fold into `STRATA` strata of size; -1 those of other folds.

    A large cluster is hit more often and bears more: see `matched_total`.
    """
    inside = labels.proteins_of(fold)
    own = np.unique(labels.clusters[inside])
    sizes = np.bincount(labels.clusters[inside], np.diff(labels.offsets)[inside])
    strata = np.full(int(labels.clusters.max(initial=-1)) + 1, -1, np.int64)
    strata[own] = size_strata(sizes[own], STRATA)
    return strata


def _by_stratum(
    pairs: tuple[Int[ndarray, "pairs"], Int[ndarray, "pairs"]],
    strata: Int[ndarray, "clusters"],
    labels: int,
) -> Float[ndarray, "labels strata"]:
    """Count pairs of a cluster and a label by label and stratum of the cluster."""
    key = pairs[1] * STRATA + strata[pairs[0]]
    return np.bincount(key, minlength=labels * STRATA).reshape(labels, STRATA).astype(float)


def _residues(spans: Intervals, weights: Float[ndarray, "proteins"]) -> Float[ndarray, "spans"]:
    return (spans.end - spans.start) * weights[spans.protein]


def _owners(
    thing: Int[ndarray, "spans"], label: Int[ndarray, "spans"], labels: int
) -> tuple[tuple[Int[ndarray, "owners"], Int[ndarray, "owners"]], Int[ndarray, "spans"]]:
    """List the pairs of a thing (protein, cluster) and a label, and the pair of each span."""
    pairs, of = np.unique(thing * labels + label, return_inverse=True)
    return (pairs // labels, pairs % labels), of.astype(np.int64)


def _looked(labels: Labels, number: int) -> Bool[ndarray, "residues"]:
    return labels.looked.where(labels.looked.label == number).mask(labels.residues)
