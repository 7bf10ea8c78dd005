"""What a set of kernels offers: five functions with one meaning, whoever computes them."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from bio_interp.sae.kernels._entries import Entries


@dataclass(frozen=True, slots=True)
class Decoded:
    """What decoding gave.

    Attributes
    ----------
    residual
        ``target - rebuilt``, shape ``(rows, d_out)``, in the dtype of the target.
    loss
        Mean square of the residual, a float32 scalar.
    grad_values
        Gradient of `loss` with respect to each value, float32, shape ``(slots,)``; 0 in empty ones.
    """

    residual: Tensor
    loss: Tensor
    grad_values: Tensor


@dataclass(frozen=True, slots=True)
class AdamStep:
    """The numbers of one step of Adam.

    Attributes
    ----------
    lr, beta1, beta2, eps
        As in `torch.optim.Adam`.
    step
        Number of the step, from 1.
    """

    lr: float
    beta1: float
    beta2: float
    eps: float
    step: int


class Kernels(Protocol):
    """The functions that a training step is made of; all of them run without a host wait."""

    name: str

    def select_topk(
        self, x: Tensor, encoder: Tensor, bias: Tensor, k: int, floor: Tensor
    ) -> Entries:
        """Keep the k largest of each row that are above 0.

        Parameters
        ----------
        x
            Rows ``(rows, d_in)``, float32 or bfloat16.
        encoder, bias
            Shapes ``(d_sae, d_in)`` and ``(d_sae,)``, in the dtype of `x`.
        k
            Features a row; ties go to the lowest features.
        floor
            Guess below the k-th largest of each row, float32, ``(rows,)``. It changes the time
            and never the result; infinity where nothing is known.
        """
        ...

    def select_batchtopk(
        self, x: Tensor, encoder: Tensor, bias: Tensor, k: int, floor: Tensor
    ) -> Entries:
        """Keep the ``k * rows`` largest of the batch that are above 0; see `select_topk`.

        Rows compete, so one floor must do for all: the highest counts.
        """
        ...

    def decode(self, entries: Entries, decoder: Tensor, bias: Tensor, target: Tensor) -> Decoded:
        """Decode entries by a decoder ``(d_sae, d_out)`` and compare with `target`."""
        ...

    def weight_gradients(
        self, entries: Entries, decoded: Decoded, x: Tensor, scale: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Give the gradients of encoder, encoder's bias and decoder, float32, times `scale`.

        `scale` is the gradient of the loss, a scalar tensor.
        """
        ...

    def squares(self, weights: Tensor, grad: Tensor, *, unit: bool) -> Tensor:
        """Sum the squares of each row of a gradient, ``(rows,)``.

        Where `unit`, rows of `weights` have unit norm and the part of the gradient along them,
        which would change it, does not count.
        """
        ...

    def adam(
        self,
        weights: Tensor,
        grad: Tensor,
        moments: tuple[Tensor, Tensor],
        clip: Tensor,
        numbers: AdamStep,
        *,
        unit: bool,
    ) -> None:
        """Step `weights` and both `moments` in place; `grad`, times `clip`, stays as it is.

        Where `unit`, the part of the gradient along a row is removed before and the row is set to
        unit norm after.
        """
        ...
