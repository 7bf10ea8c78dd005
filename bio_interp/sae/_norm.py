"""Input normalisation: subtract the mean of the training rows, divide by one scale.

Centring is on by default because directions that every row shares drown the rest and kill
features (arXiv 2605.31518); one scale for all inputs makes learning rates carry over.
"""

import torch
from torch import Tensor

from bio_interp.errors import InputError
from bio_interp.sae._wide import WideBuffers


class InputNorm(WideBuffers):
    """Normalised rows are ``(rows - mean) * scale``; reconstructions are put back.

    Mean and scale stay in float32 or wider where the module is moved to a narrower dtype: a mean
    rounded to bfloat16 would shift all rows the same way.

    Parameters
    ----------
    mean
        Shape ``(d_model,)``, in the units of the inputs.
    scale
        One number; after it the mean square of a centred element is 1 on the training rows.

    Examples
    --------
    >>> norm = InputNorm(torch.tensor([1.0, 2.0]), 0.5)
    >>> norm.apply_to(torch.tensor([[3.0, 2.0]])).tolist()
    [[1.0, 0.0]]
    """

    wide = ("mean", "scale")
    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: float) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", torch.tensor(scale, dtype=mean.dtype, device=mean.device))

    @classmethod
    def measure(cls, rows: Tensor, *, centre: bool = True) -> "InputNorm":
        """Measure mean and scale of rows, shape ``(rows, d_model)``, in float64.

        Rows that are all the same get a scale of 1; without `centre` the mean is taken as 0.
        """
        mean = rows.double().mean(0) if centre else rows.new_zeros(rows.shape[1]).double()
        rms = float((rows.double() - mean).square().mean().sqrt())
        return cls(mean.float(), 1.0 / rms if rms > 1e-12 else 1.0)

    def copy(self) -> "InputNorm":
        """Make one that does not change with this one."""
        return InputNorm(self.mean.clone(), float(self.scale))

    def apply_to(self, rows: Tensor) -> Tensor:
        """Normalise rows, shape ``(rows, d_model)``; in the wider dtype of rows and mean."""
        return (rows - self.mean).mul_(self.scale)

    def undo(self, rows: Tensor) -> Tensor:
        """Put normalised rows back into the units of the inputs, in their own dtype."""
        return (rows / self.scale + self.mean).to(rows.dtype)


def outlier_severity(rows: Tensor) -> float:
    """Measure gamma = ``|mean| / |standard deviation|``, the norms of both vectors over rows.

    Above about 1 most of an activation is the same for every row, and an SAE on inputs that are
    not centred loses features in proportion (arXiv 2605.31518). Infinite for rows that are all
    the same.

    Parameters
    ----------
    rows
        Activations, shape ``(rows, d_model)``; at least one row.

    Examples
    --------
    >>> round(outlier_severity(torch.tensor([[10.0, 1.0], [10.0, -1.0]])), 2)
    10.0
    """
    if rows.shape[0] == 0:
        raise InputError("at least one row of activations", "none", "Check the site and the input.")
    exact = rows.double()
    spread = float(exact.std(0, correction=0).norm())
    return float(exact.mean(0).norm()) / spread if spread > 0 else float("inf")
