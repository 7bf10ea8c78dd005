"""Adam for an SAE: projection, clipping and unit rows in the pass that reads the weights anyway."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bio_interp.errors import MismatchError
from bio_interp.sae._parallel import world_size
from bio_interp.sae._trainable import TrainableSae
from bio_interp.sae.kernels._dispatch import load_kernels
from bio_interp.sae.kernels._functions import AdamStep
from bio_interp.sae.kernels._trainable import KernelSae


class UnitRowAdam(torch.optim.Adam):
    """`torch.optim.Adam` of several SAEs, whose matrices take one pass where kernels step them.

    `KernelSae.finish_gradient` has found how far to clip; the pass of `Kernels.adam` removes the
    part of the decoder's gradient along its rows, clips, steps, and sets the rows to unit norm.
    All other parameters, and those of an SAE in plain torch, take torch's fused Adam.

    Parameters
    ----------
    groups
        One for each SAE, as `torch.optim.Adam` takes them.
    saes
        The SAEs, in the same order.

    Raises
    ------
    MismatchError
        Several processes train together.
    """

    def __init__(self, groups: Sequence[dict[str, Any]], saes: Sequence[TrainableSae]) -> None:
        if world_size() > 1:
            raise MismatchError(
                "one process for kernels='triton'",
                f"{world_size()} that share a batch",
                "Start one process, or set kernels='torch'.",
            )
        super().__init__([{**group, "steps": 0} for group in groups], fused=True)
        self._saes = tuple(saes)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take one step; `closure`, where given, computes the loss and the gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        own = [
            (sae, group, matrix, matrix.grad)
            for sae, group in zip(self._saes, self.param_groups, strict=True)
            if isinstance(sae, KernelSae)
            for matrix in sae.matrices
        ]
        for _, _, matrix, _ in own:
            matrix.grad = None
        super().step()
        for group in self.param_groups:
            group["steps"] += 1
        for sae, group, matrix, grad in own:
            matrix.grad = grad
            if grad is not None:
                self._step_matrix(sae, group, matrix, grad.contiguous())
        return loss

    def _step_matrix(
        self, sae: KernelSae, group: dict[str, Any], matrix: nn.Parameter, grad: Tensor
    ) -> None:
        state = self.state[matrix]
        if not state:
            state["step"] = torch.zeros((), device=matrix.device)
            state["exp_avg"] = torch.zeros_like(matrix)
            state["exp_avg_sq"] = torch.zeros_like(matrix)
        state["step"] += 1
        beta1, beta2 = group["betas"]
        numbers = AdamStep(float(group["lr"]), beta1, beta2, group["eps"], group["steps"])
        moments = state["exp_avg"], state["exp_avg_sq"]
        load_kernels(sae.config.kernels, matrix.device).adam(
            matrix, grad, moments, sae.clip, numbers, unit=matrix is sae.decoder
        )
