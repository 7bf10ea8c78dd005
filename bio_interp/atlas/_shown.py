"""The proteins that the features of an atlas are looked at in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, UInt8
from numpy import ndarray

from bio_interp.errors import MismatchError, NotFoundError
from bio_interp.features import FeatureHits, FeatureStore
from bio_interp.sequences import Protein


@dataclass(frozen=True)
class Shown:
    """The proteins of a store that are looked at, and the residues of the whole store in a row.

    Attributes
    ----------
    kept
        Which proteins of the store are looked at.
    starts
        First row of each protein, and the number of rows at the end.
    rank
        Place of each protein when accessions are sorted: what decides between equals, so that
        nothing hangs on the order of the store.
    clusters
        Number of each protein's homology cluster.
    letters
        Every residue as its ASCII code, 0 in proteins that are not looked at; empty where no
        sequences are at hand.
    """

    kept: Bool[ndarray, "proteins"]
    starts: Int[ndarray, "proteins_plus_1"]
    rank: Int[ndarray, "proteins"]
    clusters: Int[ndarray, "proteins"]
    letters: UInt8[ndarray, "rows"]

    @classmethod
    def of(
        cls,
        store: FeatureStore,
        kept: Bool[ndarray, "proteins"],
        clusters: Sequence[str] | None = None,
        sequences: Iterable[Protein] | None = None,
    ) -> Shown:
        """Lay out the proteins of a store; each is its own cluster where `clusters` is None.

        Raises
        ------
        NotFoundError
            The sequence of a protein that is looked at is not among `sequences`.
        MismatchError
            A sequence has not the length that was encoded.
        """
        names = store.accessions
        starts = np.concatenate([[0], np.cumsum(store.lengths)]).astype(np.int64)
        rank = np.empty(len(names), dtype=np.int64)
        rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
        number: dict[str, int] = {}
        own = [number.setdefault(c, len(number)) for c in (clusters or names)]
        none = np.zeros(0, dtype=np.uint8)
        letters = none if sequences is None else _letters(names, starts, kept, sequences)
        return cls(kept, starts, rank, np.array(own, dtype=np.int64), letters)

    @property
    def residues(self) -> int:
        """Number of residues that are looked at."""
        return int(np.diff(self.starts)[self.kept].sum())

    @property
    def of_clusters(self) -> int:
        """Number of clusters that are looked at."""
        return len(np.unique(self.clusters[self.kept]))


def _letters(
    names: Sequence[str],
    starts: Int[ndarray, "proteins_plus_1"],
    kept: Bool[ndarray, "proteins"],
    sequences: Iterable[Protein],
) -> UInt8[ndarray, "rows"]:
    wanted = {names[i]: i for i in np.flatnonzero(kept).tolist()}
    letters = np.zeros(int(starts[-1]), dtype=np.uint8)
    for protein in sequences:
        if (index := wanted.pop(protein.accession, None)) is None:
            continue
        own = letters[starts[index] : starts[index + 1]]
        if len(own) != len(protein):
            raise MismatchError(
                f"{protein.accession} of {len(own)} residues, as in the feature store",
                f"a sequence of {len(protein)}",
                "Give the proteins that were encoded.",
            )
        own[:] = np.frombuffer(protein.sequence.encode("ascii", "replace"), dtype=np.uint8)
    if wanted:
        raise NotFoundError(
            "the sequences of all proteins of the feature store",
            f"{len(wanted)} missing, such as {next(iter(wanted))}",
            "Give the proteins that were encoded.",
        )
    return letters


@dataclass(frozen=True)
class Firing:
    """Where one feature fires in the proteins that are looked at.

    Attributes
    ----------
    hits
        Its residues with an activation above 0.
    bearers
        Proteins where it fires, ascending.
    first
        Index in `hits` of the first of each bearer, and their number at the end.
    """

    hits: FeatureHits
    bearers: Int[ndarray, "bearers"]
    first: Int[ndarray, "bearers_plus_1"]

    @classmethod
    def of(cls, hits: FeatureHits, shown: Shown) -> Firing:
        """Keep the hits in the proteins that are looked at."""
        on = shown.kept[hits.proteins] & (hits.values > 0)
        if not on.all():
            hits = FeatureHits(hits.proteins[on], hits.positions[on], hits.values[on])
        new = np.ones(len(hits), dtype=bool)
        new[1:] = hits.proteins[1:] != hits.proteins[:-1]
        first = np.flatnonzero(new)
        return cls(hits, hits.proteins[first], np.append(first, len(hits)))

    def rows(self, shown: Shown) -> Int[ndarray, "hits"]:
        """Give the row of each hit, counted over the whole store."""
        return shown.starts[self.hits.proteins] + self.hits.positions - 1

    def peaks(self, shown: Shown) -> Int[ndarray, "clusters"]:
        """Find its highest hit in each cluster, the highest first.

        Of equals within a protein the first residue, of equals among proteins the one whose
        accession sorts first.
        """
        if not len(self.hits):
            return np.zeros(0, dtype=np.int64)
        values = self.hits.values
        highest = np.maximum.reduceat(values, self.first[:-1])
        reached = np.flatnonzero(values == np.repeat(highest, np.diff(self.first)))
        hit = reached[np.searchsorted(reached, self.first[:-1])]
        order = np.lexsort((shown.rank[self.bearers], -highest))
        _, best = np.unique(shown.clusters[self.bearers[order]], return_index=True)
        return hit[order[np.sort(best)]]
