"""TopK: the k largest of each row (Gao et al., arXiv 2406.04093)."""

import torch
from torch import Tensor

from bio_interp.sae._by_feature import ByFeature
from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._product import Product
from bio_interp.sae._select import select_topk
from bio_interp.sae._sparse_ops import sparse_decode, sparse_pre_activations
from bio_interp.sae.architectures._matryoshka import prefix_residuals
from bio_interp.sae.architectures._objective import Objective, Outcome, Weights


class TopK(Objective):
    """Exactly k features a row; dead ones learn by AuxK. With `prefixes`, Matryoshka."""

    has_threshold = False

    @torch.no_grad()
    def codes(self, weights: Weights, x: Tensor) -> SparseCodes:
        """See `Objective.codes`."""
        return self.select(weights.product(self.config.precision), x)

    def select(self, product: Product, x: Tensor) -> SparseCodes:
        """Choose among the pre-activations of `x`."""
        return select_topk(product, x, self.config.k)

    def outcome(self, weights: Weights, x: Tensor, target: Tensor) -> Outcome:
        """See `Objective.outcome`; only the selection is dense."""
        codes = self.codes(weights, x)
        by_feature = ByFeature.of(codes)
        values = sparse_pre_activations(x, weights.encoder, weights.b_enc, codes, by_feature)
        if self.config.prefixes:
            residuals = prefix_residuals(values, codes, weights, target, self.config.prefixes)
            reconstruction = torch.stack([r.square().mean() for r in residuals]).mean()
            return Outcome(codes, residuals[-1], reconstruction, target.new_zeros(()))
        rebuilt = sparse_decode(values, weights.decoder, codes, by_feature) + weights.b_dec
        residual = target - rebuilt
        return Outcome(codes, residual, residual.square().mean(), target.new_zeros(()))

    def threshold(self, weights: Weights) -> Tensor | None:
        """See `Objective.threshold`."""
        return None
