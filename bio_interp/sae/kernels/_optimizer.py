"""Adam for an SAE: projection, clipping and unit rows in the pass that reads the weights anyway."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bio_interp.sae.kernels._functions import AdamStep, Kernels


class UnitRowAdam(torch.optim.Adam):
    """`torch.optim.Adam` that clips, and keeps the rows of one parameter at unit norm.

    The part of that parameter's gradient along its rows is removed before anything else, so the
    norm that is clipped is that of what is left, over all parameters. Matrices take one pass of
    `Kernels.adam`; the few small parameters that are left take torch's fused Adam.

    Parameters
    ----------
    parameters
        All of them.
    matrices
        Those of two dimensions to be stepped by kernels.
    unit
        The one of `matrices` whose rows have unit norm.
    kernels
        Gives the kernels for a device.
    lr
        Learning rate.
    clip
        Largest norm of the gradient.
    """

    def __init__(
        self,
        parameters: Sequence[nn.Parameter],
        *,
        matrices: Sequence[nn.Parameter],
        unit: nn.Parameter,
        kernels: Callable[[torch.device], Kernels],
        lr: float,
        clip: float,
    ) -> None:
        super().__init__(parameters, lr=lr, fused=True)
        self.param_groups[0].setdefault("steps", 0)
        self._matrices, self._unit = tuple(matrices), unit
        self._kernels, self._clip = kernels, clip

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take one step; `closure`, where given, computes the loss and the gradients."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        factor = self._factor()
        grads = [parameter.grad for parameter in self._matrices]
        for parameter in self._matrices:
            parameter.grad = None
        for parameter in self._small():
            if parameter.grad is not None:
                parameter.grad.mul_(factor)
        super().step()
        self.param_groups[0]["steps"] += 1
        for parameter, grad in zip(self._matrices, grads, strict=True):
            parameter.grad = grad
            if grad is not None:
                self._step_matrix(parameter, grad.contiguous(), factor)
        return loss

    def _small(self) -> list[Tensor]:
        own = {id(parameter) for parameter in self._matrices}
        return [p for group in self.param_groups for p in group["params"] if id(p) not in own]

    def _factor(self) -> Tensor:
        """Compute what gradients are multiplied by, as `torch.nn.utils.clip_grad_norm_` does."""
        parts = [p.grad.square().sum() for p in self._small() if p.grad is not None]
        for parameter in self._matrices:
            if parameter.grad is not None:
                kernels, is_unit = self._kernels(parameter.device), parameter is self._unit
                squares = kernels.squares(parameter, parameter.grad.contiguous(), unit=is_unit)
                parts.append(squares.sum())
        norm = torch.stack(parts).sum().sqrt()
        return (self._clip / (norm + 1e-6)).clamp_max(1.0)

    def _step_matrix(self, parameter: nn.Parameter, grad: Tensor, factor: Tensor) -> None:
        state, group = self.state[parameter], self.param_groups[0]
        if not state:
            state["step"] = torch.zeros((), device=parameter.device)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        state["step"] += 1
        beta1, beta2 = group["betas"]
        numbers = AdamStep(float(group["lr"]), beta1, beta2, group["eps"], group["steps"])
        moments = state["exp_avg"], state["exp_avg_sq"]
        self._kernels(parameter.device).adam(
            parameter, grad, moments, factor, numbers, unit=parameter is self._unit
        )
