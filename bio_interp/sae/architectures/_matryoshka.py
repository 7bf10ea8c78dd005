"""Matryoshka: the first features alone must rebuild the row too (Bussmann, arXiv 2503.17547).

Prefixes are taken on top of TopK or BatchTopK: the features that are on are chosen among all,
and the loss is the mean over prefixes of the error that the features of each prefix leave.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from bio_interp.sae._by_feature import ByFeature
from bio_interp.sae._codes import SparseCodes, counts_to_indptr
from bio_interp.sae._sparse_ops import sparse_decode
from bio_interp.sae.architectures._objective import Weights


def prefix_residuals(
    values: Tensor, codes: SparseCodes, weights: Weights, target: Tensor, prefixes: Sequence[int]
) -> list[Tensor]:
    """Compute what each prefix leaves of the target.

    Every entry is decoded once: the features between one prefix and the next add to what the
    shorter prefix rebuilt.

    Parameters
    ----------
    values
        Values of the entries of `codes`, with gradients, ``(nnz,)``.
    codes
        The features that are on.
    weights
        Those of the SAE.
    target
        Shape ``(rows, d_out)``.
    prefixes
        Numbers of features, ascending, the last of them all.

    Returns
    -------
    list of Tensor
        One ``(rows, d_out)`` a prefix; the last is the residual of the whole SAE.
    """
    rows = codes.row_index()
    left = target - weights.b_dec
    residuals: list[Tensor] = []
    first = 0
    for end in prefixes:
        at = ((codes.features >= first) & (codes.features < end)).nonzero().squeeze(1)
        counts = torch.bincount(rows[at], minlength=len(codes))
        part = SparseCodes(
            counts_to_indptr(counts), codes.features[at], codes.values[at], codes.d_sae
        )
        chosen = values.index_select(0, at)
        left = left - sparse_decode(chosen, weights.decoder, part, ByFeature.of(part))
        residuals.append(left)
        first = end
    return residuals
