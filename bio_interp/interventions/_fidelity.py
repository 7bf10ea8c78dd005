"""How well a model does with an SAE's reconstruction in place of its activations."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import isnan, nan
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from bio_interp.errors import InputError, MismatchError
from bio_interp.interventions._bootstrap import interval, pool, resample
from bio_interp.interventions._conditions import (
    INTACT,
    KL,
    MEAN,
    RESIDUES,
    SPLICED,
    ZERO,
    Conditions,
    Saes,
    written_sites,
)
from bio_interp.interventions._scored import check_share, choose_residues
from bio_interp.models import LanguageModel

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Fidelity:
    """What a model loses with reconstructions in place of activations; losses in nats a residue.

    Attributes
    ----------
    sites
        Where rows were replaced.
    objective
        ``"masked"``: the residues asked for are hidden from the model, in one pass; the others are
        not scored. ``"causal"``: each residue but the first is guessed from those before it.
    proteins, clusters, residues
        How many proteins were read, units the intervals resample, and residues that were scored.
    ce_intact
        Cross-entropy of the model as it is: mean over residues of ``-log p(residue)``, where p is
        over the 20 amino acids.
    ce_spliced
        The same with the reconstruction in place of each row, its error not kept.
    ce_zero
        The same with zeros.
    ce_mean
        The same with the mean of the site's rows.
    kl
        Mean over residues of the Kullback-Leibler divergence KL(intact || spliced).
    recovered_zero
        ``(ce_zero - ce_spliced) / (ce_zero - ce_intact)``: 1 is as good as intact, 0 no better
        than zeros, and under 0 worse: it is not clipped. Where zeros do little harm it means
        little, and its interval is wide; NaN where they do none.
    recovered_mean
        The same with `ce_mean`, which is the harder floor.
    kl_interval, recovered_zero_interval, recovered_mean_interval
        95 % bootstrap interval, percentiles, over `clusters`; NaN where there is one only.
    mask_share
        Share of the residues that were hidden; None for a causal model.
    seed
        Of the masks and the bootstrap.
    """

    sites: tuple[str, ...]
    objective: Literal["masked", "causal"]
    proteins: int
    clusters: int
    residues: int
    ce_intact: float
    ce_spliced: float
    ce_zero: float
    ce_mean: float
    kl: float
    recovered_zero: float
    recovered_mean: float
    kl_interval: Interval
    recovered_zero_interval: Interval
    recovered_mean_interval: Interval
    mask_share: float | None
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Write the fields out for a JSON file; None where a figure is NaN."""
        fields = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        return {name: _without_nan(value) for name, value in fields.items()}


def fidelity(
    model: LanguageModel,
    saes: Saes,
    sequences: Iterable[str],
    *,
    mask_share: float = 0.15,
    seed: int = 0,
    means: Mapping[str, Tensor] | None = None,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = 2000,
) -> Fidelity:
    """Measure what a model loses with SAEs in place of its activations.

    Every condition has the same proteins and the same masks. Only residues of the 20 amino acids
    are scored, and proteins without any are left out.

    Parameters
    ----------
    model
        Any model; nothing of it is changed.
    saes
        SAE by site, a transcoder by (site it reads, site it writes); all of them at once.
    sequences
        Proteins that the SAEs were not trained on.
    mask_share
        Share of a protein's residues that is hidden, at least one; a causal model has no masks.
    seed
        Of the masks, which depend on the seed and the protein only, and of the bootstrap.
    means
        Mean row of each site, ``(d_model,)``, such as that of the training rows; by default that
        of these proteins, unmasked.
    clusters
        Cluster of each protein: what the intervals resample. By default each is its own.
    resamples
        Draws of the bootstrap.

    Raises
    ------
    InputError
        There is nothing to score, or `mask_share` is none.
    MismatchError
        An SAE does not fit its site, or `clusters` has another length than `sequences`.

    Examples
    --------
    >>> from bio_interp import load_atlas, load_model
    >>> atlas, model = load_atlas("reference"), load_model("reference")
    >>> found = fidelity(model, {atlas.site: atlas.sae}, ["MKTAYIAKQRQISFVKSHFS", "MKVAVLGAAG"])
    >>> found.proteins, found.residues, found.kl > 0
    (2, 5, True)
    """
    found = fidelity_many(
        model,
        {"": saes},
        sequences,
        mask_share=mask_share,
        seed=seed,
        means=means,
        clusters=clusters,
        resamples=resamples,
    )
    return found[""]


