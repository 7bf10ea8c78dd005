"""One pass over sparse codes: every feature x concept x threshold at once.

Codes are sparse (k of d_sae a residue) and concepts are sparse, so a block of features is counted
by looking up the concepts of the residues where each fires, and one histogram over
(feature, concept, bin of activation); a cumulative sum over bins then gives all thresholds. The
cost is that of the entries times the concepts a residue, whatever the number of bins. Counts add:
parts of the clusters, machines and runs merge by addition, exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.linking._labels import Labels
from bio_interp.linking.counting._blocks import ENTRIES, mapped, ranges
from bio_interp.linking.counting._columns import Block, Columns
from bio_interp.linking.counting._ground import STRATA, Ground, Stretches

if TYPE_CHECKING:
    from torch import Tensor

_CELLS = 1 << 22  # of a table while counting on a processor
_GPU_CELLS = 1 << 27
Part = tuple[int, int]


@dataclass(frozen=True)
class Counts:
    """Counts of a block of features, at and above the lower edge of each bin.

    Float64 and exact; a protein counts as many times as it stands for (`Labels.weights`, rounded
    to 1/1024), a cluster once.

    Attributes
    ----------
    hits
        Residues of a concept where the feature fires, ``(features, concepts, bins)``.
    ignored
        Residues where the feature fires and the concept is unknown.
    spans, proteins, clusters
        Spans of a concept, and proteins and clusters that bear it, in which the feature fires at
        least once within the concept.
    fired, fired_proteins
        Residues where the feature fires, and proteins that have one, among those that were looked
        at, by coverage class, ``(features, classes, bins)``.
    fired_clusters
        Clusters that have one, by stratum of size too, ``(features, classes, strata, bins)``.
    """

    hits: Tensor
    ignored: Tensor
    spans: Tensor
    proteins: Tensor
    clusters: Tensor
    fired: Tensor
    fired_proteins: Tensor
    fired_clusters: Tensor

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: tensor + vars(other)[name] for name, tensor in vars(self).items()})


def count(
    columns: Columns,
    labels: Labels,
    edges: Float[ndarray, "d_sae bins"],
    *,
    fold: str,
    part: Part = (1, 1),
    device: str = "cpu",
) -> Iterator[tuple[range, Counts]]:
    """Count one fold in one pass, a block of features at a time.

    Parameters
    ----------
    columns
        Activations along the residues that `labels` are laid on.
    labels
        Concepts along the residues.
    edges
        Lower edges of the bins of activation of each feature, ascending; see `bin_edges`. What is
        below the first is not counted.
    fold
        ``"select"``, ``"calibrate"`` or ``"test"``.
    part
        ``(i, n)``, i from 1: count the i-th of n parts of the clusters only.
    device
        Where torch counts. On a processor two blocks are in work at a time.

    Yields
    ------
    range, Counts
        Neighbouring features and their counts, in order. Memory is that of a few blocks and of
        4 bytes a residue and layer of overlapping concepts.
    """
    import torch

    place = torch.device(device)
    ground = Ground(labels, fold, part, place)
    bins = edges.shape[1]

    def work(features: range) -> Counts:
        return _of_block(columns.block(features), ground, edges[features.start : features.stop])

    tables = (ground.concepts * bins, len(ground.spans), len(ground.protein_weight))
    cells = _CELLS if place.type == "cpu" else _GPU_CELLS
    entries = ENTRIES if place.type == "cpu" else ENTRIES << 6
    blocks = ranges(columns, entries=entries, most=cells // max(1, *tables))
    workers = max(1, torch.get_num_threads()) if place.type == "cpu" else 1
    yield from mapped(work, blocks, workers)


@dataclass(frozen=True)
class _Tally:
    """Histograms over (feature, label, bin)."""

    features: int
    bins: int

    def of(
        self, feature: Tensor, label: Tensor, bin_: Tensor, labels: int, weight: Tensor | None
    ) -> Tensor:
        """Count at and above each bin, ``(features, labels, bins)`` float64."""
        import torch

        key = (feature * labels + label) * self.bins + bin_
        cells = torch.bincount(key, weight, self.features * labels * self.bins)
        table = cells.double().view(self.features, labels, self.bins)
        return table.flip(-1).cumsum(-1).flip(-1)

    def best(
        self, feature: Tensor, thing: Tensor, bin_: Tensor, things: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Keep each (feature, thing) once, at its highest bin."""
        import torch

        highest = torch.zeros(self.features * things, dtype=torch.int32, device=bin_.device)
        highest.scatter_reduce_(0, feature * things + thing, (bin_ + 1).int(), "amax")
        pair = highest.nonzero().squeeze(1)
        return pair // max(1, things), pair % max(1, things), highest[pair].long() - 1


