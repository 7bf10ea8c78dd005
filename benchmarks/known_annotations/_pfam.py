"""Pfam families: an SAE of UniRep-1900, a sketch of one, and the model's own neurons.

Two questions. *Universe*: 60 proteins of up to 450 residues of every family that has so many,
members only, a quarter of the proteins unseen by SAE and choice. *Strict*: all families and groups,
false positives over scanned proteins of the whole corpus, on the folds of the frozen split. The
labels are those of the profile search (Pfam, gathering thresholds), which is the better tool for
finding families.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
from _families import FULL, QUICK, Universe, draw_families, hashed
from _residue_sets import plain
from _settings import SPLIT, Settings

from bio_interp.activations import ActivationStore
from bio_interp.annotations import AnnotationTable
from bio_interp.benchmarking import (
    BenchSettings,
    Rows,
    bench,
    compare,
    make_source,
    measure,
    summarise,
)
from bio_interp.building._parts import SamplePart
from bio_interp.building._sample import Sampler, load_draw, save_draw, weights
from bio_interp.linking import lay_labels
from bio_interp.provenance import write_json
from bio_interp.sae import SparseAutoencoder
from bio_interp.sequences import Protein, Split

SHARE = 0.05  # of the residues where neurons are tried: no family fills more than 1 %
_LOG = logging.getLogger("known_annotations")


def pfam(settings: Settings) -> dict[str, Any]:
    """Measure both questions; one that is measured is taken from the work folder."""
    sizes = QUICK if settings.quick else FULL
    if sizes.model not in settings.models:
        return {}
    universe = Universe(settings.shared, settings.work / "pfam", Split.load(SPLIT), sizes)
    if settings.finished:
        return _read(universe)
    proteins = universe.proteins()
    table = universe.table(proteins)
    families, members = draw_families(table, proteins, sizes)
    quarter = {a for a in members if int(hashed("quarter" + a)[:8], 16) % 4 == 0}
    store = universe.harvest("activations-universe", [proteins[a] for a in members])
    saes = {
        name: universe.sae(
            f"sae-{name}", store,
            [a for a in members if a not in quarter and universe.split.fold(a) in size.folds], size,
        )
        for name, size in {
            "sketch": sizes.sketch, "ours": sizes.ours, "matryoshka": sizes.matryoshka,
        }.items()
    }  # fmt: skip
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "universe": lambda: _universe(universe, store, saes, table, families, quarter, proteins)
    }
    if sizes.whole:
        parts["strict"] = lambda: _strict(universe, store, saes, table, proteins)
    for name, measured in parts.items():
        path = universe.work / f"{name}.json"
        if not path.is_file():
            write_json(path, measured())
    return _read(universe)


def _read(universe: Universe) -> dict[str, Any]:
    """Read what is measured."""
    paths = (universe.work / f"{name}.json" for name in ("universe", "strict"))
    return {path.stem: json.loads(path.read_text()) for path in paths if path.is_file()}


def _universe(
    universe: Universe,
    store: ActivationStore,
    saes: dict[str, SparseAutoencoder],
    table: AnnotationTable,
    families: dict[str, list[str]],
    quarter: set[str],
    proteins: dict[str, Protein],
) -> dict[str, Any]:
    # a quarter is unseen; features are chosen on as many again and more, a half, to save time
    names = [a for a in store.accessions if a in quarter or int(hashed("half" + a)[:8], 16) % 3 < 2]
    sequences = {a: proteins[a].sequence for a in names}
    folds = {a: "test" if a in quarter else "select" for a in names}
    wanted = pl.Series(list(families), dtype=pl.String).implode()
    some = AnnotationTable(
        table.rows.filter(pl.col("concept").is_in(wanted)), table.coverage, table.concepts
    )
    labels = lay_labels(
        some, names, np.array([len(sequences[a]) for a in names]), folds=folds,
        clusters={a: a for a in names}, min_clusters={"select": 5},
    )  # fmt: skip
    measured = []
    for name in ("ours", "matryoshka", "sketch", "neurons"):
        kind = "sae" if name in saes else name
        rows = Rows([store], frozenset(names), sequences, universe.work / "universe" / name)
        source = make_source(
            kind, rows, saes.get(name, saes["ours"]), set(names) - quarter, dense_share=SHARE
        )
        _LOG.info("universe: %s", name)
        one = measure(source, labels, ("interplm", "residue"))
        measured.append(type(one)(name, one.rows, one.sums, one.screened))
    return {
        "summary": plain(summarise(measured, len(quarter))),
        "ours_minus": plain(compare(measured[0], measured[1:], len(quarter))),
        "all_families": _all_families(measured),
        "families": len(families),
        "proteins": len(names),
        "residues": sum(map(len, sequences.values())),
        "test_proteins": len(quarter),
    }


def _all_families(measured: Sequence[Any]) -> dict[str, Any]:
    """Give the sketch's own figures: over all families, also those of few test proteins."""
    found: dict[str, Any] = {}
    for one in measured:
        for (score,), part in one.rows.group_by("score"):
            found[f"{one.name}_{score}"] = {
                "above_half": int((part["f1"] > 0.5).sum()),
                "families": part.height,
                "mean_f1": round(float(part["f1"].mean()), 4),
            }
    return found


def _strict(
    universe: Universe,
    store: ActivationStore,
    saes: dict[str, SparseAutoencoder],
    table: AnnotationTable,
    proteins: dict[str, Protein],
) -> dict[str, Any]:
    part = SamplePart(
        fit_residues=1, longest=1022, families=("pfam",), background=0.2, members=1, common=5,
        seed="known annotations 1",
    )  # fmt: skip
    path = universe.work / "strict.tsv"
    if not path.is_file():
        save_draw(Sampler(proteins, universe.split, part).draw(table, fit=False), path)
    drawn = [d for d in load_draw(path) if d.fold in ("select", "test")]
    here = set(store.accessions)
    extra = [proteins[d.accession] for d in drawn if d.accession not in here]
    stores = [store, universe.harvest("activations-strict", extra)]
    names = frozenset(d.accession for d in drawn)
    sequences = {a: proteins[a].sequence for a in names}
    found: dict[str, Any] = {}
    for name, baselines in {"ours": ("neurons", "kmers"), "matryoshka": (), "sketch": ()}.items():
        rows = Rows(stores, names, sequences, universe.work / "strict" / name)
        settings = BenchSettings(
            baselines, interplm=False, dense_share=SHARE, null=99 if baselines else 0
        )
        _LOG.info("strict: %s", name)
        result = bench(rows, saes[name], table, universe.split, settings, weights=weights(drawn))
        result.rows.write_parquet(universe.work / f"strict-{name}.parquet")
        found[name] = {"facts": dict(result.facts), **result.summed_up()}
    return found
