"""Weights as 8-bit integers times one scale a feature."""

import torch
from torch import Tensor

_UNIT = 1e-3
"""How far from 1 the norm of a row of unit norm may be: as far as bfloat16 rounds."""


def has_unit_rows(weight: Tensor) -> bool:
    """Tell whether the rows of a ``(rows, columns)`` matrix have unit norm; rows of 0 may be."""
    norms = torch.linalg.vector_norm(weight.float(), dim=1)
    return bool((((norms - 1.0).abs() < _UNIT) | (norms == 0.0)).all())


def quantise_rows(weight: Tensor, *, unit_norm: bool) -> tuple[Tensor, Tensor]:
    """Round each row to 255 steps, symmetric about 0.

    Parameters
    ----------
    weight
        Shape ``(rows, columns)``.
    unit_norm
        Choose the scales so that rows have unit norm once restored, as the decoder's do.

    Returns
    -------
    tuple of Tensor
        int8 ``(rows, columns)`` and float32 scales ``(rows,)``; a row of zeros stays one.
    """
    largest = weight.abs().amax(1, keepdim=True).float()
    steps = (weight.float() / largest.clamp_min(1e-30) * 127).round()
    if unit_norm:
        scale = 1.0 / torch.linalg.vector_norm(steps, dim=1).clamp_min(1.0)
    else:
        scale = largest.squeeze(1) / 127
    return steps.to(torch.int8), scale


def restore_rows(steps: Tensor, scale: Tensor) -> Tensor:
    """Undo `quantise_rows` up to rounding, in float32."""
    return steps.float() * scale.unsqueeze(1)
