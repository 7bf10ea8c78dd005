"""The measured variants: three scans, a seeded pool of each, and how labels are dealt."""

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bio_interp.sequences import read_proteins
from bio_interp.variants import LETTERS, Mutation, Variant

# variants of one, two and more substitutions in a pool; None is all that were measured
SIZES = {"avgfp": (800, 400, 300), "pab1": (900, 600, 0), "gb1": (None, None, 400)}
QUICK = (150, 100, 50)
OFFSETS = {"avgfp": 0, "pab1": 126}  # number of the first residue, which the tables call this
GB1_SITES = (39, 40, 41, 54)


@dataclass(frozen=True, eq=False)
class Pool:
    """Variants of one protein, and what was measured of each."""

    name: str
    sequence: str
    variants: list[Variant]
    scores: np.ndarray


def draw_pool(name: str, folder: Path, *, quick: bool) -> Pool:
    """Draw the pool of a scan: the same every time."""
    proteins = {p.accession: p.sequence for p in read_proteins(folder / "wildtypes.fasta")}
    sequence = proteins[name]
    measured = _gb1(folder, sequence) if name == "gb1" else _table(folder, name, sequence)
    by_size: dict[int, list[tuple[Variant, float]]] = {1: [], 2: [], 3: []}
    for variant, score in measured:
        by_size[min(len(variant.mutations), 3)].append((variant, score))
    rng = np.random.default_rng(0)
    chosen: list[tuple[Variant, float]] = []
    for found, size in zip(by_size.values(), QUICK if quick else SIZES[name], strict=True):
        count = len(found) if size is None else min(size, len(found))
        chosen += [found[i] for i in np.sort(rng.permutation(len(found))[:count])]
    return Pool(name, sequence, [v for v, _ in chosen], np.array([s for _, s in chosen]))


def deal(pool: Pool, folds: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Deal variants to learn from, in random order, and variants to be judged by.

    ``random`` gives all in random order, of which the first are learnt from and the rest judged.
    ``position`` deals the mutated positions into halves (GB1: two sites and two); a variant with
    positions of both is left out, so no judged variant shares a position with one learnt from.
    """
    rng = np.random.default_rng([seed, 1])
    order = rng.permutation(len(pool.variants))
    if folds == "random":
        return order, order
    positions = sorted({i for v in pool.variants for i in v.indices})
    half = set(rng.permutation(positions)[: len(positions) // 2].tolist())
    shares = np.array([np.mean([i in half for i in pool.variants[o].indices]) for o in order])
    return order[shares == 1], order[shares == 0]


def one_hot(pool: Pool) -> np.ndarray:
    """Write the mutated sequences as ``(variants, 20 * residues)`` of 0 and 1."""
    texts = [variant.apply(pool.sequence) for variant in pool.variants]
    letters = np.array([list(text) for text in texts])
    return (letters[:, :, None] == np.array(list(LETTERS))).reshape(len(texts), -1)


def _table(folder: Path, name: str, sequence: str) -> Iterator[tuple[Variant, float]]:
    with gzip.open(folder / f"{name}.tsv.gz", "rt") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            parts = [(p[0], int(p[1:-1]) - OFFSETS[name], p[-1]) for p in row["variant"].split(",")]
            if all(mutant in LETTERS for *_, mutant in parts):
                made = Variant(tuple(sorted(Mutation(i + 1, old, new) for old, i, new in parts)))
                made.apply(sequence)  # refuses a residue that is another in the wild type
                yield made, float(row["score"])


def _gb1(folder: Path, sequence: str) -> Iterator[tuple[Variant, float]]:
    wild = [sequence[site - 1] for site in GB1_SITES]
    with zipfile.ZipFile(folder / "gb1_four_mutations_full_data.csv.zip") as archive:
        (inner,) = (n for n in archive.namelist() if n.endswith(".csv") and "__" not in n)
        with archive.open(inner) as raw:
            for row in csv.DictReader(io.TextIOWrapper(raw)):
                triples = zip(GB1_SITES, wild, row["Variants"], strict=True)
                changed = tuple(Mutation(*t) for t in triples if t[1] != t[2])
                if changed and all(m.mutant in LETTERS for m in changed):
                    yield Variant(changed), float(row["Fitness"])
