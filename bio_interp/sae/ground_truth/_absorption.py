"""Absorption: a child's latent fires in place of its parent's."""

import torch
from torch import Tensor

from bio_interp.sae.ground_truth._matching import FOUND, Matching
from bio_interp.sae.ground_truth._planted import PlantedFeatures

_CONTAINED = 0.2
"""A unit decoder row contains a direction if it takes at least this much of it."""


class AbsorptionCounts:
    """Rows in which a parent was absorbed by a child, counted for every pair.

    Chanin et al. (arXiv 2409.14507) look for tokens where the latents of a concept are off although
    the concept is there, and another latent that carries the concept's direction is on. The truth
    is known here, so no probes are needed:

    - the latents of the parent are its matched latent and all that cover it (`Matching.covers`),
      without the child's own;
    - the child's latent is its matched one, and its unit decoder row ``d`` contains the parent if
      in the least squares fit ``d = a * child + b * parent`` both `a` and `b` are at least 0.2.
      The fit takes the overlap of the two planted directions out, which a cosine would not: the
      perfect decoder row of a child has ``b = 0``.

    A pair counts where the parent was found (cosine above 0.7): what was never learnt was not
    absorbed.

    Parameters
    ----------
    matching
        Of the SAE's latents with the planted features.
    planted
        The truth.
    decoder
        Shape ``(d_sae, d_model)``.
    """

    def __init__(self, matching: Matching, planted: PlantedFeatures, decoder: Tensor) -> None:
        self.matching = matching
        found = matching.cosines > FOUND
        parents = planted.parent_of.tolist()
        self.pairs = [(p, c) for c, p in enumerate(parents) if p >= 0 and bool(found[p])]
        covers = matching.covers()
        self.serving = [self._latents_of(covers, p, c) for p, c in self.pairs]
        self.contained = [self._contains(planted, decoder.cpu(), p, c) for p, c in self.pairs]
        self.with_child = torch.zeros(len(self.pairs), dtype=torch.int64)
        self.absorbed = torch.zeros(len(self.pairs), dtype=torch.int64)

    def add(self, latent_on: Tensor, true_on: Tensor) -> None:
        """Count rows, given which latents and which features are on; both ``(rows, any)``."""
        for i, (_, child) in enumerate(self.pairs):
            rows = true_on[:, child].nonzero().squeeze(1)
            self.with_child[i] += rows.shape[0]
            if self.contained[i]:
                silent = ~latent_on[rows][:, self.serving[i]].any(1)
                instead = latent_on[rows, self.matching.latent[child]]
                self.absorbed[i] += int((silent & instead).sum())

    def rate(self) -> float | None:
        """Give the mean over pairs of the share of rows absorbed; None without pairs."""
        seen = self.with_child > 0
        if not bool(seen.any()):
            return None
        return float((self.absorbed[seen].double() / self.with_child[seen]).mean())

    def _latents_of(self, covers: Tensor, parent: int, child: int) -> Tensor:
        serves = covers[:, parent].clone()
        serves[self.matching.latent[parent]] = True
        if self.matching.latent[child] >= 0:
            serves[self.matching.latent[child]] = False
        return serves.nonzero().squeeze(1)

    def _contains(self, planted: PlantedFeatures, decoder: Tensor, parent: int, child: int) -> bool:
        latent = int(self.matching.latent[child])
        if latent < 0:
            return False
        plane = planted.directions[[child, parent]].double()  # (2, d_model)
        row = torch.nn.functional.normalize(decoder[latent].double(), dim=0)
        parts = torch.linalg.lstsq(plane.T, row.unsqueeze(1)).solution
        return bool((parts >= _CONTAINED).all())
