"""Which proteins of each fold are read, in which order, and how many each stands for."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from sources import Sources

from bio_interp.provenance import atomic_path

BLOCK = 256
EVALUATED = ("select", "calibrate", "test")


@dataclass(frozen=True)
class SampleConfig:
    """How proteins are drawn.

    Attributes
    ----------
    fit_residues
        Residues of fit proteins that the SAE is trained on.
    fit_longest, longest, shortest
        Longest protein drawn for training, and for the other folds; shortest of all.
    background
        Share of the other clusters of which one protein is drawn.
    members
        Proteins drawn of a cluster that bears a common family or has UniProt features.
    common
        A family is common where this many clusters of select, and of calibrate, bear it.
    """

    fit_residues: int = 1_000_000
    fit_longest: int = 1022
    longest: int = 1022
    shortest: int = 30
    background: float = 0.4
    members: int = 4
    common: int = 5


@dataclass(frozen=True, slots=True)
class Drawn:
    """A protein that is read, and how many it stands for: each cluster counts once."""

    accession: str
    fold: str
    weight: float


def draw(
    sources: Sources, families: Mapping[str, set[str]], config: SampleConfig, path: Path
) -> list[Drawn]:
    """Draw proteins once: fit first, then blocks of the other folds in turn.

    `families` holds the proteins of every Pfam family. Clusters that bear a common family or have
    a protein with UniProt features are drawn more densely; `Drawn.weight` makes up for it.
    """
    if not path.is_file():
        draws = _draw(sources, families, config)
        table = pl.DataFrame([(d.accession, d.fold, d.weight) for d in draws], orient="row")
        with atomic_path(path) as temporary:
            table.write_csv(temporary, separator="\t", include_header=False)
    rows = pl.read_csv(path, separator="\t", has_header=False, infer_schema_length=None)
    return [Drawn(*row) for row in rows.iter_rows()]


def _draw(sources: Sources, families: Mapping[str, set[str]], config: SampleConfig) -> list[Drawn]:
    bearers = _bearers(sources, families, config)
    drawn = _fit(sources, config)
    blocks: list[list[Drawn]] = []
    for fold in EVALUATED:
        proteins = _fold(sources, fold, bearers, config)
        blocks += [proteins[i : i + BLOCK] for i in range(0, len(proteins), BLOCK)]
    blocks.sort(key=lambda block: _order(block[0].accession))  # folds in turn
    return drawn + [d for block in blocks for d in block]


def _bearers(sources: Sources, families: Mapping[str, set[str]], config: SampleConfig) -> set[str]:
    """Find the proteins with UniProt features, or of a family common in select and calibrate."""
    found = set(sources.curated)
    for members in families.values():
        clusters = defaultdict[str, set[str]](set)
        for accession in members & set(sources.proteins):
            clusters[sources.split.fold(accession)].add(sources.split.cluster(accession))
        if min(len(clusters["select"]), len(clusters["calibrate"])) >= config.common:
            found |= members
    return found


def _fit(sources: Sources, config: SampleConfig) -> list[Drawn]:
    drawn: dict[str, Drawn] = {}
    residues = 0
    for accession in sorted(sources.split.accessions("fit"), key=_order):
        length = len(sources.proteins[accession])
        cluster = sources.split.cluster(accession)
        if cluster not in drawn and config.shortest <= length <= config.fit_longest:
            drawn[cluster] = Drawn(accession, "fit", 1.0)
            residues += length
        if residues >= config.fit_residues:
            break
    return list(drawn.values())


def _fold(sources: Sources, fold: str, bearers: set[str], config: SampleConfig) -> list[Drawn]:
    """Draw one fold: all bearing clusters, and a share of the others."""
    clusters = defaultdict[str, list[str]](list)
    for accession in sorted(sources.split.accessions(fold), key=_order):
        if config.shortest <= len(sources.proteins[accession]) <= config.longest:
            clusters[sources.split.cluster(accession)].append(accession)
    bearing = {c for c, members in clusters.items() if bearers & set(members)}
    others = [c for c in clusters if c not in bearing]
    some = others[: round(config.background * len(others))]
    drawn = [Drawn(clusters[c][0], fold, len(others) / len(some)) for c in some]
    for cluster in sorted(bearing):
        members = sorted(clusters[cluster], key=lambda a: (a not in bearers, _order(a)))
        kept = members[: config.members]
        drawn += [Drawn(a, fold, 1 / len(kept)) for a in kept]
    return sorted(drawn, key=lambda d: _order(d.accession))


def _order(accession: str) -> str:
    return hashlib.sha256(f"unirep sample 1:{accession}".encode()).hexdigest()


def weights(drawn: Sequence[Drawn]) -> dict[str, float]:
    """Weight of every protein."""
    return {d.accession: d.weight for d in drawn}
