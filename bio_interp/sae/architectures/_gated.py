"""Gated: which features are on, and how strongly, by two paths (arXiv 2404.16014)."""

import torch
from torch import Tensor, nn

from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._config import TrainConfig
from bio_interp.sae.architectures._objective import Outcome, Weights
from bio_interp.sae.architectures._penalised import Penalised


class Gated(Penalised):
    """A gate ``x @ W_enc + b_gate > 0`` and a magnitude ``exp(r) * (x @ W_enc) + b_enc``.

    The L1 penalty is on the gate's pre-activations, which also must rebuild the row through a
    frozen decoder. For use the two paths are one encoder with a threshold a feature (appendix of
    the paper): ``exp(r) * W_enc``, on where the magnitude is above ``b_enc - exp(r) * b_gate``.
    """

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config)
        self.r_mag = nn.Parameter(torch.zeros(config.d_sae))
        self.b_gate = nn.Parameter(torch.zeros(config.d_sae))

    @torch.no_grad()
    def codes(self, weights: Weights, x: Tensor) -> SparseCodes:
        """See `Objective.codes`."""
        gate, magnitude = self._paths(weights, x)
        return SparseCodes.from_dense(magnitude * (gate > 0))

    def outcome(self, weights: Weights, x: Tensor, target: Tensor) -> Outcome:
        """See `Objective.outcome`."""
        gate, magnitude = self._paths(weights, x)
        values = magnitude.relu() * (gate > 0)
        residual = target - torch.addmm(weights.b_dec, values, weights.decoder)
        opened = gate.relu()
        frozen = torch.addmm(weights.b_dec.detach(), opened, weights.decoder.detach())
        reconstruction = residual.square().mean() + (target - frozen).square().mean()
        penalty = self.weight_now() * opened.sum(1).mean() / target.shape[1]
        codes = SparseCodes.from_dense(values.detach())
        return Outcome(codes, residual, reconstruction, penalty)

    def threshold(self, weights: Weights) -> Tensor | None:
        """See `Objective.threshold`."""
        return weights.b_enc - self.r_mag.exp() * self.b_gate

    def below(self, weights: Weights, x: Tensor, dead: Tensor) -> Tensor:
        """See `Penalised.below`: gate and magnitude both must be above 0."""
        projected = x @ weights.encoder.index_select(0, dead).T  # (rows, n)
        magnitude = projected * self.r_mag[dead].exp() + weights.b_enc[dead]
        return -torch.minimum(projected + self.b_gate[dead], magnitude)

    def folded(self, weights: Weights) -> tuple[Tensor, Tensor]:
        """See `Objective.folded`."""
        return weights.encoder * self.r_mag.exp().unsqueeze(1), weights.b_enc

    def _paths(self, weights: Weights, x: Tensor) -> tuple[Tensor, Tensor]:
        projected = x @ weights.encoder.T  # (rows, d_sae)
        return projected + self.b_gate, projected * self.r_mag.exp() + weights.b_enc
