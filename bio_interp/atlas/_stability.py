"""Write into an atlas which of its features SAEs of other seeds find again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from bio_interp.errors import MismatchError, NotFoundError
from bio_interp.provenance import atomic_path

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

    path = folder / "features.parquet"
    if not path.is_file():
        raise NotFoundError(
            "an atlas with features.parquet",
            f"{folder} without it",
            "Write it: write_features.",
        )
    found = seed_stability(SparseAutoencoder.load(folder), others)
    features = pl.read_parquet(path, glob=False).sort("feature")
    if features.height != len(found.score):
        raise MismatchError(
            f"a row for each of the {len(found.score)} features of the SAE",
            f"{features.height} rows in {path}",
            "Write it again with write_features, from the codes of this SAE.",
        )
    added = features.with_columns(
        pl.Series("stability", found.score.numpy(), dtype=pl.Float32),
        pl.lit(found.chance, dtype=pl.Float32).alias("stability_null"),
        pl.lit(found.seeds, dtype=pl.Int32).alias("seeds"),
    )
    with atomic_path(path) as temporary:
        added.write_parquet(temporary, compression="zstd", compression_level=19)
