"""The SAE while it is trained: losses, gradients, dead features, the running threshold."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bio_interp.sae._auxk import auxk_loss
from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._config import SaeConfig, TrainConfig
from bio_interp.sae._model import SparseAutoencoder
from bio_interp.sae._norm import InputNorm
from bio_interp.sae._select import SELECT, lowest_value
from bio_interp.sae._sparse_ops import ByFeature, sparse_decode, sparse_pre_activations

_THRESHOLD_DECAY = 0.99


@dataclass(frozen=True, slots=True)
class StepLoss:
    """What one batch gave; all are scalars, in normalised units.

    Attributes
    ----------
    total
        What is minimised: reconstruction + coefficient * auxk.
    reconstruction
        Mean square of ``x - x_hat``; inputs have mean square 1.
    auxk
        Error of dead features on the residual, over the residual's variance; 0 if none is dead.
    l0
        Features on in a row, on average.
    dead
        Features off for longer than allowed.
    """

    total: Tensor
    reconstruction: Tensor
    auxk: Tensor
    l0: float
    dead: int


class TrainableSae(nn.Module):
    """Weights with one feature a row on both sides, and the counters that training needs.

    The decoder starts as random unit rows and the encoder as their copy (tied), times the factor
    that best rebuilds the rows that `norm` was measured on.
    """

    threshold: Tensor
    batch_threshold: Tensor
    threshold_updates: Tensor
    rows_since_fired: Tensor
    feature_maxima: Tensor

    def __init__(self, norm: InputNorm, config: TrainConfig) -> None:
        super().__init__()
        self.norm, self.config = norm, config
        d_model, d_sae = norm.mean.shape[0], config.d_sae
        generator = torch.Generator().manual_seed(config.seed)
        decoder = nn.functional.normalize(torch.randn(d_sae, d_model, generator=generator))
        self.decoder = nn.Parameter(decoder)
        self.encoder = nn.Parameter(decoder.clone())
        self.b_enc = nn.Parameter(torch.zeros(d_sae))
        self.b_dec = nn.Parameter(torch.zeros(d_model))
        self.register_buffer("threshold", torch.zeros(()))
        self.register_buffer("batch_threshold", torch.zeros(()))
        self.register_buffer("threshold_updates", torch.zeros((), dtype=torch.int64))
        self.register_buffer("rows_since_fired", torch.zeros(d_sae, dtype=torch.int64))
        self.register_buffer("feature_maxima", torch.zeros(d_sae))

    @torch.no_grad()
    def calibrate(self, rows: Tensor) -> None:
        """Scale the encoder so that the first codes rebuild `rows` best (least squares)."""
        x = self.norm.apply_to(rows)
        codes, by_feature = self._select(x)
        rebuilt = sparse_decode(codes.values, self.decoder, codes, by_feature)
        power = float(rebuilt.square().sum())
        if power > 0:
            self.encoder.mul_(max(0.05, float((x * rebuilt).sum()) / power))

    def forward(self, rows: Tensor) -> StepLoss:
        """Compute the loss of a batch, shape ``(rows, d_model)``, and update the counters."""
        x = self.norm.apply_to(rows)
        codes, by_feature = self._select(x)
        values = sparse_pre_activations(x, self.encoder, self.b_enc, codes, by_feature)
        rebuilt = sparse_decode(values, self.decoder, codes, by_feature) + self.b_dec
        residual = x - rebuilt
        reconstruction = residual.square().mean()
        dead = self._count(codes)
        auxk = self._auxk(x, residual.detach(), dead)
        total = reconstruction + self.config.aux_coefficient * auxk
        l0 = codes.values.shape[0] / max(1, len(codes))
        return StepLoss(total, reconstruction.detach(), auxk.detach(), l0, dead.shape[0])

    @torch.no_grad()
    def project_gradient(self) -> None:
        """Remove the part of the decoder's gradient that would change the norm of a row."""
        grad = self.decoder.grad
        if grad is not None:
            along = torch.linalg.vecdot(grad, self.decoder).unsqueeze(1)  # (d_sae, 1)
            grad.addcmul_(along, self.decoder, value=-1.0)

    @torch.no_grad()
    def renormalise(self) -> None:
        """Set the decoder's rows to unit norm; call after the optimizer's step."""
        norms = torch.linalg.vector_norm(self.decoder, dim=1, keepdim=True)
        self.decoder.div_(norms.clamp_min(1e-12))

    def restart_statistics(self) -> None:
        """Forget threshold and maxima, so that they describe what follows only."""
        self.threshold_updates.zero_()
        self.feature_maxima.zero_()

    def to_sae(self, provenance: dict[str, Any] | None = None) -> SparseAutoencoder:
        """Make the SAE for use; later training does not change it."""
        config = self.config
        threshold = None if config.architecture == "topk" else float(self.threshold)
        tensors = {
            "W_enc": self.encoder.detach().clone().T,
            "b_enc": self.b_enc.detach().clone(),
            "W_dec": self.decoder.detach().clone(),
            "b_dec": self.b_dec.detach().clone(),
            "feature_maxima": self.feature_maxima.clone(),
        }
        d_model = self.norm.mean.shape[0]
        what = SaeConfig(d_model, config.d_sae, config.architecture, config.k, threshold)
        norm = InputNorm(self.norm.mean.clone(), float(self.norm.scale))
        return SparseAutoencoder(what, tensors, norm, provenance=provenance)

    @torch.no_grad()
    def _select(self, x: Tensor) -> tuple[SparseCodes, ByFeature]:
        pre = torch.addmm(self.b_enc, x, self.encoder.T)  # (rows, d_sae)
        select = SELECT[self.config.architecture]
        codes = select(pre, self.config.k, float(self.batch_threshold))
        return codes, ByFeature.of(codes)

    @torch.no_grad()
    def _count(self, codes: SparseCodes) -> Tensor:
        features = codes.features.long()
        self.rows_since_fired += len(codes)
        self.rows_since_fired[features] = 0
        self.feature_maxima.scatter_reduce_(0, features, codes.values, "amax")
        lowest = lowest_value(codes)
        self.batch_threshold.copy_(lowest)
        # the mean of the first hundred batches, then a running one
        self.threshold_updates += 1
        weight = max(1.0 - _THRESHOLD_DECAY, 1.0 / float(self.threshold_updates))
        self.threshold.lerp_(lowest, weight)
        return (self.rows_since_fired > self.config.dead_after).nonzero().squeeze(1)

    def _auxk(self, x: Tensor, residual: Tensor, dead: Tensor) -> Tensor:
        if self.config.aux_coefficient == 0 or dead.shape[0] == 0:
            return x.new_zeros(())
        aux_k = self.config.aux_k or max(1, x.shape[1] // 2)
        weights = (w.index_select(0, dead) for w in (self.encoder, self.b_enc, self.decoder))
        return auxk_loss(x, residual, *weights, k=aux_k)
