"""What pages of features, concepts and proteins show, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bio_interp.render import concept_color
from bio_interp.reports._tracks import call_group, describe, heat_cells, ruler_ticks

if TYPE_CHECKING:
    from bio_interp.atlas import AtlasConcept, AtlasFeature, Call, FeatureTrack, Logo, ProteinView
    from bio_interp.features import FeatureConcept

FEATURE_COLUMNS = (
    *("name", "concept", "type", "f1", "concepts", "density", "proteins", "maximum"),
    *("extent", "motif", "clusters", "stability"),
)
CONCEPT_COLUMNS = ("id", "name", "level", "world", "feature", "type", "f1", "low", "more")
PROTEIN_COLUMNS = ("accession", "length", "status", "calls", "features", "record")
_MEASURED = ("density", "proteins", "maximum", "extent", "clusters", "stability")
_LOWEST = 0.03  # bits; lower letters of a logo cannot be seen


def feature_record(feature: AtlasFeature) -> dict[str, Any]:
    """Give what the page of a feature shows."""
    record = feature.to_dict()
    logo = feature.logo
    return {
        **record,
        "portrait": feature.portrait,
        "logo": logo and _stacks(logo, record["logo"]["letters"]),
    }


def feature_row(feature: AtlasFeature, named: Mapping[int, FeatureConcept]) -> dict[str, Any]:
    """Give what the table of features shows: columns `FEATURE_COLUMNS`."""
    known, name = feature.statistics, named.get(feature.index)
    fires = bool(known.get("proteins"))
    row = {column: known.get(column) if fires else None for column in _MEASURED}
    row |= {column: known.get(column) for column in ("density", "proteins", "extent")}
    concepts = sorted({*feature.links["concept"], *feature.calls["concept"]})
    return {
        **row,
        "name": name and (name.name or name.concept),
        "concept": name and name.concept,
        "type": name and name.link_type,
        "f1": name and name.test_f1,
        "concepts": concepts,
        "motif": known.get("consensus"),
    }


def concept_row(concept: AtlasConcept) -> dict[str, Any]:
    """Give what the table of concepts shows: columns `CONCEPT_COLUMNS`.

    Its link is the one of highest F1 on the select fold; what it reached on test stands beside it.
    """
    best = concept.links.sort("select_f1", descending=True).head(1).to_dicts()
    link = best[0] if best else {}
    more = [*(m for pair in concept.members for m in pair), *(concept.facts.get("xrefs") or ())]
    return {
        "id": concept.concept,
        "name": concept.name or "",
        "level": concept.facts["level"],
        "world": concept.facts["world"],
        "feature": link.get("feature"),
        "type": link.get("link_type"),
        "f1": link.get("test_f1"),
        "low": concept.best_low if concept.curve.height else None,
        "more": " ".join(more),
    }


def protein_record(view: ProteinView) -> dict[str, Any]:
    """Give what the page of a protein shows: calls, and how the features behind them fire."""
    result = view.result
    tracks = [_track(t, concept) for concept, group in view.behind.items() for t in group]
    return {
        **asdict(result.protein),
        "calls": [_call(call, view.atlas) for call in result.calls],
        "sequence": view.protein.sequence,
        "ticks": ruler_ticks(max(1, len(view.protein))),
        "tracks": [*tracks, *(_track(t, "") for t in view.others)],
    }


def _call(call: Call, atlas: str) -> dict[str, Any]:
    return {
        **asdict(call),
        "features": [f"{atlas}/f{f}" for f in call.features],
        "words": describe(call),
        "group": call_group(call.concept),
        "color": concept_color(call.concept),
    }


def _track(track: FeatureTrack, concept: str) -> dict[str, Any]:
    peak = int(track.values.argmax())
    return {
        "feature": track.feature,
        "concept": concept,
        "color": concept_color(concept or f"feature:{track.feature}"),
        "peak": float(track.values[peak]),
        "position": peak + 1,
        "maximum": track.maximum,
        "cells": heat_cells(track.values),
    }


def _stacks(logo: Logo, letters: str) -> dict[str, Any]:
    """Give the letters of each position, the lowest first, and their heights in bits."""
    heights = logo.probabilities * logo.information[:, None]
    columns: list[tuple[str, list[float]]] = []
    for column in heights:
        order = [i for i in column.argsort(kind="stable").tolist() if column[i] >= _LOWEST]
        columns.append(("".join(letters[i] for i in order), column[order].round(2).tolist()))
    return {
        "consensus": logo.consensus,
        "bits": float(logo.information.sum()),
        "windows": logo.windows,
        "columns": columns,
    }
