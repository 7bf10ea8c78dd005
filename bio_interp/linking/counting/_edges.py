"""Lower edges of the bins of activation."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from bio_interp.linking.counting._blocks import ranges
from bio_interp.linking.counting._columns import Columns

BINS = 32


def bin_edges(
    columns: Columns,
    residues: Bool[ndarray, "residues"],
    shares: Float[ndarray, "bins"] | None = None,
) -> Float[ndarray, "d_sae bins"]:
    """Cut each feature's activations into bins.

    Parameters
    ----------
    columns
        What is cut.
    residues
        The residues that say where, along the axis.
    shares
        Share of a feature's entries that lie below each edge, ascending from 0; 32 equal steps
        where None.

    Returns
    -------
    ndarray
        Float32; ``edges[f, 0]`` is the smallest activation of ``f`` and all are activations that
        occur, so no entry is between bins; ``inf`` where the feature never fires.
    """
    shares = np.arange(BINS) / BINS if shares is None else shares
    edges = np.full((columns.d_sae, len(shares)), np.inf, np.float32)
    for features in ranges(columns):
        block = columns.block(features)
        on = residues[block.index]
        ends = np.concatenate([[0], np.cumsum(on)])[block.offsets]
        value = block.value[on]
        for i, feature in enumerate(features):
            ranked = np.sort(value[ends[i] : ends[i + 1]])
            if len(ranked):
                edges[feature] = ranked[(shares * len(ranked)).astype(np.int64)]
    return edges
