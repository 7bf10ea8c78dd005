"""Which latent stands for which planted feature, by the decoder."""

from dataclasses import dataclass

import torch
from torch import Tensor

FOUND = 0.7
"""A latent whose cosine with a feature is above this stands for it: half of its square."""


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """Latents and features, one to one, and how near they are.

    Attributes
    ----------
    cosine
        Of every latent's decoder row with every feature's direction, ``(d_sae, n_features)``; 0
        for a decoder row of zeros.
    latent
        Matched latent of each feature, -1 for none; int64, ``(n_features,)``.
    """

    cosine: Tensor
    latent: Tensor

    @classmethod
    def of(cls, decoder: Tensor, directions: Tensor) -> "Matching":
        """Match so that the sum of cosines is largest (`scipy.optimize.linear_sum_assignment`)."""
        from scipy.optimize import linear_sum_assignment

        unit = torch.nn.functional.normalize
        cosine = (unit(decoder.cpu().double()) @ unit(directions.double()).T).float()
        latents, features = linear_sum_assignment(cosine.numpy(), maximize=True)
        latent = torch.full((directions.shape[0],), -1)
        latent[torch.from_numpy(features)] = torch.from_numpy(latents)
        return cls(cosine, latent)

    @property
    def n_latents(self) -> int:
        """How many latents the SAE has."""
        return self.cosine.shape[0]

    @property
    def cosines(self) -> Tensor:
        """Cosine of each feature with its latent, 0 without one; ``(n_features,)``."""
        index = torch.arange(self.latent.shape[0])
        return self.cosine[self.latent, index].masked_fill(self.latent < 0, 0.0)

    @property
    def largest(self) -> Tensor:
        """Largest cosine of each feature with any latent, ``(n_features,)``."""
        return self.cosine.max(0).values

    def covers(self) -> Tensor:
        """Say which latents cover which features, as a ``(d_sae, n_features)`` mask.

        A latent covers one feature at most, if its cosine with it is above 0.7: the one that it is
        matched with, or else the one that it is nearest to.
        """
        home = self.cosine.argmax(1)  # (d_sae,)
        found = (self.cosines > FOUND).nonzero().squeeze(1)
        home[self.latent[found]] = found
        near = torch.zeros_like(self.cosine, dtype=torch.bool)
        near.scatter_(1, home.unsqueeze(1), True)
        return near & (self.cosine > FOUND)

    def covering(self) -> Tensor:
        """Count the latents that cover each feature, ``(n_features,)``."""
        return self.covers().sum(0)
