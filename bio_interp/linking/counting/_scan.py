"""Every feature and concept of one fold at the threshold that suits them best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.linking._labels import Labels
from bio_interp.linking.counting._columns import Columns
from bio_interp.linking.counting._counts import Counts, count
from bio_interp.linking.counting._ground import Totals, totals
from bio_interp.linking.counting._scores import Truth
from bio_interp.linking.statistics import matched_total

if TYPE_CHECKING:
    from torch import Tensor

PRECISIONS = (0.25, 0.35, 0.5, 0.65, 0.8)  # residue precision that a feature of a set must have
DOUBT = 20.0  # residues outside the concept that every feature is charged with
BORNE = 2.5  # proteins of the concept in which a feature of a set must fire


@dataclass(frozen=True)
class Best:
    """Highest F1 over thresholds, and the bin of that threshold."""

    f1: Float[ndarray, "concepts d_sae"]
    bin: Int[ndarray, "concepts d_sae"]


@dataclass(frozen=True)
class Scan:
    """One fold, scanned. All arrays are ``(concepts, d_sae)`` but `covers`.

    Attributes
    ----------
    edges
        Lower edges of the bins, ``(d_sae, bins)``.
    totals
        What there is to find.
    best
        By name (``interplm``, ``residue``, ``marker``) the highest F1 and its bin.
    auroc, average_precision
        Of residues, over the bins.
    both, fired, total
        At the threshold of best marker F1: clusters that bear the concept and have the feature
        fire in it, clusters where it fires, and the total that allows for clusters of different
        size (`matched_total`); what `cluster_tail` tests.
    covers
        By precision of `PRECISIONS` (first axis): residues that the feature covers at the lowest
        threshold with that precision, and the bin; see `Scan.precise`.
    """

    edges: Float[ndarray, "d_sae bins"]
    totals: Totals
    best: Mapping[str, Best]
    auroc: Float[ndarray, "concepts d_sae"]
    average_precision: Float[ndarray, "concepts d_sae"]
    both: Int[ndarray, "concepts d_sae"]
    fired: Int[ndarray, "concepts d_sae"]
    total: Int[ndarray, "concepts d_sae"]
    covers: Best

    def top(self, concept: int, names: Iterable[str], most: int) -> list[int]:
        """List the features that are among the `most` best of a concept by any of the names."""
        ranked = [np.argsort(-self.best[n].f1[concept], kind="stable")[:most] for n in names]
        return sorted({int(f) for f in np.concatenate(ranked)})

    def precise(self, concept: int, level: int, most: int) -> list[tuple[int, float]]:
        """List features with thresholds of a residue precision, those that cover most first.

        `level` is an index of `PRECISIONS`. Every feature is charged with `DOUBT` residues outside
        the concept, and must fire in more than `BORNE` of its proteins.
        """
        covered, bins = self.covers.f1[level, concept], self.covers.bin[level, concept]
        order = np.argsort(-covered, kind="stable")[:most]
        return [(int(f), float(self.edges[f, bins[f]])) for f in order if covered[f] > 0]


def scan(
    columns: Columns,
    labels: Labels,
    edges: Float[ndarray, "d_sae bins"],
    *,
    fold: str,
    device: str = "cpu",
    counts: Iterable[tuple[range, Counts]] | None = None,
) -> Scan:
    """Scan one fold in one pass.

    Parameters
    ----------
    columns, labels, edges, fold, device
        As for `count`.
    counts
        Take these instead of counting: merged ones of several machines, for example.

    Returns
    -------
    Scan
        Takes about ``80 * d_sae * concepts`` bytes, whatever the number of bins.
    """
    truth_of = totals(labels, fold)
    truth = Truth.of(truth_of, labels.coverage_class, device)
    if counts is None:
        counts = count(columns, labels, edges, fold=fold, device=device)
    found = _Found.empty(labels.concepts.height, columns.d_sae)
    for features, block in counts:
        found.add(features, block, truth, edges[features.start : features.stop])
    best = {name: Best(found.f1[i], found.bin[i]) for i, name in enumerate(NAMES)}
    return Scan(
        edges, truth_of, best, found.auroc, found.ap, found.both, found.fired, found.total,
        Best(found.covered, found.covered_bin),
    )  # fmt: skip


NAMES = ("interplm", "residue", "marker")


@dataclass(frozen=True)
class _Found:
    """The arrays of a scan while they are filled."""

    f1: Float[ndarray, "names concepts d_sae"]
    bin: Int[ndarray, "names concepts d_sae"]
    auroc: Float[ndarray, "concepts d_sae"]
    ap: Float[ndarray, "concepts d_sae"]
    both: Int[ndarray, "concepts d_sae"]
    fired: Int[ndarray, "concepts d_sae"]
    total: Int[ndarray, "concepts d_sae"]
    covered: Float[ndarray, "precisions concepts d_sae"]
    covered_bin: Int[ndarray, "precisions concepts d_sae"]

    @classmethod
    def empty(cls, concepts: int, d_sae: int) -> _Found:
        pairs, levels = (concepts, d_sae), len(PRECISIONS)
        return cls(
            np.zeros((len(NAMES), *pairs), np.float32),
            np.zeros((len(NAMES), *pairs), np.int16),
            np.zeros(pairs, np.float32),
            np.zeros(pairs, np.float32),
            np.zeros(pairs, np.int32),
            np.zeros(pairs, np.int32),
            np.zeros(pairs, np.int32),
            np.zeros((levels, *pairs), np.float32),
            np.zeros((levels, *pairs), np.int16),
        )

    def add(
        self, features: range, counts: Counts, truth: Truth, edges: Float[ndarray, "features bins"]
    ) -> None:
        """Fill in the columns of a block."""
        at = slice(features.start, features.stop)
        marker_bin = None
        for i, (_, values) in enumerate(vars(truth.scores(counts)).items()):
            f1, marker_bin = values.max(-1)
            self.f1[i, :, at], self.bin[i, :, at] = _numpy(f1), _numpy(marker_bin)
        assert marker_bin is not None  # the last name is marker's
        self.auroc[:, at] = _numpy(truth.auroc(counts))
        self.ap[:, at] = _numpy(truth.average_precision(counts))
        self._test(at, counts, truth, marker_bin)
        self._cover(at, counts, truth.covered(counts), edges)

    def _test(self, at: slice, counts: Counts, truth: Truth, chosen: Tensor) -> None:
        """Keep what is tested of each pair, at the chosen bin."""
        self.both[:, at] = _numpy(counts.clusters.gather(-1, chosen[..., None])[..., 0])
        by_stratum = truth.by_concept(counts.fired_clusters)
        at_bin = chosen[..., None, None].expand(*by_stratum.shape[:3], 1)
        fired = by_stratum.gather(-1, at_bin)[..., 0].cpu().numpy()
        there = truth.there
        total = matched_total(fired, there.clusters, there.covered_clusters)
        self.fired[:, at], self.total[:, at] = fired.sum(-1).T, total.T

    def _cover(
        self, at: slice, counts: Counts, covered: Tensor, edges: Float[ndarray, "features bins"]
    ) -> None:
        import torch

        told = counts.hits / (covered + DOUBT)
        cut = torch.from_numpy(np.isfinite(edges)).to(told.device)[:, None]
        hits = torch.where((counts.proteins >= BORNE) & cut, counts.hits, 0.0)
        for level, precision in enumerate(PRECISIONS):
            most, bins = torch.where(told >= precision, hits, 0.0).max(-1)
            self.covered[level, :, at], self.covered_bin[level, :, at] = _numpy(most), _numpy(bins)


def _numpy(tensor: Tensor) -> ndarray:
    """Turn ``(features, concepts)`` into an array ``(concepts, features)``."""
    return tensor.T.cpu().numpy()
