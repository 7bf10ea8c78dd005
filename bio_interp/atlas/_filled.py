"""Fill columns of an atlas's ``features.parquet`` that are measured after it was packed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from bio_interp.errors import MismatchError, NotFoundError
from bio_interp.provenance import atomic_path


def find_features(folder: Path) -> Path:
    """Find ``features.parquet``; `NotFoundError` where an atlas was packed without."""
    path = folder / "features.parquet"
    if not path.is_file():
        raise NotFoundError(
            "an atlas with features.parquet",
            f"{folder} without it",
            "Write it: write_features.",
        )
    return path


def fill_columns(path: Path, width: int, columns: Iterable[pl.Series | pl.Expr]) -> None:
    """Write columns, a value a feature in their order, into ``features.parquet``.

    Raises
    ------
    MismatchError
        It has not a row for each of the `width` features of the SAE.
    """
    features = pl.read_parquet(path, glob=False).sort("feature")
    if features.height != width:
        raise MismatchError(
            f"a row for each of the {width} features of the SAE",
            f"{features.height} rows in {path}",
            "Write it again with write_features, from the codes of this SAE.",
        )
    with atomic_path(path) as temporary:
        features.with_columns(columns).write_parquet(
            temporary, compression="zstd", compression_level=19
        )
