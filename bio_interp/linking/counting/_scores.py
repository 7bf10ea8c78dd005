"""What counts say of every feature and concept: F1 by its names, AUROC, average precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bio_interp.linking.counting._counts import Counts
from bio_interp.linking.counting._ground import Totals

if TYPE_CHECKING:
    from torch import Tensor

_LEAST = 1e-9


@dataclass(frozen=True)
class BlockScores:
    """Scores of a block of features for every concept; all ``(features, concepts, bins)``.

    Attributes
    ----------
    interplm
        F1 of residue precision and any-hit span recall (*interplm* span-F1).
    residue
        F1 of residue precision and residue recall.
    marker
        F1 of telling the proteins that bear the concept from those that do not.
    """

    interplm: Tensor
    residue: Tensor
    marker: Tensor


@dataclass(frozen=True)
class Truth:
    """`Totals` as tensors that counts ``(features, concepts, bins)`` are divided by."""

    there: Totals
    totals: dict[str, Tensor]
    class_of: Tensor

    @classmethod
    def of(cls, totals: Totals, coverage_class: np.ndarray, device: str = "cpu") -> Truth:
        """Lay the totals out on a device."""
        import torch

        tensors = {
            name: torch.from_numpy(np.ascontiguousarray(array))[None, :, None].to(device)
            for name, array in vars(totals).items()
            if array.ndim == 1
        }
        return cls(totals, tensors, torch.from_numpy(coverage_class.astype(np.int64)).to(device))

    def by_concept(self, by_class: Tensor) -> Tensor:
        """Give each concept the counts of its coverage class."""
        return by_class[:, self.class_of]

    def covered(self, counts: Counts) -> Tensor:
        """Residues where the feature fires and the concept is known, positive or negative."""
        return self.by_concept(counts.fired) - counts.ignored

    def scores(self, counts: Counts) -> BlockScores:
        """Compute F1 at every threshold."""
        precision = counts.hits / self.covered(counts).clamp_min(_LEAST)
        fired = self.by_concept(counts.fired_proteins).clamp_min(_LEAST)
        return BlockScores(
            _harmonic(precision, self._share(counts.spans, "spans")),
            _harmonic(precision, self._share(counts.hits, "residues")),
            _harmonic(counts.proteins / fired, self._share(counts.proteins, "proteins")),
        )

    def auroc(self, counts: Counts) -> Tensor:
        """Area under the ROC curve of residues by bin of activation, ``(features, concepts)``.

        Residues where the feature is below its first edge, or not on at all, tie at the bottom.
        Equals scikit-learn's ``roc_auc_score`` on the bins, weighted by protein.
        """
        found = self._share(counts.hits, "residues")
        negatives = self.totals["covered"] - self.totals["residues"]
        wrong = (self.covered(counts) - counts.hits) / negatives.clamp_min(_LEAST)
        up, across = _steps(found, 1.0), _steps(wrong, 1.0)
        start = _before(found)
        return ((start + up / 2) * across).sum(-1)

    def average_precision(self, counts: Counts) -> Tensor:
        """Average precision of residues by bin, ``(features, concepts)``.

        Sum over thresholds of the rise in recall times precision, the last of which takes in all
        residues; equals scikit-learn's ``average_precision_score`` on the bins.
        """
        found = self._share(counts.hits, "residues")
        precision = counts.hits / self.covered(counts).clamp_min(_LEAST)
        prevalence = self.totals["residues"] / self.totals["covered"].clamp_min(_LEAST)
        rise = _steps(found, 1.0)
        levels = _with_last(precision, prevalence)
        return (rise * levels).sum(-1)

    def _share(self, counted: Tensor, of: str) -> Tensor:
        return counted / self.totals[of].clamp_min(_LEAST)


def _harmonic(a: Tensor, b: Tensor) -> Tensor:
    return 2 * a * b / (a + b).clamp_min(1e-12)


def _with_last(values: Tensor, last: Tensor | float) -> Tensor:
    """Append what holds where every residue counts as on: a threshold below the first edge."""
    import torch

    end = torch.as_tensor(last, dtype=values.dtype, device=values.device)
    end = end.expand(*values.shape[:-1], 1)
    return torch.cat([end, values], -1)


def _steps(cumulated: Tensor, whole: float) -> Tensor:
    """Rise at each threshold, from the highest bin down to everything; bins ascend."""
    import torch

    reached = _with_last(cumulated, whole)
    return reached - torch.cat([reached[..., 1:], torch.zeros_like(reached[..., :1])], -1)


def _before(cumulated: Tensor) -> Tensor:
    """Give what was reached above each threshold."""
    import torch

    return torch.cat([cumulated, torch.zeros_like(cumulated[..., :1])], -1)
