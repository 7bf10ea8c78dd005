"""Codes as peers' evaluations made them of a trained SAE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bio_interp.linking.interplm._defects import Defects

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from torch import Tensor

    from bio_interp.sae import SparseAutoencoder


def encode_rows(sae: SparseAutoencoder, rows: Tensor, defects: Defects | None = None) -> csr_matrix:
    """Encode the rows of one batch; without defects as `SparseAutoencoder.encode` does.

    Parameters
    ----------
    sae
        A trained SAE.
    rows
        Activations in the model's units, ``(rows, d_model)``.
    defects
        `relu_codes` and `batch_topk` act here.

    Returns
    -------
    csr_matrix
        Codes, ``(rows, d_sae)``.
    """
    import torch

    from bio_interp.sae import SparseCodes

    defects = defects or Defects()
    if not (defects.relu_codes or defects.batch_topk):
        return sae.encode(rows).to_scipy()
    with torch.no_grad():
        pre = torch.relu(sae.norm.apply_to(rows) @ sae.W_enc + sae.b_enc)  # (rows, d_sae)
        if not defects.relu_codes:
            budget = min(sae.config.k * len(rows), pre.numel())
            least = pre.flatten().topk(budget).values.min() if budget else pre.new_tensor(0.0)
            pre = pre * (pre >= least)
        return SparseCodes.from_dense(pre).to_scipy()
