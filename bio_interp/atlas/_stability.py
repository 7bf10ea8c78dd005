"""Write into an atlas which of its features SAEs of other seeds find again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from bio_interp.atlas._filled import fill_columns, find_features

if TYPE_CHECKING:
    from bio_interp.sae import SparseAutoencoder


def write_stability(folder: Path, others: Sequence[SparseAutoencoder]) -> None:
    """Fill the columns ``stability, stability_null, seeds`` of an atlas's ``features.parquet``.

    Parameters
    ----------
    folder
        Of the atlas.
    others
        SAEs trained like that of the atlas from other seeds; see `bio_interp.sae.seed_stability`.

    Raises
    ------
    NotFoundError
        The atlas was packed without ``features.parquet``.
    InputError, MismatchError
        See `bio_interp.sae.seed_stability`.
    """
    from bio_interp.sae import SparseAutoencoder, seed_stability

    path = find_features(folder)
    found = seed_stability(SparseAutoencoder.load(folder), others)
    columns = (
        pl.Series("stability", found.score.numpy(), dtype=pl.Float32),
        pl.lit(found.chance, dtype=pl.Float32).alias("stability_null"),
        pl.lit(found.seeds, dtype=pl.Int32).alias("seeds"),
    )
    fill_columns(path, len(found.score), columns)
