"""Which planted features an SAE found, and how it fails where it did not."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae._codes import SparseCodes
from bio_interp.sae._model import SparseAutoencoder
from bio_interp.sae.ground_truth._absorption import AbsorptionCounts
from bio_interp.sae.ground_truth._matching import FOUND, Matching
from bio_interp.sae.ground_truth._planted import PlantedFeatures

_PART = 2048  # rows; another number would draw other rows


@dataclass(frozen=True, slots=True, eq=False)
class Recovery:
    """What `recovery` found. A *latent* is a feature of the SAE, a *feature* one of the truth.

    Attributes
    ----------
    mcc
        Mean correlation coefficient: the mean over all features of the cosine between a feature's
        direction and the decoder row of its matched latent. Latents and features are matched one
        to one so that the sum of cosines is largest; a feature left without a latent, because
        there are fewer latents, counts 0. SynthSAEBench (arXiv 2602.14687) and arXiv 2505.20254
        take the absolute cosine and average over the matched alone: for activations that are
        never negative a latent of the opposite direction is no match.
    mmcs
        Mean over features of the largest cosine with any latent (mean max cosine similarity of
        Sharkey et al. 2022), without one-to-one matching.
    found
        Share of the features whose matched latent has a cosine above 0.7.
    f1
        Mean over features of the F1 score of "its matched latent is on" for "it is on", over
        rows. Features that were on in none of the rows are left out.
    f1_best
        The same where each latent counts as on above the threshold that is best for it on these
        rows: what shrinkage or a low threshold cost is forgiven.
    absorption
        Share of the rows with a child on (so with its parent on) in which all latents of the
        parent are off, while the child's latent is on and its decoder row contains the parent's
        direction; mean over the pairs of parent and child whose parent was found. None without
        such pairs. After Chanin et al. (arXiv 2409.14507), with the truth in place of probes; see
        `AbsorptionCounts`.
    absorption_pairs
        How many pairs that mean is over.
    splitting
        Share of the features that are covered by several latents, two or more. A latent covers
        the feature that it is matched with or, where their cosine is not above 0.7, the one that
        it is nearest to, if that cosine is.
    rows
        Rows that F1 and absorption were counted on.
    latent
        Matched latent of each feature, -1 for none; int64, ``(n_features,)``.
    cosines
        Cosine of each feature with its matched latent, ``(n_features,)``.
    f1_by_feature
        NaN where a feature was never on; float64, ``(n_features,)``.
    """

    mcc: float
    mmcs: float
    found: float
    f1: float
    f1_best: float
    absorption: float | None
    absorption_pairs: int
    splitting: float
    rows: int
    latent: Tensor
    cosines: Tensor
    f1_by_feature: Tensor

    def to_dict(self) -> dict[str, Any]:
        """Write the figures out for a JSON file, without those of single features."""
        names = ("mcc", "mmcs", "found", "f1", "f1_best", "absorption", "absorption_pairs")
        return {name: getattr(self, name) for name in (*names, "splitting", "rows")}


@torch.no_grad()
def recovery(
    sae: SparseAutoencoder, planted: PlantedFeatures, rows: int = 20_000, *, seed: int = -1
) -> Recovery:
    """Score an SAE against the features that its rows were made of.

    Parameters
    ----------
    sae
        Trained on rows of `planted`.
    planted
        The truth.
    rows
        How many fresh rows to count on.
    seed
        Of those rows. Negative ones are never used by `PlantedFeatures.source` with its default.

    Raises
    ------
    InputError
        `rows` is below 1.
    MismatchError
        The SAE reads or writes another width than the planted rows have.

    Examples
    --------
    >>> from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder
    >>> world = PlantedFeatures(16, 8, on=2)  # no superposition: a perfect SAE exists
    >>> tensors = {"W_enc": torch.linalg.pinv(world.directions), "b_enc": torch.zeros(8)}
    >>> tensors |= {"W_dec": world.directions, "b_dec": torch.zeros(16)}
    >>> tensors |= {"threshold": torch.full((8,), 1e-4)}
    >>> norm = InputNorm(torch.zeros(16), 1.0)
    >>> sae = SparseAutoencoder(SaeConfig(16, 8, "relu", 2), tensors, norm)
    >>> score = recovery(sae, world, 500)
    >>> round(score.mcc, 6), score.f1, score.splitting
    (1.0, 1.0, 0.0)
    """
    if rows < 1:
        raise InputError("at least one row to score on", str(rows), "Raise `rows`.")
    widths = (sae.config.d_model, sae.config.width_out)
    if widths != (planted.d_model, planted.d_model):
        raise MismatchError(
            f"an SAE of width {planted.d_model}",
            f"one that reads {widths[0]} and writes {widths[1]}",
            "Score an SAE that was trained on rows of this world.",
        )
    matching = Matching.of(sae.W_dec, planted.directions)
    absorbed = AbsorptionCounts(matching, planted, sae.W_dec)
    firing = _Firing(matching)
    for x, truth in planted.parts(rows, seed, part_rows=_PART):
        codes = _on_cpu(sae.encode(x.to(sae.W_dec.device)))
        true_on = _is_on(truth)
        firing.add(codes, true_on)
        absorbed.add(_is_on(codes), true_on)
    f1, best = firing.scores()
    return Recovery(
        mcc=float(matching.cosines.mean()),
        mmcs=float(matching.largest.mean()),
        found=float((matching.cosines > FOUND).double().mean()),
        f1=float(f1.nanmean()),
        f1_best=float(best.nanmean()),
        absorption=absorbed.rate(),
        absorption_pairs=len(absorbed.pairs),
        splitting=float((matching.covering() > 1).double().mean()),
        rows=rows,
        latent=matching.latent,
        cosines=matching.cosines,
        f1_by_feature=f1,
    )


def _on_cpu(codes: SparseCodes) -> SparseCodes:
    return SparseCodes(codes.indptr.cpu(), codes.features.cpu(), codes.values.cpu(), codes.d_sae)


def _is_on(codes: SparseCodes) -> Tensor:
    """Give the codes as a ``(rows, features)`` matrix of truth values."""
    on = torch.zeros(len(codes), codes.d_sae, dtype=torch.bool)
    on[codes.row_index(), codes.features.long()] = True
    return on


class _Firing:
    """When matched latents were on, and whether their features were: every entry, for F1."""

    def __init__(self, matching: Matching) -> None:
        n_features = matching.latent.shape[0]
        self.feature_of = torch.full((matching.n_latents,), -1)
        has = matching.latent >= 0
        self.feature_of[matching.latent[has]] = torch.arange(n_features)[has]
        self.positives = torch.zeros(n_features, dtype=torch.int64)
        self.features: list[Tensor] = []
        self.values: list[Tensor] = []
        self.hits: list[Tensor] = []

    def add(self, codes: SparseCodes, true_on: Tensor) -> None:
        """Take the entries of matched latents."""
        self.positives += true_on.sum(0)
        feature = self.feature_of[codes.features.long()]
        kept = feature >= 0
        feature = feature[kept]
        self.features.append(feature)
        self.values.append(codes.values[kept])
        self.hits.append(true_on[codes.row_index()[kept], feature])

    def scores(self) -> tuple[Tensor, Tensor]:
        """Give F1 of each feature, at the latent's own threshold and at the best one."""
        feature, value = torch.cat(self.features), torch.cat(self.values)
        order = value.argsort(descending=True, stable=True)
        order = order[feature[order].argsort(stable=True)]  # by feature, strongest first
        feature, value, hit = feature[order], value[order], torch.cat(self.hits)[order].long()
        counts = torch.bincount(feature, minlength=self.positives.shape[0])
        first = counts.cumsum(0) - counts
        rank = torch.arange(feature.shape[0]) - first[feature] + 1  # entries at or above
        before = torch.cat([hit.new_zeros(1), hit.cumsum(0)])
        right = before[1:] - before[first[feature]]
        f1 = 2.0 * right.double() / (rank + self.positives[feature])
        last = torch.ones_like(feature, dtype=torch.bool)  # of the entries of one value
        last[:-1] = (feature[1:] != feature[:-1]) | (value[1:] != value[:-1])
        best = torch.zeros(counts.shape[0], dtype=torch.float64)
        best.scatter_reduce_(0, feature[last], f1[last], "amax")
        own = torch.zeros_like(best)
        on = counts > 0
        own[on] = f1[(first + counts - 1)[on]]
        never = self.positives == 0
        return own.masked_fill(never, torch.nan), best.masked_fill(never, torch.nan)
