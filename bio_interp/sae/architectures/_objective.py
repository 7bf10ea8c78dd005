"""What an architecture must say of itself to be trained."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._config import TrainConfig
from bio_interp.sae._product import Precision, Product


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights that every architecture has, one feature a row on both sides.

    Attributes
    ----------
    encoder
        Shape ``(d_sae, d_in)``.
    b_enc
        Shape ``(d_sae,)``.
    decoder
        Rows of unit norm, shape ``(d_sae, d_out)``.
    b_dec
        Shape ``(d_out,)``.
    """

    encoder: Tensor
    b_enc: Tensor
    decoder: Tensor
    b_dec: Tensor

    def product(self, precision: Precision, *, shift: float = 0.0) -> Product:
        """Make the encoder ready, with `shift` added to every pre-activation."""
        encoder, bias = self.encoder.detach(), self.b_enc.detach()
        return Product(encoder, bias + shift if shift else bias, precision)

    def pre_activations(self, x: Tensor) -> Tensor:
        """Multiply out ``x @ encoder.T + b_enc``, shape ``(rows, d_sae)``."""
        return torch.addmm(self.b_enc, x, self.encoder.T)

    def of(self, features: Tensor) -> "Weights":
        """Take some features, ``(n,)``."""
        encoder, b_enc, decoder = (
            t.index_select(0, features) for t in (self.encoder, self.b_enc, self.decoder)
        )
        return Weights(encoder, b_enc, decoder, self.b_dec)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch gave.

    Attributes
    ----------
    codes
        The features that are on, without gradients.
    residual
        ``target - rebuilt``, shape ``(rows, d_out)``, with gradients.
    reconstruction
        What the objective minimises of it: the mean square of `residual`, unless it says otherwise.
    penalty
        Cost of sparsity, weighted; 0 where the rule alone decides how many features are on.
    """

    codes: SparseCodes
    residual: Tensor
    reconstruction: Tensor
    penalty: Tensor


class Objective(nn.Module):
    """Base of the architectures: parameters and running statistics of its own, and the loss.

    Attributes
    ----------
    revives
        Whether dead features learn by AuxK.
    has_threshold
        Whether the SAE for use keeps what is above a threshold; else it keeps the k largest.
    """

    revives = True
    has_threshold = True

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        self.config = config

    def prepare(self, pre: Tensor) -> None:
        """Set what depends on the data before the first step, from pre-activations of some rows."""

    def codes(self, weights: Weights, x: Tensor) -> SparseCodes:
        """Select the features that are on, without gradients."""
        raise NotImplementedError

    def outcome(self, weights: Weights, x: Tensor, target: Tensor) -> Outcome:
        """Encode, decode and compare.

        Parameters
        ----------
        weights
            Those of the SAE, with gradients.
        x, target
            Normalised rows, ``(rows, d_in)`` and ``(rows, d_out)``; the same tensor unless a
            transcoder is trained.
        """
        raise NotImplementedError

    def count(self, codes: SparseCodes) -> None:
        """Update running statistics after a batch."""

    def restart(self) -> None:
        """Forget running statistics, so that they describe what follows only."""

    def dead_loss(self, weights: Weights, x: Tensor, dead: Tensor) -> Tensor:
        """Cost of the features `dead`, ``(n,)``, where they learn by other means than AuxK."""
        return x.new_zeros(())

    def threshold(self, weights: Weights) -> Tensor | None:
        """Give the threshold of each feature for use, ``(d_sae,)``; None for the k largest."""
        raise NotImplementedError

    def folded(self, weights: Weights) -> tuple[Tensor, Tensor]:
        """Give encoder and bias for use; what is special to the architecture is folded in."""
        return weights.encoder, weights.b_enc
