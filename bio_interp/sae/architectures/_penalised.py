"""What the architectures with a sparsity penalty share: the weight of the penalty."""

import torch
from torch import Tensor

from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._config import TrainConfig
from bio_interp.sae._parallel import mean
from bio_interp.sae.architectures._objective import Objective

_RATE = 0.01  # of the weight, a step, where e times too many features are on
_SMOOTHING = 0.1


class Penalised(Objective):
    """Base of the architectures whose penalty decides how many features are on.

    The weight is `TrainConfig.sparsity` where given, warmed up linearly. Where it is not, it is
    steered so that about k features are on: its logarithm integrates ``log(l0 / k)``, and the
    weight in use is that times ``l0 / k``, which grows with l0 as a quadratic penalty on it does.
    """

    first_weight = 1.0
    weight: Tensor
    l0: Tensor
    steps: Tensor

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config)
        self.register_buffer("weight", torch.tensor(config.sparsity or self.first_weight))
        self.register_buffer("l0", torch.tensor(float(config.k)))
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
        self.l0.lerp_(now, _SMOOTHING)
        self.steps += 1
        if self.config.sparsity is None:
            self.weight.mul_(torch.exp(_RATE * self._excess().log()))

    def _excess(self) -> Tensor:
        return (self.l0 / self.config.k).clamp(0.1, 10.0)
