"""ReLU with an L1 penalty, weighted by the norm of the decoder's rows (Anthropic, April 2024)."""

import torch
from torch import Tensor

from bio_interp.sae._codes import SparseCodes
from bio_interp.sae.architectures._objective import Outcome, Weights
from bio_interp.sae.architectures._penalised import Penalised


class Relu(Penalised):
    """``f = relu(x @ W_enc + b_enc)``; the penalty is ``sum(f * |W_dec|)`` a row.

    Half of the features are on at the start, so the step is dense.
    """

    @torch.no_grad()
    def codes(self, weights: Weights, x: Tensor) -> SparseCodes:
        """See `Objective.codes`."""
        return SparseCodes.from_dense(weights.pre_activations(x))

    def outcome(self, weights: Weights, x: Tensor, target: Tensor) -> Outcome:
        """See `Objective.outcome`."""
        values = weights.pre_activations(x).relu()
        residual = target - torch.addmm(weights.b_dec, values, weights.decoder)
        norms = torch.linalg.vector_norm(weights.decoder.detach(), dim=1)
        penalty = self.weight_now() * (values @ norms).mean() / target.shape[1]
        codes = SparseCodes.from_dense(values.detach())
        return Outcome(codes, residual, residual.square().mean(), penalty)

    def threshold(self, weights: Weights) -> Tensor | None:
        """See `Objective.threshold`."""
        return torch.zeros(self.config.d_sae)
