"""What the architectures with a sparsity penalty share: its weight, and how dead features learn."""

import torch
from torch import Tensor

from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._config import TrainConfig
from bio_interp.sae._parallel import mean
from bio_interp.sae.architectures._objective import Objective, Weights

_RATE = 0.01  # of the weight, a step, where e times too many features are on
_SMOOTHING = 0.1
_RAMP = 0.5  # of the steps, over which the sparsity asked for falls from that of the start to k
_DEAD_WEIGHT = 3e-6


class Penalised(Objective):
    """Base of the architectures whose penalty decides how many features are on.

    The weight is `TrainConfig.sparsity` where given, warmed up linearly. Where it is not, it is
    steered so that about k features are on: its logarithm integrates ``log(l0 / target)``, and the
    weight in use is that times ``l0 / target``, which grows with l0 as a quadratic penalty does.
    The target falls from the l0 of the first batch to k over the first half of the steps, evenly in
    its logarithm: where it is k from the start, most features die before they have learnt
    anything (on planted features it cost ReLU half of those it finds, JumpReLU a tenth).

    Where nothing competes, a dead feature is below its switch in every row, and AuxK, which looks
    at what is above zero, has no gradient for it. It pays for how far it is below instead
    (Anthropic, Circuits Updates, January 2025).
    """

    revives = False
    first_weight = 1.0
    weight: Tensor
    l0: Tensor
    start: Tensor
    steps: Tensor

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config)
        self.register_buffer("weight", torch.tensor(config.sparsity or self.first_weight))
        self.register_buffer("l0", torch.tensor(float(config.k)))
        self.register_buffer("start", torch.tensor(float(config.k)))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def weight_now(self) -> Tensor:
        """Give the weight of the penalty in this step."""
        warm = float(self.steps + 1) / max(1.0, self.config.sparsity_warmup * self.config.steps)
        weight = self.weight * min(1.0, warm)
        return weight if self.config.sparsity is not None else weight * self._excess()

    @torch.no_grad()
    def count(self, codes: SparseCodes) -> None:
        """Steer the weight."""
        now = mean(codes.values.new_tensor(codes.values.shape[0] / max(1, len(codes))))
        if int(self.steps) == 0:
            self.l0.copy_(now)
            self.start.copy_(now.clamp_min(self.config.k))
        self.l0.lerp_(now, _SMOOTHING)
        self.steps += 1
        if self.config.sparsity is None:
            self.weight.mul_(torch.exp(_RATE * self._excess().log()))

    def dead_loss(self, weights: Weights, x: Tensor, dead: Tensor) -> Tensor:
        """See `Objective.dead_loss`."""
        return _DEAD_WEIGHT * self.below(weights, x, dead).relu().sum(1).mean()

    def below(self, weights: Weights, x: Tensor, dead: Tensor) -> Tensor:
        """How far the features `dead`, ``(n,)``, are below their switch, ``(rows, n)``."""
        return -weights.of(dead).pre_activations(x)

    def _excess(self) -> Tensor:
        return (self.l0 / self._target()).clamp(0.1, 10.0)

    def _target(self) -> Tensor:
        k = self.config.k
        left = max(0.0, 1.0 - float(self.steps) / max(1.0, _RAMP * self.config.steps))
        return k * (self.start / k) ** left
