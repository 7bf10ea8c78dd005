"""Write into an atlas what its features mean in space, measured on structures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import polars as pl

from bio_interp.atlas._filled import fill_columns, find_features
from bio_interp.errors import StructureError
from bio_interp.linking.spatial import (
    SHORTEST,
    measure_spatial,
    one_a_cluster,
    spatial_chains,
    spatial_table,
)

if TYPE_CHECKING:
    from bio_interp.atlas._atlas import Atlas
    from bio_interp.sequences import Protein
    from bio_interp.structures import Structure

_log = logging.getLogger(__name__)


def feature_space(
    atlas: Atlas,
    structures: Iterable[Structure],
    *,
    proteins: Iterable[Protein] = (),
    seed: int = 0,
    tick: Callable[[int], None] | None = None,
) -> pl.DataFrame:
    """Test whether the residues where each feature of an atlas fires belong together in space.

    Parameters
    ----------
    atlas
        Its model reads the chains.
    structures
        One chain of each homology cluster is used; see `bio_interp.linking.spatial`.
    proteins
        Where given, chains are mapped to them and the whole proteins are read; else the chains'
        own sequences.
    seed
        Of the random placements.
    tick
        Called with the number of features that are done.

    Returns
    -------
    DataFrame
        Columns of `bio_interp.linking.spatial.SPATIAL`, a row a feature, in order. Null where
        fewer than five clusters tell; how many were tested is logged.

    Raises
    ------
    StructureError
        No protein chain shows 30 residues.
    MissingExtraError
        Biotite is not installed.
    """
    chains = one_a_cluster(list(spatial_chains(structures, proteins)))
    if not chains:
        raise StructureError(
            f"a protein chain that shows {SHORTEST} residues or more",
            "none in these structures",
            "Give other structures; with proteins, those that the chains are.",
        )
    read = atlas.model.activations((chain.sequence for chain in chains), [atlas.site])
    codes = [atlas.encode(reading.rows[atlas.site]) for reading in read]
    table = spatial_table(measure_spatial(chains, codes, seed=seed, tick=tick))
    tested = table["compact_p"].count()
    _log.info("3D: %d of %d features tested, on %d clusters", tested, table.height, len(chains))
    return table


def write_spatial(
    atlas: Atlas,
    structures: Iterable[Structure],
    *,
    proteins: Iterable[Protein] = (),
    seed: int = 0,
    tick: Callable[[int], None] | None = None,
) -> pl.DataFrame:
    """Fill the columns of `feature_space` in the ``features.parquet`` of an atlas; give them.

    Portraits of its features tell them from then on.

    Raises
    ------
    NotFoundError
        The atlas was packed without ``features.parquet``.
    MismatchError
        It is of another SAE.
    StructureError, MissingExtraError
        See `feature_space`.
    """
    path = find_features(atlas.folder)
    table = feature_space(atlas, structures, proteins=proteins, seed=seed, tick=tick)
    fill_columns(path, table.height, table.get_columns())
    return table
