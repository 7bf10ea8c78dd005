"""JumpReLU as Anthropic trains it (Circuits Updates, January 2025).

A feature is on where its pre-activation is above its own threshold. The step has no gradient, so a
rectangle of width `TrainConfig.bandwidth` around the threshold stands for it (straight-through),
and the gradient reaches threshold, encoder and bias alike. Sparsity is paid by
``tanh(4 * f * |W_dec|)``; dead features pay for how far they are below their thresholds, and learn
by AuxK, without which a quarter of them stayed dead on planted features.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from bio_interp.sae._by_feature import ByFeature
from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._config import TrainConfig
from bio_interp.sae._search import true_places
from bio_interp.sae._select import select_threshold
from bio_interp.sae._sparse_ops import sparse_decode_on, sparse_pre_activations
from bio_interp.sae.architectures._objective import Outcome, Weights
from bio_interp.sae.architectures._penalised import Penalised

_STEEPNESS = 4.0
_LOWEST = 1e-3  # of a threshold: at 0 the jump has no height, and so no gradient to leave 0 by
_START = 2.0  # times k features are on in a row before the first step


class JumpRelu(Penalised):
    """Thresholds are parameters, kept in float32 and as they are, not as logarithms."""

    revives = True  # what is above zero and below its threshold has a gradient there
    first_weight = 1.0

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config)
        self.theta = nn.Parameter(torch.full((config.d_sae,), _LOWEST))

    @torch.no_grad()
    def prepare(self, pre: Tensor) -> None:
        """Let every feature fire at the same rate."""
        rate = min(1.0, _START * self.config.k / self.config.d_sae)
        above = max(1, round(rate * pre.shape[0]))
        self.theta.copy_(pre.topk(above, dim=0).values[-1].clamp_min(_LOWEST))

    @torch.no_grad()
    def codes(self, weights: Weights, x: Tensor) -> SparseCodes:
        """See `Objective.codes`."""
        return select_threshold(weights.product(self.config.precision), x, self._positive())

    def outcome(self, weights: Weights, x: Tensor, target: Tensor) -> Outcome:
        """See `Objective.outcome`; entries below the rectangle have no gradient: left out."""
        near = self._near(weights, x)
        by_feature = ByFeature.of(near)
        pre = sparse_pre_activations(x, weights.encoder, weights.b_enc, near, by_feature)
        values: Tensor = _Jump.apply(pre, self.theta, near, by_feature, self.config.bandwidth)
        on = true_places(values.detach() > 0)
        rebuilt = sparse_decode_on(values, weights.decoder, near, by_feature, on)
        residual = target - rebuilt - weights.b_dec
        paid = torch.tanh(_STEEPNESS * values).sum() / max(1, len(near))
        penalty = self.weight_now() * paid / target.shape[1]
        codes = replace(near, values=values.detach()).where(on)
        return Outcome(codes, residual, residual.square().mean(), penalty)

    def below(self, weights: Weights, x: Tensor, dead: Tensor) -> Tensor:
        """See `Penalised.below`."""
        return self._positive()[dead] - weights.of(dead).pre_activations(x)

    @torch.no_grad()
    def count(self, codes: SparseCodes) -> None:
        """See `Objective.count`."""
        super().count(codes)
        self.theta.clamp_(min=_LOWEST)

    def threshold(self, weights: Weights) -> Tensor | None:
        """See `Objective.threshold`."""
        return self._positive()

    def _positive(self) -> Tensor:
        return self.theta.clamp_min(_LOWEST)

    @torch.no_grad()
    def _near(self, weights: Weights, x: Tensor) -> SparseCodes:
        # the search finds what is above zero: lift both sides by half a rectangle
        half = self.config.bandwidth / 2
        lifted = weights.product(self.config.precision, shift=half)
        near = select_threshold(lifted, x, self._positive())
        return SparseCodes(near.indptr, near.features, near.values - half, near.d_sae)


class _Jump(torch.autograd.Function):
    """``pre * (pre > theta)`` of some entries; the jump's height is spread over the rectangle."""

    @staticmethod
    def forward(
        ctx: Any, pre: Tensor, theta: Tensor, near: SparseCodes, by_feature: ByFeature, width: float
    ) -> Tensor:
        own = theta.index_select(0, near.features).clamp_min(_LOWEST)
        ctx.save_for_backward(pre, own)
        ctx.by_feature, ctx.width = by_feature, width
        return pre * (pre > own)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        pre, own = ctx.saved_tensors
        slope = own / ctx.width * ((pre - own).abs() < ctx.width / 2)
        grad_theta = ctx.by_feature.total(-slope * grads[0])
        return grads[0] * ((pre > own) + slope), grad_theta, None, None, None
