"""Which proteins of each fold are read, in which order."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bio_interp.provenance import atomic_path
from sources import Sources

BLOCK = 256
EVALUATED = ("select", "calibrate", "test")


@dataclass(frozen=True)
class SampleConfig:
    """How proteins are drawn.

    Attributes
    ----------
    fit_residues
        Residues of fit proteins that the SAE is trained on.
    fit_longest, longest
        Longest protein drawn for training, and for the other folds.
    shortest
        Shortest protein drawn.
    """

    fit_residues: int = 1_000_000
    fit_longest: int = 1022
    longest: int = 800
    shortest: int = 30


def draw(sources: Sources, config: SampleConfig, path: Path) -> list[tuple[str, str]]:
    """Draw ``(accession, fold)``, one protein a homology cluster, in blocks of one fold.

    Fit comes first; blocks of the other folds alternate in proportion to their sizes, so that the
    part read at any time is a fair sample.
    """
    if not path.is_file():
        blocks = _blocks(sources, config)
        with atomic_path(path) as temporary:
            lines = [f"{a}\t{fold}\n" for fold, block in blocks for a in block]
            temporary.write_text("".join(lines))
    return [
        (a, fold)
        for a, fold, *_ in (row.split("\t") for row in path.read_text().split("\n") if row)
    ]


def _blocks(sources: Sources, config: SampleConfig) -> list[tuple[str, list[str]]]:
    pools = {fold: _one_a_cluster(sources, fold, config) for fold in ("fit", *EVALUATED)}
    cut = {f: [p[i : i + BLOCK] for i in range(0, len(p), BLOCK)] for f, p in pools.items()}
    ordered = [("fit", block) for block in cut["fit"]]
    used = Counter[str]()
    while open_folds := [f for f in EVALUATED if used[f] < len(cut[f])]:
        fold = min(open_folds, key=lambda f: (used[f] + 1) / len(cut[f]))
        ordered.append((fold, cut[fold][used[fold]]))
        used[fold] += 1
    return ordered


def _one_a_cluster(sources: Sources, fold: str, config: SampleConfig) -> list[str]:
    longest = config.fit_longest if fold == "fit" else config.longest
    drawn: list[str] = []
    clusters: set[str] = set()
    residues = 0
    for accession in sorted(sources.split.accessions(fold), key=_order):
        length = len(sources.proteins[accession])
        cluster = sources.split.cluster(accession)
        if cluster in clusters or not config.shortest <= length <= longest:
            continue
        if fold == "fit" and residues >= config.fit_residues:
            break
        clusters.add(cluster)
        drawn.append(accession)
        residues += length
    return drawn


def _order(accession: str) -> str:
    return hashlib.sha256(f"atlas sample 1:{accession}".encode()).hexdigest()
