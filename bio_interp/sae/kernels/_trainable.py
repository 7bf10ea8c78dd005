"""An SAE whose training step runs by kernels and never makes the host wait for the device."""

from typing import Any

import torch
from torch import Tensor, nn

from bio_interp.sae._auxk import auxk_loss
from bio_interp.sae._config import TrainConfig
from bio_interp.sae._norm import InputNorm
from bio_interp.sae._trainable import MOST_DEAD, StepLoss, TrainableSae
from bio_interp.sae.architectures import Weights
from bio_interp.sae.architectures._batchtopk import BatchTopK
from bio_interp.sae.kernels._dispatch import load_kernels
from bio_interp.sae.kernels._entries import Entries
from bio_interp.sae.kernels._functions import Kernels
from bio_interp.sae.kernels._loss import sparse_loss

_SLACK = 0.9
"""Entries are listed above this share of the last batch's threshold."""

_LOW = 100  # one row in so many may fall below its guess, and is selected from dense codes


class KernelSae(TrainableSae):
    """`TrainableSae` by the functions of `Kernels`, for topk and batchtopk.

    Weights, counters and losses are those of `TrainableSae`. What differs: which features are dead
    is listed anew every `log_every` steps only, since the host must know how many they are; one
    that fires in between leaves at once. With ``precision="bf16"`` all products and sums read
    bfloat16, not the encoder's product only; weights, values, sums and moments stay float32.

    Parameters
    ----------
    norm, config, out_norm
        See `TrainableSae`.

    Attributes
    ----------
    clip
        What the last gradient is multiplied by, a scalar.
    """

    listed: Tensor
    hint: Tensor

    def __init__(
        self, norm: InputNorm, config: TrainConfig, out_norm: InputNorm | None = None
    ) -> None:
        super().__init__(norm, config, out_norm)
        self.register_buffer("listed", torch.zeros(config.d_sae, dtype=torch.bool))
        self.register_buffer("hint", torch.tensor(torch.inf), persistent=False)
        self.clip = torch.ones(())
        self._steps = 0
        self._dead: Tensor | None = None

    def forward(self, rows: Tensor, targets: Tensor | None = None) -> StepLoss:
        """See `TrainableSae.forward`."""
        rough = self.config.precision == "bf16"
        with torch.autocast(rows.device.type, torch.bfloat16, enabled=rough):
            return self._loss(rows, targets)

    def _loss(self, rows: Tensor, targets: Tensor | None) -> StepLoss:
        x, target = self._normalised(rows, targets)
        if self.skip is not None:
            target = target - x @ self.skip
        kernels = load_kernels(self.config.kernels, x.device)
        low = x.bfloat16() if self.config.precision == "bf16" else x
        entries = self._select(kernels, low)
        loss, residual = sparse_loss(kernels, entries, self.weights, low, target)
        self._count_entries(entries)
        auxk = self._dead_loss(x, residual.to(x.dtype))
        on = (entries.values > 0).sum() / max(1, len(entries))
        dead = (self.rows_since_fired > self.config.dead_after).sum()
        total = loss + self.config.aux_coefficient * auxk
        return StepLoss(total, loss.detach(), loss.new_zeros(()), auxk.detach(), on, dead)

    @property
    def matrices(self) -> tuple[nn.Parameter, ...]:
        """The parameters that `UnitRowAdam` steps by kernels."""
        own = (self.encoder, self.decoder)
        return own if self.skip is None else (*own, self.skip)

    @torch.no_grad()
    def finish_gradient(self) -> Tensor:
        """Find how far to clip, and clip all but matrices; gives the norm before that.

        `UnitRowAdam` clips the matrices, and projects the decoder's gradient, while it steps them.
        The norm is that of the projected gradient.
        """
        kernels = load_kernels(self.config.kernels, self.encoder.device)
        small = [self.b_enc, self.b_dec]
        parts = [p.grad.square().sum() for p in small if p.grad is not None]
        for matrix in self.matrices:
            if matrix.grad is not None:
                grad, is_unit = matrix.grad.contiguous(), matrix is self.decoder
                parts.append(kernels.squares(matrix, grad, unit=is_unit).sum())
        norm = torch.stack(parts).sum().sqrt()
        self.clip = (self.config.grad_clip / (norm + 1e-6)).clamp_max(1.0)
        for parameter in small:
            if parameter.grad is not None:
                parameter.grad.mul_(self.clip)
        return norm

    def renormalise(self) -> None:
        """See `TrainableSae.renormalise`; the optimizer does it."""

    def get_extra_state(self) -> dict[str, int]:
        """Give the number of steps, on which it depends when the dead are listed."""
        return {"steps": self._steps}

    def set_extra_state(self, state: Any) -> None:
        """Go on where a checkpoint ended."""
        self._steps, self._dead = state["steps"], None

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
        counts = entries.counts()
        self.fired += counts
        waited = self.rows_since_fired + len(entries)
        self.rows_since_fired.copy_(waited.where(counts == 0, 0))
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
        shares = max(1, -(-self._dead.shape[0] // MOST_DEAD))
        dead = self._dead[self._steps % shares :: shares]
        if dead.shape[0] == 0 or self.config.aux_coefficient == 0:
            return x.new_zeros(())
        part: Weights = self.weights.of(dead)
        fired = self.rows_since_fired.index_select(0, dead) <= self.config.dead_after
        bias = part.b_enc.masked_fill(fired, -torch.inf)
        k = self.config.aux_k or max(1, x.shape[1] // 2)
        return auxk_loss(x, residual, part.encoder, bias, part.decoder, k=k)
