"""The tables that hold the features of an atlas, read for one feature or for all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from bio_interp.atlas._examples import EXAMPLES
from bio_interp.atlas._feature import AtlasFeature, parse_address
from bio_interp.atlas._statistics import FEATURES
from bio_interp.errors import InputError, NotFoundError

if TYPE_CHECKING:
    from bio_interp.atlas._atlas import Atlas


_OWNED = ("calls", "cofires")  # tables that lose the column of their feature


def read_feature(atlas: Atlas, feature: int | str) -> AtlasFeature:
    """Gather what an atlas knows of a feature; see `Atlas.feature`."""
    index = _index(atlas, feature)
    own = {n: frame.filter(pl.col("feature") == index) for n, frame in _read(atlas).items()}
    own |= {name: own[name].drop("feature") for name in _OWNED}
    return _put_together(atlas, index, own)


def each_feature(atlas: Atlas) -> Iterator[AtlasFeature]:
    """Look at all features of an atlas, in order; its tables are read once.

    Each is what `Atlas.feature` gives. Neither the model nor the SAE is loaded.
    """
    tables = _read(atlas)
    parts = {
        name: frame.partition_by("feature", as_dict=True, include_key=name not in _OWNED)
        for name, frame in tables.items()
    }
    empty = {n: f.drop("feature" if n in _OWNED else []).clear() for n, f in tables.items()}
    for index in range(_width(atlas)):
        own = {name: parts[name].get((index,), empty[name]) for name in tables}
        yield _put_together(atlas, index, own)


def _put_together(atlas: Atlas, index: int, own: dict[str, pl.DataFrame]) -> AtlasFeature:
    rows = own["statistics"].to_dicts()
    return AtlasFeature(
        address=f"{atlas.name}/f{index}",
        index=index,
        links=own["links"],
        calls=own["calls"],
        statistics=rows[0] if rows else {},
        examples=own["examples"],
        cofires=own["cofires"].rename({"partner": "feature"}),
        atlas=atlas,
    )


def _read(atlas: Atlas) -> dict[str, pl.DataFrame]:
    """Read what `AtlasFeature` holds, of all features; each table has a column ``feature``."""
    features = _optional(atlas, "features", FEATURES)
    best = ("test_f1", "concept", "link_type")
    return {
        "links": atlas.links.links.sort(*best, descending=[True, False, False]),
        "calls": _calls(atlas),
        "statistics": features.drop("cofires", "cofire_share"),
        "examples": _optional(atlas, "examples", EXAMPLES).sort("rank"),
        "cofires": _cofires(atlas, features),
    }


def _index(atlas: Atlas, feature: int | str) -> int:
    if isinstance(feature, str):
        parsed = parse_address(feature) or ((None, int(feature)) if feature.isdecimal() else None)
        if parsed is None or parsed[0] not in (None, atlas.name):
            raise InputError(
                f"a feature of this atlas, such as 1234 or '{atlas.name}/f1234'",
                repr(feature),
                "Open the atlas that the address names, or leave its name out.",
            )
        feature = parsed[1]
    width = _width(atlas)
    if not 0 <= feature < width:
        raise NotFoundError(
            f"a feature of the atlas {atlas.name!r}: f0 to f{width - 1}",
            f"f{feature}",
            "Choose one of those.",
        )
    return int(feature)


def _width(atlas: Atlas) -> int:
    """Read the number of features without loading the SAE (and so torch)."""
    path = atlas.folder / "sae.json"
    try:
        return int(json.loads(path.read_text(encoding="utf-8"))["config"]["d_sae"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "sae.json of the atlas, with config.d_sae", f"{path}: {error!r}", "Fetch it anew."
        ) from error


def _calls(atlas: Atlas) -> pl.DataFrame:
    names = atlas.links.concepts.select("concept", "name")
    return (
        atlas.links.callers.join(names, on="concept", how="left")
        .select("feature", "concept", "name", pl.col("threshold").cast(pl.Float64))
        .sort("concept")
    )


def _cofires(atlas: Atlas, features: pl.DataFrame) -> pl.DataFrame:
    """Features that fire together, with the concepts that they call or are linked with."""
    columns = ("partner", "share")
    pairs = features.select("feature", partner="cofires", share="cofire_share").explode(columns)
    callers, links = atlas.links.callers, atlas.links.links
    known = pl.concat([frame.select("feature", "concept") for frame in (callers, links)]).unique()
    concepts = known.sort("concept").group_by("feature").agg(concepts="concept")
    joined = pairs.drop_nulls().join(
        concepts, left_on="partner", right_on="feature", how="left", maintain_order="left"
    )
    empty = pl.lit([], dtype=pl.List(pl.String))
    filled = joined.with_columns(
        pl.col("share").cast(pl.Float64), pl.col("concepts").fill_null(empty)
    )
    return filled.sort("share", descending=True, maintain_order=True)


def _optional(atlas: Atlas, name: str, schema: dict[str, Any]) -> pl.DataFrame:
    path = atlas.folder / f"{name}.parquet"
    return pl.read_parquet(path) if path.is_file() else pl.DataFrame(schema=schema)
