"""Which proteins of each fold are read, in which order, and how many each stands for."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from bio_interp.annotations import AnnotationTable
from bio_interp.building._parts import SamplePart
from bio_interp.errors import InputError
from bio_interp.provenance import atomic_path
from bio_interp.sequences import Fold, Protein, Split

EVALUATED: tuple[Fold, ...] = ("select", "calibrate", "test")
_BLOCK = 256
_COLUMNS = {"accession": pl.String, "fold": pl.String, "weight": pl.Float64}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A protein that is read, and how many it stands for: each cluster counts once."""

    accession: str
    fold: str
    weight: float


@dataclass(frozen=True)
class Sampler:
    """Draws proteins: those of fit first, then blocks of the other folds in turn.

    Attributes
    ----------
    proteins, split
        All proteins, and their folds.
    config
        How many.
    """

    proteins: Mapping[str, Protein]
    split: Split
    config: SamplePart

    def draw(self, table: AnnotationTable, *, fit: bool) -> list[Drawn]:
        """Draw the proteins of all folds; those of fit only where `fit` is set."""
        bearers = self._bearers(table)
        drawn = self._fit() if fit else []
        blocks: list[list[Drawn]] = []
        for fold in EVALUATED:
            proteins = self._fold(fold, bearers)
            blocks += [proteins[i : i + _BLOCK] for i in range(0, len(proteins), _BLOCK)]
        blocks.sort(key=lambda block: self._order(block[0].accession))  # folds in turn
        drawn += [d for block in blocks for d in block]
        self._check(drawn, fit=fit)
        return drawn

    def candidates(self, fold: Fold) -> list[str]:
        """List the proteins of a fold that may be drawn, in the order of the draw."""
        longest = self.config.fit_longest if fold == "fit" else self.config.longest
        lengths = range(self.config.shortest, (longest or 10**9) + 1)
        names = (a for a in self.split.accessions(fold) if a in self.proteins)
        return sorted((a for a in names if len(self.proteins[a]) in lengths), key=self._order)

    def _bearers(self, table: AnnotationTable) -> set[str]:
        """Find the proteins that bear a common concept, or that a curated source looked at."""
        if not self.config.families and not self.config.curated:
            return set(self.proteins)
        kinds = table.concepts.filter(pl.col("kind").is_in(list(self.config.families)))
        rows = table.rows.filter(pl.col("concept").is_in(kinds["concept"].implode()))
        bearing: dict[str, set[str]] = defaultdict(set)
        for concept, accession in rows.select("concept", "accession").iter_rows():
            bearing[concept].add(accession)
        curated = pl.col("source").is_in(list(self.config.curated))
        found = set(table.coverage.filter(curated)["accession"]) & set(self.proteins)
        for members in bearing.values():
            clusters: dict[str, set[str]] = defaultdict(set)
            for accession in members & set(self.proteins):
                clusters[self.split.fold(accession)].add(self.split.cluster(accession))
            if min(len(clusters["select"]), len(clusters["calibrate"])) >= self.config.common:
                found |= members
        return found

    def _fit(self) -> list[Drawn]:
        drawn: list[Drawn] = []
        members: dict[str, int] = defaultdict(int)
        residues = 0
        for accession in self.candidates("fit"):
            cluster = self.split.cluster(accession)
            if members[cluster] < (self.config.fit_members or 10**9):
                members[cluster] += 1
                drawn.append(Drawn(accession, "fit", 1.0))
                residues += len(self.proteins[accession])
            if self.config.fit_residues and residues >= self.config.fit_residues:
                break
        return drawn

    def _fold(self, fold: Fold, bearers: set[str]) -> list[Drawn]:
        """Draw one fold: all bearing clusters, and a share of the others."""
        clusters: dict[str, list[str]] = defaultdict(list)
        for accession in self.candidates(fold):
            clusters[self.split.cluster(accession)].append(accession)
        bearing = {c for c, members in clusters.items() if bearers & set(members)}
        others = [c for c in clusters if c not in bearing]
        some = others[: max(1, round(self.config.background * len(others)))]
        drawn = [Drawn(clusters[c][0], fold, len(others) / len(some)) for c in some]
        for cluster in sorted(bearing):
            members = sorted(clusters[cluster], key=lambda a: (a not in bearers, self._order(a)))
            kept = members[: self.config.members]
            drawn += [Drawn(a, fold, 1 / len(kept)) for a in kept]
        return sorted(drawn, key=lambda d: self._order(d.accession))

    def _order(self, accession: str) -> str:
        return hashlib.sha256(f"{self.config.seed}:{accession}".encode()).hexdigest()

    def _check(self, drawn: Iterable[Drawn], *, fit: bool) -> None:
        have = {d.fold for d in drawn}
        for fold in ("fit", *EVALUATED) if fit else EVALUATED:
            if fold not in have:
                lengths = f"{self.config.shortest} residues or more"
                raise InputError(
                    f"proteins in every fold of the split, of {lengths}",
                    f"none in {fold}, of {len(self.proteins)} proteins",
                    "Give more proteins (some hundred clusters at least), or change [sample].",
                )


def weights(drawn: Iterable[Drawn]) -> dict[str, float]:
    """Weight of every protein."""
    return {d.accession: d.weight for d in drawn}


def save_draw(drawn: Sequence[Drawn], path: Path) -> None:
    """Write a draw as TSV."""
    rows = [(d.accession, d.fold, d.weight) for d in drawn]
    with atomic_path(path) as temporary:
        pl.DataFrame(rows, _COLUMNS, orient="row").write_csv(temporary, separator="\t")


def load_draw(path: Path) -> list[Drawn]:
    """Read what `save_draw` wrote."""
    return [Drawn(*row) for row in pl.read_csv(path, separator="\t", schema=_COLUMNS).iter_rows()]
