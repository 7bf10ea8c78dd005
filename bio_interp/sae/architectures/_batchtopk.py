"""BatchTopK: the k largest a row on average, over the whole batch (arXiv 2412.06410)."""

import torch
from torch import Tensor

from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._config import TrainConfig
from bio_interp.sae._product import Product
from bio_interp.sae._select import lowest_value, select_batchtopk
from bio_interp.sae.architectures._objective import Weights
from bio_interp.sae.architectures._topk import TopK

_DECAY = 0.99


class BatchTopK(TopK):
    """TopK over batches, with a running threshold for use, where rows come alone."""

    has_threshold = True
    running: Tensor
    last: Tensor
    updates: Tensor

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config)
        self.register_buffer("running", torch.zeros(()))
        self.register_buffer("last", torch.zeros(()))
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def select(self, product: Product, x: Tensor) -> SparseCodes:
        """See `TopK.select`."""
        return select_batchtopk(product, x, self.config.k, float(self.last))

    @torch.no_grad()
    def count(self, codes: SparseCodes) -> None:
        """Move the threshold towards the smallest activation of the batch."""
        self.follow(lowest_value(codes))

    @torch.no_grad()
    def follow(self, lowest: Tensor) -> None:
        """Move the threshold towards `lowest`; the host does not wait for the device."""
        self.last.copy_(lowest)
        self.updates += 1
        # the mean of the first hundred batches, then a running one
        self.running.lerp_(lowest, (1.0 / self.updates).clamp_min(1.0 - _DECAY))

    def restart(self) -> None:
        """See `Objective.restart`."""
        self.updates.zero_()

    def threshold(self, weights: Weights) -> Tensor | None:
        """See `Objective.threshold`."""
        return self.running.expand(self.config.d_sae).clone()
