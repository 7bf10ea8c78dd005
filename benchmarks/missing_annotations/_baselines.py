"""What to do without features: the best hit's annotations, the commonest concept, chance."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from statistics import median

import numpy as np
import polars as pl
from _data import kept
from _score import TOPS, Place, Truth, judge, shown

from bio_interp.annotations import AnnotationTable
from bio_interp.provenance import sha256_text, write_json
from bio_interp.sequences import Protein

MAX_E = 1e-3
DRAWS = 100
Silent = Callable[[Place], bool]


@dataclass(frozen=True)
class Hit:
    """The best hit of a protein.

    Attributes
    ----------
    identity
        Share of the aligned pairs that are equal, in the best domain.
    score
        Bits.
    pairs
        Position in the query by position in the target, over all domains, from 1.
    """

    query: str
    target: str
    identity: float
    score: float
    pairs: Mapping[int, int]


def best_hits(queries: Sequence[Protein], targets: Sequence[Protein], cpus: int) -> list[Hit]:
    """Search with phmmer, or remember the search of an earlier run."""
    asked = (f"{p.accession} {p.sequence}" for p in (*queries, *targets))
    path = kept() / f"hits-{len(queries)}-{sha256_text(asked)[:16]}.json"
    if not path.is_file():
        found = [asdict(hit) for hit in _search(queries, targets, cpus)]
        write_json(path, [{**hit, "pairs": list(hit["pairs"].items())} for hit in found])
    return [Hit(**{**hit, "pairs": dict(hit["pairs"])}) for hit in json.loads(path.read_text())]


def _search(queries: Sequence[Protein], targets: Sequence[Protein], cpus: int) -> list[Hit]:
    """Find the hit of lowest E-value that is another protein, for each query that has one."""
    import pyhmmer

    letters = pyhmmer.easel.Alphabet.amino()

    def digital(proteins: Sequence[Protein]) -> list[pyhmmer.easel.DigitalSequence]:
        return [
            pyhmmer.easel.TextSequence(name=str(i).encode(), sequence=p.sequence).digitize(letters)
            for i, p in enumerate(proteins)
        ]

    block = pyhmmer.easel.DigitalSequenceBlock(letters, digital(targets))
    found: list[Hit] = []
    results = pyhmmer.hmmer.phmmer(digital(queries), block, cpus=cpus, E=MAX_E)
    for query, hits in zip(queries, results, strict=True):
        for hit in hits:
            target = targets[int(hit.name)]
            if hit.included and target.accession != query.accession:
                found.append(_hit(query.accession, target.accession, hit))
                break
    return found


def _hit(query: str, target: str, hit) -> Hit:
    pairs, identities = dict[int, int](), list[tuple[float, float]]()
    for domain in hit.domains.included:
        there = domain.alignment
        at_query, at_target, same, count = there.hmm_from, there.target_from, 0, 0
        for one, other in zip(there.hmm_sequence, there.target_sequence, strict=True):
            if one not in ".-" and other not in ".-":
                pairs.setdefault(at_target, at_query)
                same, count = same + (one.upper() == other.upper()), count + 1
            at_query += one not in ".-"
            at_target += other not in ".-"
        identities.append((domain.score, same / max(count, 1)))
    return Hit(query, target, max(identities)[1] if identities else 0.0, hit.score, pairs)


def transfer(
    hits: Sequence[Hit], rows: pl.DataFrame, silent: Silent, *, by_score: bool = False
) -> list[Place]:
    """Carry the annotations of the best hits over, those of the highest identity first.

    Half of an annotation must be aligned. The most specific concept of each is taken. With
    `by_score`, those of the highest score come first.
    """
    by_target = _by_accession(rows)
    places: dict[Place, tuple[float, float]] = {}
    for hit in hits:
        for start, end, concept in _specific(by_target.get(hit.target, [])):
            there = [hit.pairs[i] for i in range(start, end + 1) if i in hit.pairs]
            if there and len(there) >= (end - start + 1) / 2:
                place = Place(hit.query, min(there), max(there), concept)
                if silent(place):
                    rank = (hit.identity, hit.score)
                    places.setdefault(place, rank[::-1] if by_score else rank)
    return sorted(places, key=lambda p: (*(-x for x in places[p]), p))


def _by_accession(rows: pl.DataFrame) -> dict[str, list[tuple[int, int, str]]]:
    found: dict[str, list[tuple[int, int, str]]] = {}
    columns = ("accession", "start", "end", "concept")
    for accession, start, end, concept in rows.select(columns).unique().sort(columns).iter_rows():
        found.setdefault(accession, []).append((start, end, concept))
    return found


def _specific(rows: Sequence[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """Leave out a kind where one of its subkinds has the same place."""
    for (start, end), group in groupby(sorted(rows), key=lambda r: r[:2]):
        concepts = [concept for _, _, concept in group]
        for concept in concepts:
            if not any(other.startswith(f"{concept}/") for other in concepts):
                yield start, end, concept


def silent_where(known: AnnotationTable) -> Silent:
    """Tell whether a database has nothing of a concept's kind at a place."""
    kinds = dict(known.concepts.select("concept", "kind").iter_rows())
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for accession, start, end, concept in known.rows.select(
        "accession", "start", "end", "concept"
    ).iter_rows():
        spans.setdefault((accession, kinds[concept]), []).append((start, end))

    def silent(place: Place) -> bool:
        kind = kinds.get(place.concept) or place.concept.partition("/")[0]
        there = spans.get((place.accession, kind), [])
        return not any(s <= place.end and place.start <= e for s, e in there)

    return silent


