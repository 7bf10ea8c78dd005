"""Homology clusters dealt into two halves: one to choose on, one to score on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from bio_interp.sequences import Protein, Split, make_split

Half = Literal["select", "test"]


def cluster_proteins(proteins: Iterable[Protein], split: Split | None) -> tuple[list[str], str]:
    """Give the cluster of every protein, and how the clusters were made.

    Clusters come from `split` where there is one, else from all the proteins together
    (`bio_interp.sequences.make_split`).
    """
    proteins = list(proteins)
    made = split or make_split(proteins)
    return [made.cluster(p.accession) for p in proteins], made.facts.get("method", "given")


def deal_halves(
    clusters: Sequence[str], strata: Mapping[str, object], seed: int
) -> dict[str, Half]:
    """Deal clusters into halves, each stratum by itself, in an order that the seed and names make.

    Parameters
    ----------
    clusters
        Names; one that comes several times counts once.
    strata
        What each half should get its share of, such as the label of the cluster.
    seed
        Another one deals otherwise.

    Examples
    --------
    >>> halves = deal_halves(["a", "b", "c", "d"], {"a": 1, "b": 1, "c": 0, "d": 0}, 0)
    >>> halves["a"] != halves["b"], halves["c"] != halves["d"]
    (True, True)
    """

    def drawn(cluster: str) -> tuple[str, str]:
        return str(strata[cluster]), hashlib.sha256(f"{seed}:{cluster}".encode()).hexdigest()

    halves: dict[str, Half] = {}
    dealt: dict[object, int] = {}
    for cluster in sorted(set(clusters), key=drawn):
        number = dealt[strata[cluster]] = dealt.get(strata[cluster], -1) + 1
        halves[cluster] = "test" if number % 2 else "select"
    return halves
