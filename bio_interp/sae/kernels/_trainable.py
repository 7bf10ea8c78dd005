"""An SAE whose training step runs by kernels and never makes the host wait for the device."""

from typing import Any

import torch
from torch import Tensor

from bio_interp.sae._auxk import auxk_loss
from bio_interp.sae._config import TrainConfig
from bio_interp.sae._norm import InputNorm
from bio_interp.sae._trainable import StepLoss, TrainableSae
from bio_interp.sae.architectures import Weights
from bio_interp.sae.architectures._batchtopk import BatchTopK
from bio_interp.sae.kernels._dispatch import load_kernels
from bio_interp.sae.kernels._entries import Entries
from bio_interp.sae.kernels._functions import Kernels
from bio_interp.sae.kernels._loss import sparse_loss
from bio_interp.sae.kernels._optimizer import UnitRowAdam

_SLACK = 0.9
"""Entries are listed above this share of the last batch's threshold."""

_LOW = 100  # one row in so many may fall below its guess, and is selected from dense codes


class KernelSae(TrainableSae):
    """`TrainableSae` by the functions of `Kernels`, for topk and batchtopk.

    Weights, counters and losses are those of `TrainableSae`. What differs: which features are dead
    is listed anew every `log_every` steps only, since the host must know how many they are; one
    that fires in between leaves at once. Under `torch.autocast` products and sums read that
    dtype; weights, values, sums and moments stay float32.

    Parameters
    ----------
    norm, config, out_norm
        See `TrainableSae`.
    """

    listed: Tensor
    hint: Tensor

    def __init__(
        self, norm: InputNorm, config: TrainConfig, out_norm: InputNorm | None = None
    ) -> None:
        super().__init__(norm, config, out_norm)
        self.register_buffer("listed", torch.zeros(config.d_sae, dtype=torch.bool))
        self.register_buffer("hint", torch.tensor(torch.inf), persistent=False)
        self._steps = 0
        self._dead: Tensor | None = None

    def forward(self, rows: Tensor, targets: Tensor | None = None) -> StepLoss:
        """See `TrainableSae.forward`."""
        x, target = self._normalised(rows, targets)
        if self.skip is not None:
            target = target - x @ self.skip
        kernels = load_kernels(self.config.kernels, x.device)
        low = self._lowered(x)
        entries = self._select(kernels, low)
        loss, residual = sparse_loss(kernels, entries, self.weights, low, target)
        self._count_entries(entries)
        auxk = self._dead_loss(x, residual.to(x.dtype))
        on = (entries.values > 0).sum() / max(1, len(entries))
        dead = (self.rows_since_fired > self.config.dead_after).sum()
        total = loss + self.config.aux_coefficient * auxk
        return StepLoss(total, loss.detach(), loss.new_zeros(()), auxk.detach(), on, dead)

    def project_gradient(self) -> None:
        """See `TrainableSae.project_gradient`; the optimizer does it."""

    def renormalise(self) -> None:
        """See `TrainableSae.renormalise`; the optimizer does it."""

    @property
    def clip_outside(self) -> float | None:
        """See `TrainableSae.clip_outside`; the optimizer clips."""
        return None

    def optimizer(self) -> torch.optim.Optimizer:
        """See `TrainableSae.optimizer`."""
        matrices = [self.encoder, self.decoder]
        matrices += [] if self.skip is None else [self.skip]
        return UnitRowAdam(
            list(self.parameters()),
            matrices=matrices,
            unit=self.decoder,
            kernels=lambda device: load_kernels(self.config.kernels, device),
            lr=self.config.peak_lr,
            clip=self.config.grad_clip,
        )

    def get_extra_state(self) -> dict[str, int]:
        """Give the number of steps, on which it depends when the dead are listed."""
        return {"steps": self._steps}

    def set_extra_state(self, state: Any) -> None:
        """Go on where a checkpoint ended."""
        self._steps, self._dead = state["steps"], None

    def _lowered(self, x: Tensor) -> Tensor:
        kind = x.device.type
        return x.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else x

    @torch.no_grad()
    def _select(self, kernels: Kernels, x: Tensor) -> Entries:
        encoder, bias = self.encoder.to(x.dtype), self.b_enc.to(x.dtype)
        k = min(self.config.k, self.config.d_sae)
        if isinstance(self.objective, BatchTopK):
            floor = (_SLACK * self.objective.last).expand(len(x)).contiguous()
            return kernels.select_batchtopk(x, encoder, bias, k, floor)
        norms = torch.linalg.vector_norm(x, dim=1, dtype=torch.float32).clamp_min(1e-12)
        entries = kernels.select_topk(x, encoder, bias, k, self.hint * norms)
        share = entries.values.view(len(x), k).amin(1) / norms  # (rows,)
        self.hint.copy_(_SLACK * share.kthvalue(-(-len(x) // _LOW)).values)
        return entries

    @torch.no_grad()
    def _count_entries(self, entries: Entries) -> None:
        waited = self.rows_since_fired + len(entries)
        self.rows_since_fired.copy_(waited.where(~entries.fired(), 0))
        self.feature_maxima.copy_(self.feature_maxima.maximum(entries.peaks()))
        if isinstance(self.objective, BatchTopK):
            self.objective.follow(entries.lowest())
        if self._steps % self.config.log_every == 0:
            self.listed.copy_(self.rows_since_fired > self.config.dead_after)
            self._dead = None
        self._steps += 1

    def _dead_loss(self, x: Tensor, residual: Tensor) -> Tensor:
        """Compute AuxK of the listed features, those that fired meanwhile left out."""
        if self._dead is None:
            self._dead = self.listed.nonzero().squeeze(1)  # the host waits, once in log_every steps
        dead = self._dead
        if dead.shape[0] == 0 or self.config.aux_coefficient == 0:
            return x.new_zeros(())
        part: Weights = self.weights.of(dead)
        fired = self.rows_since_fired.index_select(0, dead) <= self.config.dead_after
        bias = part.b_enc.masked_fill(fired, -torch.inf)
        k = self.config.aux_k or max(1, x.shape[1] // 2)
        return auxk_loss(x, residual, part.encoder, bias, part.decoder, k=k)
