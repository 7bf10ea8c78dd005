"""What the test half says of a chosen feature: figures, chance, and where it fires for nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

from bio_interp.discovery._engine import Pick, Searched


def measure(searched: Searched, pick: Pick, *, permutations: int, seed: int) -> dict[str, Any]:
    """Count residues, spans and clusters of the test half; compare with chance.

    Returns
    -------
    dict
        Columns of `FOUND` from ``residue_precision`` on.
    """
    index, protein, _ = searched.hits(pick)
    positive = searched.positive(pick.concept)
    spans = searched.spans(pick.concept)
    on = np.zeros(len(positive) + 1, dtype=np.int64)
    on[index + 1] = 1
    passed = np.cumsum(on)  # firing residues before each residue
    found = int((passed[spans[:, 1]] > passed[spans[:, 0]]).sum())
    right = int(positive[index].sum())
    precision, recall = _share(right, len(index)), _share(right, int(positive.sum()))
    span_recall = _share(found, len(spans))
    residues = int(np.diff(searched.offsets)[searched.test].sum())
    return {
        "residue_precision": precision,
        "residue_recall": recall,
        "span_recall": span_recall,
        "residue_f1": _harmonic(precision, recall),
        "interplm_f1": _harmonic(precision, span_recall),
        "prevalence": _share(int(positive.sum()), residues),
        "spans": len(spans),
        "clusters": len(np.unique(searched.clusters[spans[:, 2]])),
        "p_clusters": searched.cluster_tail(pick),
        "p_place": place_tail(
            index,
            protein,
            positive,
            searched.offsets,
            searched.clusters,
            permutations=permutations,
            seed=seed,
        ),
    }


def negatives(searched: Searched, pick: Pick, most: int) -> list[dict[str, Any]]:
    """List the strongest hits outside of the spans, one a cluster.

    Returns
    -------
    list of dict
        ``protein`` (index in the store), ``position``, ``activation``, ``spans`` (of the concept
        in the protein) and ``distance`` (residues to the nearest of them; None where there is
        none).
    """
    index, protein, value = searched.hits(pick)
    wrong = ~searched.positive(pick.concept)[index]
    index, protein, value = index[wrong], protein[wrong], value[wrong]
    order = np.argsort(-value, kind="stable")
    first = np.unique(searched.clusters[protein[order]], return_index=True)[1]
    spans = searched.spans(pick.concept)
    rows: list[dict[str, Any]] = []
    for hit in order[np.sort(first)[:most]]:
        own = spans[spans[:, 2] == protein[hit]]
        apart = np.maximum(own[:, 0] - index[hit], index[hit] - own[:, 1] + 1)
        rows.append(
            {
                "protein": int(protein[hit]),
                "position": int(index[hit] - searched.offsets[protein[hit]] + 1),
                "activation": float(value[hit]),
                "spans": len(own),
                "distance": int(apart.min()) if len(own) else None,
            }
        )
    return rows


def place_tail(
    index: Int[ndarray, "hits"],
    protein: Int[ndarray, "hits"],
    positive: Bool[ndarray, "residues"],
    offsets: Int[ndarray, "proteins_plus_1"],
    clusters: Int[ndarray, "proteins"],
    *,
    permutations: int,
    seed: int,
) -> float:
    """Chance that hits lie in spans as often when the spans are rotated within their proteins.

    Counted is the mean over clusters of the share of hits that are right. Proteins of a cluster
    are rotated by the same share of their length. 1 where no hit is right.
    """
    of_hit = np.unique(clusters[protein], return_inverse=True)[1]
    weight = 1.0 / np.bincount(of_hit)[of_hit] if len(of_hit) else np.zeros(0)
    observed = float(weight[positive[index]].sum())
    if not observed:
        return 1.0
    rng, first = np.random.default_rng(seed), offsets[protein]
    length, within = offsets[protein + 1] - first, index - first
    as_high = 0
    for _ in range(permutations):
        turn = (rng.random(int(of_hit.max()) + 1)[of_hit] * length).astype(np.int64)
        as_high += weight[positive[first + (within + turn) % length]].sum() >= observed - 1e-9
    return float((1 + as_high) / (1 + permutations))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0
