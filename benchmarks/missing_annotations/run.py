"""Annotations that a database misses: does `suggest` find them? Beside best hits and chance.

By hiding: every annotation of the curated kinds is taken from a quarter of the homology clusters,
before features are linked and calls calibrated, so that they look like proteins without any; then
the suggestions for them are compared with what was hidden. In time: links, calibration and
suggestions are made with the yeast annotations of about 2020, and compared with what UniProt has
added by 2025. The SAE is that of the atlas; it saw no annotation, and by hiding none of the
proteins. Codes wait in the temporary folder for the next run.
"""

import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import polars as pl
from _baselines import (
    best_hits,
    chance_figures,
    commonest,
    silent_where,
    transfer,
    typical_lengths,
)
from _data import (
    KINDS,
    Universe,
    added_since,
    backed_kinds,
    codes,
    draw_clusters,
    newest,
    of_2020,
    of_2025,
    universe,
    with_levels,
    without,
)
from _harness import finish, parse, record
from _score import Place, Truth, judge
from _stored import relink

from bio_interp.annotations import AnnotationTable
from bio_interp.atlas import load_atlas
from bio_interp.discovery import suggest
from bio_interp.features import FeatureStore
from bio_interp.sequences import Protein

SHARE = 0.25  # of clusters that are hidden


@dataclass(frozen=True)
class Check:
    """What one check looks at.

    Attributes
    ----------
    known
        What the database has.
    truth
        What it misses: rows with ``kind`` and ``level``.
    asked
        Proteins that suggestions are made for.
    others
        Proteins whose annotations may be carried over.
    """

    known: AnnotationTable
    truth: pl.DataFrame
    asked: Sequence[Protein]
    others: Sequence[Protein]
    clusters: Mapping[str, str]