def by_chance(
    proteins: Sequence[Protein],
    lengths: Mapping[str, int],
    silent: Silent,
    rng: random.Random,
) -> list[Place]:
    """Draw concepts and places of their typical lengths, as many as are looked at."""
    names, places = sorted(lengths), list[Place]()
    for _ in range(20 * max(TOPS)):
        protein, concept = rng.choice(proteins), rng.choice(names)
        length = min(lengths[concept], len(protein))
        start = rng.randint(1, len(protein) - length + 1)
        place = Place(protein.accession, start, start + length - 1, concept)
        if silent(place):
            places.append(place)
        if len(places) == max(TOPS):
            break
    return places


def chance_figures(
    proteins: Sequence[Protein],
    lengths: Mapping[str, int],
    silent: Silent,
    truth: Truth,
    kinds: Collection[str],
    *,
    clusters: Mapping[str, str],
    seed: int,
) -> dict[str, object]:
    """Precision and recall by chance: means over draws, and intervals over draws and clusters."""
    rng, weights = random.Random(seed), np.random.default_rng(seed)
    drawn = [
        judge(by_chance(proteins, lengths, silent, rng), truth, kinds, clusters)
        for _ in range(DRAWS)
    ]
    told: dict[str, object] = {"concepts": sorted(lengths)[:3], "draws": DRAWS}
    for top in TOPS:
        count = drawn[0].clusters
        point = np.array([d.at(top, np.ones(count)) for d in drawn])
        many = np.array([
            d.at(top, np.bincount(weights.integers(0, count, count), minlength=count))
            for d in drawn
        ])  # fmt: skip
        for number, what in enumerate(("precision", "recall")):
            told[f"{what}_at_{top}"] = shown(float(np.nanmean(point[:, number])))
            ends = np.nanpercentile(many[:, number], [2.5, 97.5])
            told[f"{what}_at_{top}_interval"] = [shown(float(e)) for e in ends]
    return told


def typical_lengths(rows: pl.DataFrame) -> dict[str, int]:
    """Find the median length of each concept, in residues."""
    lengths = rows.select("concept", length=pl.col("end") - pl.col("start") + 1)
    return {
        str(concept): int(median(group["length"]))
        for (concept,), group in lengths.sort("concept").group_by("concept", maintain_order=True)
    }


def commonest(rows: pl.DataFrame, *, by_residues: bool) -> str:
    """Find the concept of most annotations, or of most annotated residues."""
    size = (pl.col("end") - pl.col("start") + 1).sum() if by_residues else pl.len()
    counted = rows.group_by("concept").agg(size=size)
    return counted.sort("size", "concept", descending=[True, False])["concept"][0]