@torch.no_grad()
def fidelity_many(
    model: LanguageModel,
    splices: Mapping[str, Saes],
    sequences: Iterable[str],
    *,
    mask_share: float = 0.15,
    seed: int = 0,
    means: Mapping[str, Tensor] | None = None,
    clusters: Sequence[Hashable] | None = None,
    resamples: int = 2000,
) -> dict[str, Fidelity]:
    """Measure many SAEs by name, as `fidelity` does one, and compute what they share once.

    The intact model is read once, and zeros and means once for each set of sites; every name then
    costs one reading. All are compared on the same masks and the same draws.
    """
    check_share(mask_share)
    scored = [choose_residues(s, model.info, mask_share=mask_share, seed=seed) for s in sequences]
    units = None if clusters is None else _paired(clusters, len(scored))
    kept = [i for i, protein in enumerate(scored) if len(protein.rows)]
    if not kept:
        raise InputError("proteins with residues to score", "none", "Give longer proteins.")
    conditions = Conditions(model, [scored[i] for i in kept], dict(means or {}))
    conditions.find_means(site for saes in splices.values() for site in written_sites(saes))
    facts = {
        "objective": model.info.objective,
        "proteins": len(kept),
        "mask_share": mask_share if model.info.objective == "masked" else None,
        "seed": seed,
    }
    found: dict[str, Fidelity] = {}
    for name, saes in splices.items():
        sums = pool(conditions.sums(saes), None if units is None else [units[i] for i in kept])
        figures = _figures(sums, resamples=resamples, seed=seed)
        found[name] = Fidelity(sites=written_sites(saes), **facts, **figures)
    return found


def _figures(sums: Float[ndarray, "units 6"], *, resamples: int, seed: int) -> dict[str, Any]:
    total = sums.sum(0)
    drawn = resample(sums, resamples=resamples, seed=seed)
    figures: dict[str, Any] = {"clusters": len(sums), "residues": int(total[RESIDUES])}
    for name, column in (("intact", INTACT), ("spliced", SPLICED), ("zero", ZERO), ("mean", MEAN)):
        figures[f"ce_{name}"] = float(total[column] / total[RESIDUES])
    for name, figure in (
        ("kl", _kl),
        ("recovered_zero", partial(_recovered, floor=ZERO)),
        ("recovered_mean", partial(_recovered, floor=MEAN)),
    ):
        figures[name] = float(figure(total))
        alone = len(sums) < 2
        figures[f"{name}_interval"] = (nan, nan) if alone else interval(drawn, figure)
    return figures


def _kl(sums: Float[ndarray, "... 6"]) -> Float[ndarray, "..."]:
    return sums[..., KL] / sums[..., RESIDUES]


def _recovered(sums: Float[ndarray, "... 6"], floor: int) -> Float[ndarray, "..."]:
    gained, harm = sums[..., floor] - sums[..., SPLICED], sums[..., floor] - sums[..., INTACT]
    return np.divide(gained, harm, out=np.full_like(harm, np.nan), where=harm != 0)


def _paired(clusters: Sequence[Hashable], proteins: int) -> Sequence[Hashable]:
    if len(clusters) != proteins:
        raise MismatchError(
            f"a cluster for each of the {proteins} proteins",
            f"{len(clusters)}",
            "Give as many as there are sequences.",
        )
    return clusters


def _without_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and isnan(value) else value
