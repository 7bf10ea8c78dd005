"""Features for a concept, words, a motif or a table of spans."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from bio_interp.annotations import AnnotationTable
from bio_interp.atlas import marked_window, peak_window
from bio_interp.discovery._concepts import motif_table, spans_table
from bio_interp.discovery._engine import FEWEST, Pick, Searched
from bio_interp.discovery._found import FOUND, NEGATIVES, Found
from bio_interp.discovery._halves import Half, cluster_proteins, deal_halves
from bio_interp.discovery._measured import measure, negatives
from bio_interp.discovery._read import GivenProteins, Tick
from bio_interp.discovery._spans import GivenSpans, read_spans
from bio_interp.errors import InputError
from bio_interp.features import FeatureStore, encode_each
from bio_interp.linking.statistics import benjamini_hochberg
from bio_interp.sequences import Protein, Split, as_proteins

if TYPE_CHECKING:
    from bio_interp.atlas import Atlas


@dataclass(frozen=True, slots=True)
class FindOptions:
    """How features for a motif or spans are found.

    Attributes
    ----------
    features
        So many of each link type.
    negatives
        So many places a feature where it fires outside of the spans.
    permutations
        Rotations of the spans that the hits are compared with.
    seed
        Of the halves and the rotations.
    """

    features: int = 3
    negatives: int = 10
    permutations: int = 999
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("features", "permutations"):
            if getattr(self, name) < 1:
                got = f"{name}={getattr(self, name)}"
                raise InputError("features and permutations of 1 or more", got, "Ask for more.")
        if self.negatives < 0:
            raise InputError("0 negatives or more", str(self.negatives), "Ask for 0 or more.")


_DEFAULTS = FindOptions()


def find(
    atlas: Atlas,
    query: str | GivenSpans,
    *,
    proteins: GivenProteins | None = None,
    split: Split | None = None,
    options: FindOptions = _DEFAULTS,
    tick: Tick = lambda _: None,
) -> Found:
    """Find features for a concept or words, or, in proteins, for a motif or spans.

    Without proteins, the query is looked up among the concepts that the atlas knows
    (`Atlas.find`). With proteins, each one is read by the model, homology clusters are dealt into
    two halves (of equally many clusters with spans), feature and threshold are chosen on one, and
    the other one is reported, with the places where the feature fires though no span is there.

    Parameters
    ----------
    atlas
        Model, features and links.
    query
        An id, a name or words; with proteins a motif (see `motif_table`), or spans: a file or
        tuples, see `read_spans`. Spans of one label are one concept.
    proteins
        Where the motif is searched, or whose spans they are. Residues outside of the spans count
        as negatives, also in proteins without any.
    split
        Where the clusters come from; made from the proteins where None. With a split, proteins of
        its test fold are the half that is reported, and all others the half that is chosen on.
    options
        How many features and negatives; seed.
    tick
        Called with the number of proteins read.

    Raises
    ------
    NotFoundError
        No concept fits.
    InputError
        Fewer than 3 clusters of a half bear the motif or spans; or a query that needs proteins.
    AnnotationError
        A motif or span is malformed.
    """
    if proteins is None:
        text = _text(query)
        facts = {"query": text, "kind": "concept"}
        return Found(atlas.name, facts, atlas.find(text), pl.DataFrame(schema=NEGATIVES))
    given = list(as_proteins(proteins))
    if isinstance(query, str) and not _is_file(query):
        table, name = motif_table(query, given), query
    else:
        table, name = spans_table(read_spans(query), given), _named(query)
    names, method = cluster_proteins(given, split)
    clusters = dict(zip((p.accession for p in given), names, strict=True))
    halves = _halves(table, clusters, split, options.seed)
    _refuse_few(table, clusters, halves)
    with tempfile.TemporaryDirectory(prefix="bio_interp_find_") as folder:
        store = FeatureStore.create(Path(folder), d_sae=atlas.sae.config.d_sae, settings={})
        _fill(store, atlas, given, tick)
        searched = Searched(store, table, clusters, halves, features=options.features)
        found, wrong = _tables(atlas, searched, given, options)
    facts: dict[str, Any] = {"query": name, "kind": "spans", "clusters_by": method}
    facts |= _counts(atlas, table, given, halves)
    facts |= {"permutations": options.permutations, "seed": options.seed}
    return Found(atlas.name, facts, found, wrong)


def _counts(
    atlas: Atlas, table: AnnotationTable, proteins: Sequence[Protein], halves: dict[str, Half]
) -> dict[str, Any]:
    return {
        "proteins": len(proteins),
        "spans": table.rows.height,
        "with_spans": table.rows["accession"].n_unique(),
        "select_clusters": sum(half == "select" for half in halves.values()),
        "test_clusters": sum(half == "test" for half in halves.values()),
        "seen_by_atlas": sum(atlas.pricer.exposure(p.sequence) == "seen" for p in proteins),
    }


def _text(query: Any) -> str:
    if isinstance(query, str) and not _is_file(query) and not query.strip().startswith("/"):
        return query
    raise InputError(
        "proteins in which to look for a motif or spans",
        f"{_named(query)} without any",
        "Give the proteins too (--proteins FASTA), or a concept or words of its name.",
    )


def _is_file(query: str) -> bool:
    try:
        return Path(query).is_file()
    except (OSError, ValueError):
        return False


def _named(query: Any) -> str:
    return str(query) if isinstance(query, str | Path) else "the spans given"


def _fill(store: FeatureStore, atlas: Atlas, proteins: Sequence[Protein], tick: Tick) -> None:
    with store.writer() as writer:
        for number, (accession, codes) in enumerate(encode_each(proteins, atlas), 1):
            writer.add(accession, codes)
            tick(number)


def _halves(
    table: AnnotationTable, clusters: dict[str, str], split: Split | None, seed: int
) -> dict[str, Half]:
    """Deal clusters into halves, those with spans and those without each for themselves."""
    if split:
        return {c: "test" if split.fold(a) == "test" else "select" for a, c in clusters.items()}
    bearing = {clusters[accession] for accession in table.rows["accession"].unique()}
    names = list(clusters.values())
    return deal_halves(names, {name: name in bearing for name in names}, seed)


def _refuse_few(table: AnnotationTable, clusters: dict[str, str], halves: dict[str, Half]) -> None:
    """Refuse a query of which no concept is borne by enough clusters, before anything is read."""
    bearing: dict[tuple[str, Half], set[str]] = {}
    for concept, accession in table.rows.select("concept", "accession").iter_rows():
        cluster = clusters[accession]
        bearing.setdefault((concept, halves[cluster]), set()).add(cluster)
    counts = [
        tuple(len(bearing.get((concept, half), ())) for half in ("select", "test"))
        for concept in table.rows["concept"].unique()
    ]
    if max(map(min, counts), default=0) < FEWEST:
        chosen, other = max(counts, key=min, default=(0, 0))
        raise InputError(
            f"{FEWEST} homology clusters or more with spans in each half",
            f"{chosen} in the half that is chosen on, {other} in the other",
            "Give more proteins, or less alike ones, that have the motif or spans.",
        )


def _tables(
    atlas: Atlas, searched: Searched, proteins: Sequence[Protein], options: FindOptions
) -> tuple[pl.DataFrame, pl.DataFrame]:
    known = atlas.feature_concepts()
    rows: list[dict[str, Any]] = []
    wrong: list[dict[str, Any]] = []
    for pick in searched.picks:
        name, address = known.get(pick.feature), f"{atlas.name}/f{pick.feature}"
        concept = searched.concepts[pick.concept]
        told = {"concept": concept, "link_type": pick.link_type, "feature": address}
        figures = measure(searched, pick, permutations=options.permutations, seed=options.seed)
        rows.append(
            {
                **told,
                "known": name.name if name else "",
                "threshold": pick.threshold,
                "select_f1": pick.select_f1,
                "test_f1": pick.test_f1,
                **figures,
            }
        )
        wrong += [{**told, **row} for row in _places(searched, pick, proteins, options.negatives)]
    for name in ("clusters", "place"):
        tails = [row[f"p_{name}"] for row in rows]
        for row, q in zip(rows, benjamini_hochberg(np.array(tails)), strict=True):
            row[f"q_{name}"] = float(q)
    return pl.DataFrame(rows, schema=FOUND), pl.DataFrame(wrong, schema=NEGATIVES)


def _places(
    searched: Searched, pick: Pick, proteins: Sequence[Protein], most: int
) -> Iterator[dict[str, Any]]:
    """Show the negatives that fire, with the sequence around them."""
    hits = searched.store.feature(pick.feature)
    for row in negatives(searched, pick, most):
        at = row.pop("protein")  # the store has the proteins in the order given
        protein = proteins[at]
        start, activations = peak_window(hits, at, row["position"], len(protein))
        window = protein.sequence[start - 1 : start - 1 + len(activations)]
        marked = marked_window(window, activations, row["position"] - start)
        yield {**row, "accession": protein.accession, "window": marked}
