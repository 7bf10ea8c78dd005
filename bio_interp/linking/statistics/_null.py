"""What the best of many features reaches by chance: labels permuted, p-values from the maxima."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from bio_interp.linking._intervals import Intervals
from bio_interp.linking._labels import Labels
from bio_interp.linking.statistics._rotate import Units, draw_turn, joined, units_of

SWEEPS = 20  # rounds of exchange; each protein changes places about ten times
SIMILAR = 0.2  # two lengths may differ by this share of the larger

Best = Callable[[Labels], Float[ndarray, "concepts"]]
"""Gives each concept's best score over features and thresholds under some labels."""


def permute_labels(labels: Labels, rng: np.random.Generator, *, similar: float = SIMILAR) -> Labels:
    """Move annotations to proteins of similar length in the same fold, and rotate them there.

    Sequences, and so features, clusters and folds, stay where they are. All that is annotated goes
    together to one other protein (or none: a protein may keep its own), and so does the weight, as
    it says how often proteins with such annotations were drawn. There each concept is rotated by
    itself. Where only part of a protein was looked at, its concepts and what was looked at are
    rotated together.

    - Positive spans are never cut, joined, shortened or lost, and there are as many residues of
      each concept in a fold as before. A rotation that would cut one at the end of the protein is
      not drawn; all others are equally likely. A protein that cannot give up enough free residues
      goes to no shorter one.
    - Unknown and looked residues that cross the end come back at the beginning, in two spans. In a
      shorter protein some are lost. A whole protein that was looked at makes the other one such.

    Parameters
    ----------
    labels
        Labels; those of proteins that are homologous should be thinned first (`one_per_cluster`),
        as they are alike in features and annotations and would be torn apart here.
    rng
        Source of randomness.
    similar
        Two lengths may differ by this share of the larger one.

    Returns
    -------
    Labels
        Of the same proteins and concepts.
    """
    units, lengths = units_of(labels), np.diff(labels.offsets)
    source = _exchange(labels, units.room(lengths), rng, similar)
    target = np.empty_like(source)
    target[source] = np.arange(len(source))
    turn = draw_turn(units, target, labels, rng)
    apart = units.looked >= 0
    moved = turn.lay(labels.looked.where(apart), units.looked[apart], labels)
    return replace(
        labels,
        weights=labels.weights[source],
        positives=turn.lay(labels.positives, units.positives, labels),
        unknowns=turn.lay(labels.unknowns, units.unknowns, labels),
        looked=joined([moved, _whole(units, target, labels)]),
    )


def one_per_cluster(labels: Labels, rng: np.random.Generator) -> Labels:
    """Keep one protein of each cluster in its fold, drawn at random; put the others in fold ``""``.

    Members of a cluster are alike in annotations and in features without being linked by either,
    so they are not exchangeable with other proteins, and a null that takes them for independent
    claims too much.

    Examples
    --------
    >>> import polars as pl
    >>> none = Intervals(*np.zeros((4, 0), dtype=int))
    >>> labels = Labels(np.array([0, 9, 18, 27]), np.array([4, 4, 7]), np.array(["test"] * 3),
    ...     np.ones(3), pl.DataFrame({"level": []}), none, none, none, np.zeros(0, dtype=int))
    >>> sorted(one_per_cluster(labels, np.random.default_rng(0)).folds.tolist())
    ['', 'test', 'test']
    """
    order = rng.permutation(len(labels.clusters))
    chosen = order[np.unique(labels.clusters[order], return_index=True)[1]]
    folds = np.full_like(labels.folds, "")
    folds[chosen] = labels.folds[chosen]
    return replace(labels, folds=folds)


def null_maxima(
    best: Best, labels: Labels, *, draws: int = 199, seed: int = 0
) -> Float[ndarray, "draws concepts"]:
    """Score permuted labels: what the best feature of each concept reaches by chance.

    Parameters
    ----------
    best
        Gives, for labels, each concept's best score over all features and thresholds, chosen in
        the same way as the score that is to be judged.
    labels
        Labels of the proteins that `best` scores, one a cluster (`one_per_cluster`).
    draws, seed
        Permutations, and what they are drawn with; each draw has a stream of its own. The smallest
        p is ``1 / (1 + draws)``: for one of n concepts to be claimed alone at q < 0.05, more than
        20 n draws are needed.
    """
    null = [
        best(permute_labels(labels, np.random.default_rng([seed, draw]))) for draw in range(draws)
    ]
    return np.stack(null)


def claim_p(
    observed: Float[ndarray, "concepts"], null: Float[ndarray, "draws concepts"]
) -> Float[ndarray, "concepts"]:
    """Give p-values of observed maxima: ``(1 + #null >= observed) / (1 + draws)``.

    Phipson & Smyth 2010 (Stat. Appl. Genet. Mol. Biol. 9:39). `benjamini_hochberg` over the
    concepts makes claims of them. NaN where nothing was observed; a NaN of the null counts as
    reaching the observed score.

    Examples
    --------
    >>> claim_p(np.array([0.9, 0.2]), np.array([[0.1, 0.3], [0.2, 0.1], [0.1, 0.2]])).tolist()
    [0.25, 0.75]
    """
    reached = (~(null < observed)).sum(axis=0)
    return np.where(np.isnan(observed), np.nan, (1 + reached) / (1 + len(null)))


def _exchange(
    labels: Labels, room: Int[ndarray, "proteins"], rng: np.random.Generator, similar: float
) -> Int[ndarray, "proteins"]:
    """Draw, for each protein, the one whose annotations it gets.

    Pairs of similar length exchange what they hold if both fit. Pairs are drawn without regard to
    what is held, so all permutations that fit are equally likely in the long run (Metropolis).
    """
    lengths = np.diff(labels.offsets)
    fold = np.unique(labels.folds, return_inverse=True)[1]
    # neighbours in this order, once blurred, are of one fold and of similar length
    place = np.log(np.maximum(lengths, 1)) + 100.0 * fold
    held = np.arange(len(lengths))
    for blur in rng.random((SWEEPS, len(lengths))) * similar:
        order = np.argsort(place + blur)[rng.integers(2) :]
        first, second = order[: len(order) // 2 * 2 : 2], order[1::2]
        may = fold[first] == fold[second]
        for of, to in ((first, second), (second, first)):
            old, new = lengths[held[of]], lengths[to]
            may &= old - new <= room[held[of]]
            may &= np.abs(old - new) <= similar * np.maximum(old, new)
        first, second = first[may], second[may]
        held[first], held[second] = held[second], held[first]
    return held


def _whole(units: Units, target: Int[ndarray, "proteins"], labels: Labels) -> Intervals:
    """Mark proteins whole that get the annotations of one where all was looked at."""
    protein, cls = np.nonzero(units.whole)
    to = target[protein]
    return Intervals(labels.offsets[to], labels.offsets[to + 1], cls, to)
