"""The SAE of an atlas and its baselines on sets that label every residue."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
from _sets import SETS, LabelledSet, read_set
from _settings import LONGEST, Settings, drawn_at, stage
from _split import Placed, place_sets, split_of

from bio_interp.activations import ActivationStore
from bio_interp.annotations import AnnotationTable
from bio_interp.atlas import Atlas, load_atlas
from bio_interp.benchmarking import BenchSettings, BenchTable, Rows, bench
from bio_interp.errors import InputError
from bio_interp.linking.statistics import MIN_TEST_CLUSTERS
from bio_interp.models import LanguageModel, LoadOptions
from bio_interp.provenance import write_json
from bio_interp.sequences import Protein, Split

MIN_SELECT = 5
EXPOSURE = {
    "reference": "unseen by the model, the SAE and the links: no relative that the search finds is "
    "in a cluster that any of them was trained on",
    "unirep": "unseen by the SAE and the links; UniRep was trained on UniRef50 and has probably "
    "seen these proteins or relatives of them",
}
_CONCEPT = ("source", "score", "concept", "name", "feature", "f1", "low", "high", "precision",
            "recall", "prevalence", "select_f1", "auroc", "average_precision", "test_clusters",
            "q")  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """The proteins of a set that are measured."""

    one: LabelledSet
    split: Split
    proteins: Sequence[Protein]
    went: Mapping[str, int]
    too_long: int


Measure = Callable[[Drawn, Rows, str, AnnotationTable], dict[str, Any]]


def residue_sets(settings: Settings) -> dict[str, Any]:
    """Measure every model on every set: ``{model: {set: figures}}``."""

    def measure(atlas: Atlas) -> Measure:
        return lambda drawn, rows, _, table: _figures(atlas, drawn, rows, table, settings)

    return {
        name: over_sets(name, settings, "atlas", load_model, measure(atlas_of(name)))
        for name in settings.models
    }


@cache
def atlas_of(name: str) -> Atlas:
    """Load the atlas of a model."""
    return load_atlas(name, options=LoadOptions(device="cpu"))


def load_model(name: str) -> LanguageModel:
    """Take the model of an atlas."""
    return atlas_of(name).model


def over_sets(
    name: str,
    settings: Settings,
    part: str,
    model: Callable[[str], LanguageModel],
    measure: Measure,
) -> dict[str, Any]:
    """Harvest and measure each set; what is finished is kept as a JSON file a set.

    Parameters
    ----------
    name
        Of the atlas.
    settings
        Sizes and folders.
    part
        Folder below the one of the set.
    model
        Gives what reads the proteins.
    measure
        Gives the figures of a set at one level of evidence.
    """
    found = dict[str, Any]()
    for drawn in draw_all(settings, name):
        folder = settings.work / name / drawn.one.name / part
        for table_name, table in drawn.one.tables.items():
            path = folder / f"{table_name}.json"
            if not path.is_file() and settings.finished:
                continue
            if not path.is_file():
                seconds = dict[str, float]()
                with stage(f"{name} {part} {drawn.one.name}: harvest", seconds):
                    rows = harvest(drawn, model(name), atlas_of(name).site, folder)
                with stage(f"{name} {part} {table_name}: bench", seconds):
                    figures = _measured(measure, drawn, rows, table_name, table)
                write_json(path, {**figures, "seconds": seconds})
            found[table_name] = in_short(json.loads(path.read_text()))
        for dense in () if settings.finished else (folder / "sources").glob("*.npy"):
            dense.unlink()  # as large as the harvest, and quickly made again
    return found


def _measured(
    measure: Measure, drawn: Drawn, rows: Rows, name: str, table: AnnotationTable
) -> dict[str, Any]:
    try:
        return measure(drawn, rows, name, table)
    except InputError as error:
        return {"title": drawn.one.title, "not_measured": str(error)}


@cache
def draw_all(settings: Settings, model: str) -> list[Drawn]:
    """Read, place and draw the sets."""
    names = settings.sets or tuple(SETS)
    sets = [read_set(name, settings) for name in names]
    placed = place_sets(sets, settings)
    return [draw(one, placed.get(one.name, {}), settings.sizes(model).residues) for one in sets]


def draw(one: LabelledSet, placed: Mapping[str, Placed], residues: int) -> Drawn:
    """Draw proteins of select and of test, up to so many residues of each."""
    split, went = split_of(one, placed)
    lengths = {p.accession: len(p) for p in one.proteins}
    known = [p for p in one.proteins if p.accession in split]
    fitting = [p for p in known if len(p) <= LONGEST]
    order = sorted(fitting, key=lambda p: (p.accession not in one.first, drawn_at(p.sequence)))
    have, chosen = {"select": 0, "test": 0}, list[Protein]()
    for protein in order:
        fold = split.fold(protein.accession)
        if have[fold] + lengths[protein.accession] <= residues:
            have[fold] += lengths[protein.accession]
            chosen.append(protein)
    return Drawn(one, split, chosen, went, len(known) - len(fitting))


def harvest(drawn: Drawn, model: LanguageModel, site: str, folder: Path) -> Rows:
    """Read the proteins, or find them read."""
    info, proteins = model.info, drawn.proteins
    settings = {"model.site": site, "model.weights_sha256": info.weights_sha256}
    store = ActivationStore.create(
        folder / "activations", proteins, d_model=info.sites[site], settings=settings
    )
    store.harvest(model, site, {p.accession: p for p in proteins})
    sequences = {p.accession: p.sequence for p in proteins}
    return Rows([store], frozenset(sequences), sequences, folder / "sources")


def _figures(
    atlas: Atlas, drawn: Drawn, rows: Rows, table: AnnotationTable, settings: Settings
) -> dict[str, Any]:
    asked = BenchSettings(min_select=MIN_SELECT, null=settings.null, seed=settings.seed)
    found = bench(rows, atlas.sae, table, drawn.split, asked)
    return {
        "title": drawn.one.title,
        "exposure": EXPOSURE.get(atlas.name, "not known"),
        "pool": dict(drawn.went),
        "too_long": drawn.too_long,
        "left_out": {why: count for why, count in drawn.one.left_out.items() if count},
        "facts": dict(found.facts),
        "summary": plain(found.summary.drop("protocol")),
        "sae_minus": plain(found.paired),
        "concepts": concepts(found.rows),
        "evidence": evidence(found),
    }


def concepts(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Keep testable concepts: all scores of the SAE, and the residue F1 of the others."""
    testable = pl.col("test_clusters") >= MIN_TEST_CLUSTERS
    shown = (pl.col("source").is_in(["sae", "twin"])) | (pl.col("score") == "residue")
    return plain(rows.filter(testable & shown).select(_CONCEPT))


def in_short(figures: dict[str, Any]) -> dict[str, Any]:
    """Leave out concepts' rows that no one looks up; the summary is of all."""
    shown = {("sae", score) for score in ("residue", "locator", "family_marker")}
    shown |= {("neurons", "residue"), ("twin", "residue")}
    rows = figures.get("concepts", [])
    return {**figures, "concepts": [r for r in rows if (r["source"], r["score"]) in shown]}


def evidence(found: BenchTable) -> list[dict[str, Any]]:
    """Sum up what each level of evidence, and all stronger ones, leave in test."""
    in_test = found.evidence.filter(pl.col("fold") == "test")
    left = in_test.group_by("level", maintain_order=True).agg(
        pl.col("positives").sum(),
        concepts=(pl.col("positives") > 0).sum(),
        testable=pl.col("testable").sum(),
    )
    return left.to_dicts()


def plain(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """Make records for JSON, which has no NaN."""
    kept = frame.with_columns(pl.col(pl.Float64, pl.Float32).fill_nan(None).round(4))
    return kept.to_dicts()