def main() -> None:
    options = parse(__doc__)
    logging.getLogger("bio_interp_uniprot").setLevel(logging.ERROR)
    name = "reference" if options.quick else "unirep"
    atlas, world = load_atlas(name), universe()
    if options.quick:
        world = world.part(150)
    store = codes(atlas, world.encoded())
    backed = backed_kinds(of_2025())
    figures: dict[str, Any] = {"atlas": name, "kinds": sorted(KINDS), "backed": sorted(backed)}
    checks = {"in_time": in_time(world), "hiding": hiding(world, options.seed)}
    for title, check in checks.items():
        print(title, file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            relinked = relink(atlas, store, check.known, world.split, Path(folder) / "atlas")
            found = suggest(relinked, check.asked, check.known, min_precision=0.0)
            table = found.frame()
            concepts = relinked.links.concepts
        told = {"counts": found.tally.to_dict(), **compare(check, table, concepts, backed, options)}
        figures[title] = {**facts(check, store, world), **told}
    packages = ("bio-interp", "torch", "pyhmmer")
    finish(record("missing_annotations", options, figures, packages=packages), options)


def hiding(world: Universe, seed: int) -> Check:
    """Hide the curated kinds in a quarter of the clusters, in every member of them."""
    table, drawn = newest(), draw_clusters(world, SHARE, seed)
    cluster = world.split.cluster
    hidden = {name for name in world.proteins if cluster(name) in drawn}
    asked = [world.proteins[name] for name in world.hiding if name in hidden]
    names = {p.accession for p in asked}
    return Check(
        known=without(table, hidden),
        truth=with_levels(table).filter(pl.col("accession").is_in(names)),
        asked=asked,
        others=[p for name, p in world.proteins.items() if name not in hidden],
        clusters={name: cluster(name) for name in names},
    )


def in_time(world: Universe) -> Check:
    """Know yeast as of 2020; what was added by 2025 is true.

    Added is what has no annotation of its kind on any of its residues in 2020.
    """
    old, new = of_2020(), of_2025()
    asked = [world.proteins[name] for name in world.in_time]
    names = {p.accession for p in asked}
    annotated = set(old.rows["accession"])
    return Check(
        known=old,
        truth=added_since(old, new, names),
        asked=asked,
        others=[p for name, p in world.proteins.items() if name in annotated],
        clusters={name: world.split.cluster(name) for name in names},
    )


def facts(check: Check, store: FeatureStore, world: Universe) -> dict[str, Any]:
    """Count what there is to find."""
    own = check.truth.filter(pl.col("concept") == pl.col("kind"))
    counted = own.filter(pl.col("level") != "sequence_model")
    encoded = dict(zip(store.accessions, store.lengths.tolist(), strict=True))
    return {
        "proteins_encoded": len(encoded),
        "residues_encoded": sum(encoded.values()),
        "proteins_asked": len(check.asked),
        "clusters_asked": len(set(check.clusters.values())),
        "asked_by_fold": dict(Counter(world.split.fold(p.accession) for p in check.asked)),
        "true_annotations": counted.height,
        "left_out_as_sequence_models": own.height - counted.height,
        "true_by_kind": dict(counted["kind"].value_counts().sort("kind").iter_rows()),
        "true_by_evidence": dict(counted["level"].value_counts().sort("level").iter_rows()),
    }


def compare(
    check: Check,
    table: pl.DataFrame,
    concepts: pl.DataFrame,
    backed: frozenset[str],
    options: Any,
) -> dict[str, Any]:
    """Judge suggestions and baselines, for all curated kinds and for the backed ones."""
    sites = set(concepts.filter(pl.col("level") == "residue")["concept"])
    sites |= set(check.known.concepts.filter(pl.col("level") == "residue")["concept"]) - set(
        concepts["concept"]
    )
    kind_of = dict(check.known.concepts.select("concept", "kind").iter_rows())
    truth = Truth.of(check.truth, sites)
    silent = silent_where(check.known)
    rows = with_levels(check.known)
    hits = best_hits(check.asked, check.others, options.threads)
    lists = {
        "suggest": [Place(*r) for r in table.select("accession", "start", "end", "concept").rows()],
        "best_hit": transfer(hits, rows, silent),
        "best_hit_by_score": transfer(hits, rows, silent, by_score=True),
    }
    told: dict[str, Any] = {"best_hits": len(hits), "concepts_known": concepts.height}
    for title, kinds in (("curated", KINDS), ("backed", backed)):
        own = {n: [p for p in ps if kind_of.get(p.concept) in kinds] for n, ps in lists.items()}
        judged = {n: judge(places, truth, kinds, check.clusters) for n, places in own.items()}
        told[title] = {name: ranked.figures(options.seed) for name, ranked in judged.items()}
        told[title] |= chances(check, rows, truth, silent, kinds, seed=options.seed)
        told[title]["suggest_top_200_by_kind"] = by_kind(own["suggest"], truth, kind_of)
    return told


def chances(
    check: Check,
    rows: pl.DataFrame,
    truth: Truth,
    silent: Any,
    kinds: Collection[str],
    *,
    seed: int,
) -> dict[str, Any]:
    """Figures of the commonest concept (by annotations, by residues) and of chance."""
    own = rows.filter(pl.col("kind").is_in(set(kinds)))
    lengths = typical_lengths(own)
    lists = {
        "prevalence": {(c := commonest(own, by_residues=False)): lengths[c]},
        "prevalence_by_residues": {(c := commonest(own, by_residues=True)): lengths[c]},
        "random": lengths,
    }
    return {
        name: chance_figures(
            check.asked, chosen, silent, truth, kinds, clusters=check.clusters, seed=seed
        )
        for name, chosen in lists.items()
    }


def by_kind(
    places: Sequence[Place], truth: Truth, kind_of: Mapping[str, str]
) -> dict[str, dict[str, int]]:
    """Count the 200 best suggestions and those that are right, by kind."""
    counted: dict[str, dict[str, int]] = {}
    for place in [p for p in places if not truth.is_ignored(p)][:200]:
        kind = counted.setdefault(kind_of[place.concept], {"suggested": 0, "right": 0})
        kind["suggested"] += 1
        kind["right"] += bool(truth.hits(place))
    return dict(sorted(counted.items()))


if __name__ == "__main__":
    main()
