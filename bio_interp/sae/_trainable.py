"""The SAE while it is trained: losses, gradients, dead features."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bio_interp.sae._auxk import auxk_loss
from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._config import SaeConfig, TrainConfig
from bio_interp.sae._model import SparseAutoencoder
from bio_interp.sae._norm import InputNorm
from bio_interp.sae._parallel import average_gradients, largest, total, world_size
from bio_interp.sae._sparse_ops import decode_values
from bio_interp.sae.architectures import ARCHITECTURES, Objective, Outcome, Weights

_CALIBRATED = 2**28
"""Pre-activations that are looked at to scale the encoder at the start, at most."""

_IN_CACHE = 256
"""Rows of weights that are gone over twice at a time."""

MOST_DEAD = 2**15
"""Dead features that AuxK takes in one step: it is a dense product."""


@dataclass(frozen=True, slots=True)
class StepLoss:
    """What one batch gave; all are scalars, in normalised units.

    Attributes
    ----------
    total
        What is minimised.
    reconstruction
        Mean square of ``target - rebuilt``; targets have mean square 1.
    penalty
        Cost of sparsity, weighted.
    auxk
        Error of dead features on the residual, over the residual's variance; 0 if none is dead.
    l0
        Features on in a row, on average.
    dead
        Features off for longer than allowed.
    """

    total: Tensor
    reconstruction: Tensor
    penalty: Tensor
    auxk: Tensor
    l0: float | Tensor
    dead: int | Tensor


class TrainableSae(nn.Module):
    """Weights with one feature a row on both sides, and the counters that training needs.

    The decoder starts as random unit rows and the encoder as their copy (tied), times the factor
    that best rebuilds the rows that `norm` was measured on. The encoder of a transcoder, which
    reads another space than it writes, starts as random unit rows of its own.

    Parameters
    ----------
    norm
        Normalisation of what is read.
    config
        How to train.
    out_norm
        Normalisation of what a transcoder writes; None for an SAE.
    """

    skip: nn.Parameter | None
    rows_since_fired: Tensor
    fired: Tensor
    feature_maxima: Tensor

    def __init__(
        self, norm: InputNorm, config: TrainConfig, out_norm: InputNorm | None = None
    ) -> None:
        super().__init__()
        self.norm, self.out_norm, self.config = norm, out_norm, config
        d_in, d_sae = norm.mean.shape[0], config.d_sae
        d_out = d_in if out_norm is None else out_norm.mean.shape[0]
        generator = torch.Generator().manual_seed(config.seed)
        decoder = nn.functional.normalize(torch.randn(d_sae, d_out, generator=generator))
        self.decoder = nn.Parameter(decoder)
        encoder = decoder.clone()
        if out_norm is not None:
            encoder = nn.functional.normalize(torch.randn(d_sae, d_in, generator=generator))
        self.encoder = nn.Parameter(encoder)
        self.b_enc = nn.Parameter(torch.zeros(d_sae))
        self.b_dec = nn.Parameter(torch.zeros(d_out))
        skip = nn.Parameter(torch.zeros(d_in, d_out)) if config.skip else None
        self.register_parameter("skip", skip)
        self.objective: Objective = ARCHITECTURES[config.architecture](config)
        self.register_buffer("rows_since_fired", torch.zeros(d_sae, dtype=torch.int64))
        self.register_buffer("fired", torch.zeros(d_sae, dtype=torch.int64))
        self.register_buffer("feature_maxima", torch.zeros(d_sae))

    @property
    def widths(self) -> tuple[int, ...]:
        """Width of what is read and, for a transcoder, of what is written."""
        norms = (self.norm,) if self.out_norm is None else (self.norm, self.out_norm)
        return tuple(norm.mean.shape[0] for norm in norms)

    @property
    def weights(self) -> Weights:
        """The weights that every architecture has."""
        return Weights(self.encoder, self.b_enc, self.decoder, self.b_dec)

    @torch.no_grad()
    def calibrate(self, rows: Tensor, targets: Tensor | None = None) -> None:
        """Scale the encoder so that the first codes rebuild the targets best (least squares)."""
        some = max(1, _CALIBRATED // self.config.d_sae)
        x, target = self._normalised(rows[:some], None if targets is None else targets[:some])
        pre = self.weights.pre_activations(x)
        self.objective.prepare(pre)
        codes = self.objective.codes(self.weights, x)
        rebuilt = decode_values(codes, codes.values, self.decoder)
        power = float(rebuilt.square().sum())
        if power > 0:
            factor = max(0.05, float((target * rebuilt).sum()) / power)
            self.encoder.mul_(factor)
            self.objective.prepare(pre.mul_(factor))

    def forward(self, rows: Tensor, targets: Tensor | None = None) -> StepLoss:
        """Compute the loss of a batch and update the counters.

        Parameters
        ----------
        rows
            What is read, ``(rows, d_in)``.
        targets
            What a transcoder shall write, ``(rows, d_out)``; `rows` where None.
        """
        x, target = self._normalised(rows, targets)
        if self.skip is not None:
            target = target - x @ self.skip
        found = self.objective.outcome(self.weights, x, target)
        dead = self._count(found.codes)
        auxk, other = self._revive(x, found, dead)
        loss = found.reconstruction + found.penalty + self.config.aux_coefficient * auxk + other
        return StepLoss(
            loss,
            found.residual.detach().square().mean(),
            found.penalty.detach(),
            auxk.detach(),
            found.codes.values.shape[0] / max(1, len(found.codes)),
            dead.shape[0],
        )

    @torch.no_grad()
    def finish_gradient(self) -> Tensor:
        """Average the gradient over processes, project and clip it; gives its norm before that."""
        average_gradients(self.parameters())
        self.project_gradient()
        grads = [p.grad for p in self.parameters() if p.grad is not None]
        norm = nn.utils.get_total_norm(grads)
        if norm.device.type != "cpu" or norm > self.config.grad_clip:  # spares a pass or a wait
            nn.utils.clip_grads_with_norm_(self.parameters(), self.config.grad_clip, norm)
        return norm

    @torch.no_grad()
    def project_gradient(self) -> None:
        """Remove the part of the decoder's gradient that would change the norm of a row."""
        if self.decoder.grad is None:
            return
        pairs = zip(self.decoder.grad.split(_IN_CACHE), self.decoder.split(_IN_CACHE), strict=True)
        for grad, decoder in pairs:
            along = torch.linalg.vecdot(grad, decoder).unsqueeze(1)  # (features, 1)
            grad.addcmul_(along, decoder, value=-1.0)

    @torch.no_grad()
    def renormalise(self) -> None:
        """Set the decoder's rows to unit norm; call after the optimizer's step."""
        norms = torch.linalg.vector_norm(self.decoder, dim=1, keepdim=True)
        self.decoder.div_(norms.clamp_min(1e-12))

    def restart_statistics(self) -> None:
        """Forget thresholds and maxima, so that they describe what follows only."""
        self.objective.restart()
        self.feature_maxima.zero_()

    @torch.no_grad()
    def to_sae(self, provenance: dict[str, Any] | None = None) -> SparseAutoencoder:
        """Make the SAE for use; later training does not change it."""
        config, weights = self.config, self.weights
        encoder, b_enc = self.objective.folded(weights)
        tensors = {
            "W_enc": encoder.detach().clone().T,
            "b_enc": b_enc.detach().clone(),
            "W_dec": self.decoder.detach().clone(),
            "b_dec": self.b_dec.detach().clone(),
            "feature_maxima": self.feature_maxima.clone(),
        }
        if (threshold := self.objective.threshold(weights)) is not None:
            tensors["threshold"] = threshold.detach().clone().to(self.b_enc.device)
        if self.skip is not None:
            tensors["W_skip"] = self.skip.detach().clone()
        d_out = None if self.out_norm is None else self.out_norm.mean.shape[0]
        what = SaeConfig(
            self.norm.mean.shape[0], config.d_sae, config.architecture, config.k, d_out
        )
        norm = self.norm.copy()
        out_norm = None if self.out_norm is None else self.out_norm.copy()
        return SparseAutoencoder(what, tensors, norm, out_norm=out_norm, provenance=provenance)

    def _normalised(self, rows: Tensor, targets: Tensor | None) -> tuple[Tensor, Tensor]:
        x = self.norm.apply_to(rows)
        if self.out_norm is None or targets is None:
            return x, x
        return x, self.out_norm.apply_to(targets)

    @torch.no_grad()
    def _count(self, codes: SparseCodes) -> Tensor:
        counts = total(torch.bincount(codes.features, minlength=self.config.d_sae))
        self.fired += counts
        self.rows_since_fired += len(codes) * world_size()
        self.rows_since_fired.masked_fill_(counts > 0, 0)
        self.feature_maxima.scatter_reduce_(0, codes.features.long(), codes.values, "amax")
        self.feature_maxima.copy_(largest(self.feature_maxima))
        self.objective.count(codes)
        return (self.rows_since_fired > self.config.dead_after).nonzero().squeeze(1)

    def _revive(self, x: Tensor, found: Outcome, dead: Tensor) -> tuple[Tensor, Tensor]:
        """Compute AuxK, and what the architecture has in its place."""
        none = x.new_zeros(())
        if dead.shape[0] == 0:
            return none, none
        dead = self._in_turn(dead, x.shape[0] * world_size())
        other = self.objective.dead_loss(self.weights, x, dead)
        if self.config.aux_coefficient == 0 or not self.objective.revives:
            return none, other
        aux_k = self.config.aux_k or max(1, x.shape[1] // 2)
        part = self.weights.of(dead)
        residual = found.residual.detach()
        return auxk_loss(x, residual, part.encoder, part.b_enc, part.decoder, k=aux_k), other

    def _in_turn(self, dead: Tensor, rows: int) -> Tensor:
        """Take all of the dead, or where they are very many, an equal share of them each step."""
        shares = -(-dead.shape[0] // MOST_DEAD)
        if shares <= 1:
            return dead
        steps = int(self.rows_since_fired.max()) // rows  # counted by the one that is dead longest
        return dead[steps % shares :: shares]
