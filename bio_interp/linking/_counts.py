"""One pass over sparse codes: every feature x concept x threshold at once.

Codes are sparse (k of d_sae a residue) and concept masks are sparse, so the counts are one scatter
of (a residue's features) x (a residue's concepts), followed by a cumulative sum over bins of
activation. Counts add: shards, machines and runs merge by addition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.features import FeatureShard, FeatureStore
from bio_interp.linking._intervals import Intervals
from bio_interp.linking._labels import Labels


@dataclass
class Counts:
    """Counts at and above each bin of activation, over the proteins of one fold.

    All have a last axis of bins; ``[..., b]`` counts what is at or above the lower edge of ``b``.
    A protein counts as many times as it stands for (`Labels.weights`).

    Attributes
    ----------
    hits
        Residues of a concept where the feature fires, ``(d_sae, concepts, bins)``.
    ignored
        Residues where the feature fires and the concept is unknown.
    spans
        Spans of a concept in which the feature fires at least once.
    proteins
        Proteins bearing a concept in which the feature fires at least once.
    fired
        Residues where the feature fires, by coverage class, ``(d_sae, classes, bins)``.
    fired_proteins
        Proteins in which the feature fires, by coverage class.
    """

    hits: Float[ndarray, "d_sae *concepts bins"]
    ignored: Float[ndarray, "d_sae *concepts bins"]
    spans: Float[ndarray, "d_sae *concepts bins"]
    proteins: Float[ndarray, "d_sae *concepts bins"]
    fired: Float[ndarray, "d_sae classes bins"]
    fired_proteins: Float[ndarray, "d_sae classes bins"]

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: array + vars(other)[name] for name, array in vars(self).items()})

    def of_concept(self, concept: int) -> Counts:
        """Take the counts of one concept; its arrays lose the axis of concepts."""
        return Counts(
            hits=self.hits[:, concept],
            ignored=self.ignored[:, concept],
            spans=self.spans[:, concept],
            proteins=self.proteins[:, concept],
            fired=self.fired,
            fired_proteins=self.fired_proteins,
        )

    def interplm_f1(self, coverage_class: int, spans: float) -> Float[ndarray, "d_sae bins"]:
        """F1 of residue precision and any-hit span recall of one concept (InterPLM's definition).

        False positives are counted over all residues where the concept was looked for.
        """
        covered = self.fired[:, coverage_class] - self.ignored
        return harmonic(self.hits / np.maximum(covered, 1e-9), self.spans / max(spans, 1e-9))

    def marker_f1(self, coverage_class: int, proteins: float) -> Float[ndarray, "d_sae bins"]:
        """F1 of telling the proteins that bear one concept from those that do not."""
        precision = self.proteins / np.maximum(self.fired_proteins[:, coverage_class], 1e-9)
        return harmonic(precision, self.proteins / max(proteins, 1e-9))


def harmonic(a: Float[ndarray, "..."], b: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
    """Harmonic mean, 0 where both are 0."""
    return 2 * a * b / np.maximum(a + b, 1e-12)


def count(
    store: FeatureStore,
    labels: Labels,
    edges: Float[ndarray, "d_sae bins"],
    *,
    fold: str,
) -> Counts:
    """Count one fold in one pass over the store.

    Parameters
    ----------
    store
        Codes of the proteins that `labels` are laid along.
    labels
        Concepts along the store's residues.
    edges
        Lower edges of the bins of activation of each feature, ascending.
    fold
        ``"select"``, ``"calibrate"`` or ``"test"``.

    Returns
    -------
    Counts
        Takes ``16 * d_sae * concepts * bins`` bytes: four counts of 4 bytes.
    """
    in_fold = labels.proteins_of(fold)
    shape = (store.d_sae, labels.concepts.height, edges.shape[1])
    by_class = (store.d_sae, int(labels.looked.label.max(initial=-1)) + 1, edges.shape[1])
    total = Counts(*_zeros(shape, 4), *_zeros(by_class, 2))
    for shard in store.shards():
        proteins = np.arange(shard.first_protein, shard.first_protein + shard.entry["proteins"])
        if in_fold[proteins].any():
            _add_shard(total, shard, labels, edges, in_fold)
    for array in vars(total).values():
        array[...] = np.flip(np.cumsum(np.flip(array, -1), -1), -1)
    return total


def _zeros(shape: tuple[int, ...], times: int) -> list[Float[ndarray, "..."]]:
    return [np.zeros(shape, np.float32) for _ in range(times)]


def _add_shard(
    total: Counts,
    shard: FeatureShard,
    labels: Labels,
    edges: Float[ndarray, "d_sae bins"],
    in_fold: Bool[ndarray, "proteins"],
) -> None:
    codes = BinnedShard.of(shard, labels, edges)
    weight = labels.weights
    bearing = _of_shard(labels.positives, codes, in_fold)
    entry, span = codes.entries_in(bearing)
    _scatter_best(total.spans, codes, entry, span, bearing.label, weight[bearing.protein])
    owner, label, protein = _owners(bearing)
    _scatter_best(total.proteins, codes, entry, owner[span], label, weight[protein])
    for into, spans in ((total.hits, bearing.merged()), (total.ignored, labels.unknowns)):
        part = _of_shard(spans, codes, in_fold)
        entry, span = codes.entries_in(part)
        _scatter(
            into,
            codes.feature[entry],
            part.label[span],
            codes.bin[entry],
            weight[part.protein[span]],
        )
    looked = _of_shard(labels.looked, codes, in_fold)
    entry, span = codes.entries_in(looked)
    _scatter(
        total.fired,
        codes.feature[entry],
        looked.label[span],
        codes.bin[entry],
        weight[looked.protein[span]],
    )
    owner, label, protein = _owners(looked)
    _scatter_best(total.fired_proteins, codes, entry, owner[span], label, weight[protein])


@dataclass(frozen=True)
class BinnedShard:
    """The codes of a shard, with each activation's bin; ``first`` is its first residue."""

    first: int
    indptr: Int[ndarray, "rows_plus_1"]
    feature: Int[ndarray, "nonzeros"]
    bin: Int[ndarray, "nonzeros"]

    @classmethod
    def of(
        cls, shard: FeatureShard, labels: Labels, edges: Float[ndarray, "d_sae bins"]
    ) -> BinnedShard:
        """Read a shard and find the bin of every activation."""
        feature = np.asarray(shard.features, dtype=np.int64)
        return cls(
            first=int(labels.offsets[shard.first_protein]),
            indptr=np.asarray(shard.indptr, dtype=np.int64),
            feature=feature,
            bin=find_bins(np.asarray(shard.values), feature, edges),
        )

    def entries_in(self, spans: Intervals) -> tuple[Int[ndarray, "pairs"], Int[ndarray, "pairs"]]:
        """Pair every code in a span with that span; activations below the first edge are out."""
        start = self.indptr[spans.start - self.first]
        length = self.indptr[spans.end - self.first] - start
        span = np.repeat(np.arange(len(spans)), length)
        within = np.arange(len(span)) - np.repeat(np.cumsum(length) - length, length)
        entry = np.repeat(start, length) + within
        keep = self.bin[entry] >= 0
        return entry[keep], span[keep]


def find_bins(
    values: Float[ndarray, "nonzeros"],
    feature: Int[ndarray, "nonzeros"],
    edges: Float[ndarray, "d_sae bins"],
) -> Int[ndarray, "nonzeros"]:
    """Find the bin of each activation: the last edge it reaches; -1 below the first."""
    bins = np.empty(len(values), dtype=np.int16)
    for block in range(0, len(values), 1 << 19):  # bounds the comparison's memory to 16 MB
        part = slice(block, block + (1 << 19))
        reached = values[part, None] >= edges[feature[part]]
        bins[part] = reached.sum(axis=1) - 1
    return bins


def _of_shard(
    spans: Intervals, codes: BinnedShard, in_fold: Bool[ndarray, "proteins"]
) -> Intervals:
    last = codes.first + len(codes.indptr) - 1
    keep = (spans.start >= codes.first) & (spans.end <= last) & in_fold[spans.protein]
    return spans.where(keep)


def _owners(
    spans: Intervals,
) -> tuple[Int[ndarray, "spans"], Int[ndarray, "owners"], Int[ndarray, "owners"]]:
    """Give each span the number of its (protein, label) pair; list labels and proteins of pairs."""
    labels = int(spans.label.max(initial=0)) + 1
    pair, owner = np.unique(spans.protein * labels + spans.label, return_inverse=True)
    return owner, pair % labels, pair // labels


def _scatter(
    into: Float[ndarray, "d_sae labels bins"],
    feature: Int[ndarray, "pairs"],
    label: Int[ndarray, "pairs"],
    bins: Int[ndarray, "pairs"],
    weight: Float[ndarray, "pairs"],
) -> None:
    key = (feature * into.shape[1] + label) * into.shape[2] + bins
    where, inverse = np.unique(key, return_inverse=True)
    into.reshape(-1)[where] += np.bincount(inverse, weight, len(where)).astype(np.float32)


def _scatter_best(
    into: Float[ndarray, "d_sae labels bins"],
    codes: BinnedShard,
    entry: Int[ndarray, "pairs"],
    owner: Int[ndarray, "pairs"],
    label_of_owner: Int[ndarray, "owners"],
    weight_of_owner: Float[ndarray, "owners"],
) -> None:
    """Count each owner (span or protein) once a feature, at its highest bin."""
    d_sae, _, n_bins = into.shape
    key = (owner * d_sae + codes.feature[entry]) * n_bins + codes.bin[entry]
    key.sort()
    pair = key // n_bins
    last = np.flatnonzero(np.append(pair[1:] != pair[:-1], True)) if len(pair) else pair
    best, pair = key[last] % n_bins, pair[last]
    owner = pair // d_sae
    _scatter(into, pair % d_sae, label_of_owner[owner], best, weight_of_owner[owner])
