"""What features mean in space, as a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Shaped
from numpy import ndarray

from bio_interp.linking.spatial._chains import PROPERTIES
from bio_interp.linking.spatial._ground import STATISTICS
from bio_interp.linking.spatial._measure import Measured

SPATIAL: dict[str, Any] = {
    "spatial_fires": pl.Int32,
    "spatial_clusters": pl.Int32,
    "of_spatial_clusters": pl.Int32,
    "distance": pl.Float32,
    "distance_null": pl.Float32,
    "separation": pl.Float32,
    "separation_null": pl.Float32,
    "compact": pl.Float32,
    "compact_p": pl.Float64,
    "compact_q": pl.Float64,
    "beyond": pl.Float32,
    "beyond_p": pl.Float64,
    "beyond_q": pl.Float64,
    "around": pl.List(pl.String),
    "around_clusters": pl.List(pl.Int32),
    "around_share": pl.List(pl.Float32),
    "around_null": pl.List(pl.Float32),
    "around_effect": pl.List(pl.Float32),
    "around_p": pl.List(pl.Float64),
    "around_q": pl.List(pl.Float64),
}


def spatial_table(measured: Measured) -> pl.DataFrame:
    """Lay figures out with a row a feature, in order; columns of `SPATIAL`.

    Lists hold the properties that enough clusters tell of, in the order of `PROPERTIES`.
    """
    distance, beyond, separation = (
        STATISTICS.index(name) for name in ("distance", "beyond", "separation")
    )
    columns: dict[str, Any] = {
        "spatial_fires": measured.fires,
        "spatial_clusters": measured.clusters[:, distance],
        "of_spatial_clusters": np.full(len(measured.fires), measured.chains),
        "distance": measured.observed[:, distance],
        "distance_null": measured.expected[:, distance],
        "separation": measured.observed[:, separation],
        "separation_null": measured.expected[:, separation],
    }
    for name, at in (("compact", distance), ("beyond", beyond)):
        columns[name] = measured.effect[:, at]
        columns[f"{name}_p"], columns[f"{name}_q"] = measured.p[:, at], measured.q[:, at]
    frame = pl.DataFrame(columns).with_columns(pl.all().fill_nan(None))
    return frame.with_columns(**_around(measured)).select(
        pl.col(name).cast(kind) for name, kind in SPATIAL.items()
    )


def _around(measured: Measured) -> dict[str, pl.Series]:
    first = STATISTICS.index(PROPERTIES[0])
    tested = ~np.isnan(measured.p[:, first:])

    def lists(values: Shaped[ndarray, "features properties"], kind: Any) -> pl.Series:
        rows = zip(values, tested, strict=True)
        return pl.Series([row[some].tolist() for row, some in rows], dtype=pl.List(kind))

    names = np.broadcast_to(np.array(PROPERTIES), tested.shape)
    figures = {
        "share": measured.observed,
        "null": measured.expected,
        "effect": measured.effect,
        "p": measured.p,
        "q": measured.q,
    }
    return {
        "around": lists(names, pl.String),
        "around_clusters": lists(measured.clusters[:, first:], pl.Int64),
        **{f"around_{k}": lists(v[:, first:], pl.Float64) for k, v in figures.items()},
    }