def _of_block(block: Block, ground: Ground, edges: Float[ndarray, "features bins"]) -> Counts:
    import torch

    place = ground.keep.device
    index = torch.from_numpy(block.index).to(place)
    counts = torch.from_numpy(np.diff(block.offsets)).to(place)
    feature = torch.repeat_interleave(torch.arange(len(counts), device=place), counts)
    bin_ = find_bins(torch.from_numpy(block.value).to(place), block.offsets, edges)
    on = (ground.keep[index] & (bin_ >= 0)).nonzero().squeeze(1)
    feature, index, bin_ = feature[on], index[on], bin_[on]
    tally = _Tally(*edges.shape)
    return Counts(
        *_bearing(tally, ground, feature, index, bin_), *_fired(tally, ground, feature, index, bin_)
    )


def find_bins(value: Tensor, offsets: ndarray, edges: Float[ndarray, "features bins"]) -> Tensor:
    """Find the bin of each activation: the last edge it reaches; -1 below the first. int64."""
    import torch

    bounds = torch.from_numpy(np.ascontiguousarray(edges)).to(value.device)
    parts = [
        torch.bucketize(value[start:end], row, right=True)
        for row, start, end in zip(bounds, offsets[:-1], offsets[1:], strict=True)
    ]
    return torch.cat(parts) - 1


def _bearing(
    tally: _Tally, ground: Ground, feature: Tensor, index: Tensor, bin_: Tensor
) -> tuple[Tensor, ...]:
    """Count hits, ignored, spans, proteins and clusters."""
    concepts = ground.concepts

    def weight(of: Tensor, at: Tensor) -> Tensor | None:
        return of[at] if ground.weighted else None

    def inside(of: Stretches) -> Tensor:
        at, stretch = of.layers.find(index)
        label, weights = of.label[stretch], weight(of.weight, stretch)
        return tally.of(feature[at], label, bin_[at], concepts, weights)

    at, span = ground.spans.layers.find(index)
    f, s, b = tally.best(feature[at], span, bin_[at], len(ground.spans))
    spans = tally.of(f, ground.spans.label[s], b, concepts, weight(ground.spans.weight, s))
    f, o, b = tally.best(f, ground.span_owner[s], b, len(ground.owner_label))
    proteins = tally.of(f, ground.owner_label[o], b, concepts, weight(ground.owner_weight, o))
    f, c, b = tally.best(f, ground.owner_bearer[o], b, len(ground.bearer_label))
    clusters = tally.of(f, ground.bearer_label[c], b, concepts, None)
    return inside(ground.merged), inside(ground.unknown), spans, proteins, clusters


def _fired(
    tally: _Tally, ground: Ground, feature: Tensor, index: Tensor, bin_: Tensor
) -> tuple[Tensor, ...]:
    """Count residues, proteins and clusters where the features fire, by coverage class."""
    import torch

    found: list[tuple[Tensor, ...]] = []
    protein = ground.protein[index].long()
    for looked in ground.looked:
        at = looked[index].nonzero().squeeze(1)
        f, p, b = feature[at], protein[at], bin_[at]
        weight = ground.protein_weight[p] if ground.weighted else None
        residues = tally.of(f, torch.zeros_like(f), b, 1, weight)
        f, p, b = tally.best(f, p, b, len(ground.protein_weight))
        weight = ground.protein_weight[p] if ground.weighted else None
        proteins = tally.of(f, torch.zeros_like(f), b, 1, weight)
        f, c, b = tally.best(f, ground.protein_cluster[p], b, ground.clusters)
        clusters = tally.of(f, ground.cluster_stratum[c], b, STRATA, None)
        found.append((residues, proteins, clusters[:, None]))
    if not found:
        none = bin_.new_zeros((tally.features, 0, tally.bins)).double()
        return none, none, none[:, :, None]
    return tuple(torch.cat(columns, 1) for columns in zip(*found, strict=True))
