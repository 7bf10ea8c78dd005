"""AuxK: dead features learn by explaining what the live ones missed."""

import torch
from torch import Tensor

from bio_interp.sae._parallel import mean

_NO_VARIANCE = 1e-8
"""A residual below this, where inputs have variance 1, has nothing left to explain."""

_SHARE = 4


def auxk_loss(
    x: Tensor, residual: Tensor, encoder: Tensor, bias: Tensor, decoder: Tensor, *, k: int
) -> Tensor:
    """Compute the error of the dead features on the residual, scaled to variance 1.

    The auxiliary loss of arXiv 2406.04093, section 3.1, with what implementations got wrong put
    right: the residual is detached, the decoder's bias is not added a second time, and the loss
    is normalised, so that one coefficient (1/32) fits every model. At most about 1; 0 where the
    residual has no variance, never NaN.

    It is the residual that is scaled and not the loss alone. Dead features that learn a residual
    as small as it is become too weak to be among the largest of a row ever again: where 1.5 % were
    left unexplained two thirds of the features ended dead, and with the scale 1 % did.

    Parameters
    ----------
    x
        Normalised inputs, shape ``(rows, d_model)``.
    residual
        ``x - x_hat`` of the live features, detached, same shape.
    encoder, bias, decoder
        Weights of the dead features only: ``(dead, d_model)``, ``(dead,)``, ``(dead, d_model)``.
    k
        Dead features that each row may use; fewer where fewer are dead.

    Notes
    -----
    This is a dense step, five times the price of the sparse one where most features are dead, so
    it looks at the first quarter of the rows only: they are mixed, and the expected gradient is
    the same. Processes that share a batch look at the same rows as one would, if each has a
    multiple of 4.
    """
    sample = -(-x.shape[0] // _SHARE)
    x, residual = x[:sample], residual[:sample]
    pre = torch.addmm(bias, x, encoder.T)  # (rows, dead)
    top = pre.topk(min(k, pre.shape[1]), dim=1, sorted=False)
    codes = torch.zeros_like(pre).scatter(1, top.indices, top.values.relu())
    variance = mean((residual - mean(residual.mean(0))).square().mean())
    wanted = residual * variance.clamp_min(_NO_VARIANCE).rsqrt()
    missed = (wanted - codes @ decoder).square().mean()
    return missed * (variance > _NO_VARIANCE)  # stays on the device
