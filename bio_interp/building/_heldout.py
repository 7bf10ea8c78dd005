"""How well the SAEs of a sweep do on proteins that none was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from bio_interp.models import LanguageModel
    from bio_interp.sae import SparseAutoencoder

_ROWS = 4096
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class RowSums:
    """Running sums of the rows of a site, for their variance."""

    def __init__(self, d_model: int) -> None:
        self.count, self.square = 0, 0.0
        self.total = torch.zeros(d_model, dtype=torch.float64)

    def add(self, rows: Tensor) -> None:
        """Add rows, ``(rows, d_model)``."""
        exact = rows.cpu().double()
        self.count += exact.shape[0]
        self.total += exact.sum(0)
        self.square += float(exact.square().sum())

    @property
    def variance(self) -> float:
        """Sum of the squares of what is left of rows without their mean."""
        return self.square - float(self.total.square().sum()) / max(1, self.count)


class SaeSums:
    """Running sums of what an SAE makes of rows."""

    def __init__(self, sae: SparseAutoencoder) -> None:
        self.sae, self.missed = sae, 0.0
        self.fired = torch.zeros(sae.config.d_sae, dtype=torch.int64)

    def add(self, rows: Tensor) -> None:
        """Add rows, ``(rows, d_model)``."""
        codes = self.sae.encode(rows)
        self.missed += float((rows - self.sae.decode(codes)).double().square().sum())
        self.fired += torch.bincount(codes.features.cpu(), minlength=len(self.fired))

    def figures(self, rows: RowSums) -> dict[str, float]:
        """Give L0, FVU, the share of silent features, and quantiles of how often features fire."""
        density = self.fired.double() / rows.count
        at = torch.quantile(density, torch.tensor(QUANTILES, dtype=torch.float64)).tolist()
        names = [f"density_q{round(100 * q):02d}" for q in QUANTILES]
        return {
            "l0": float(density.sum()),
            "fvu": self.missed / rows.variance if rows.variance > 0 else float("nan"),
            "dead": float((self.fired == 0).double().mean()),
            **dict(zip(names, at, strict=True)),
        }


def measure_rows(
    model: LanguageModel,
    sequences: Sequence[str],
    saes: Mapping[str, tuple[str, SparseAutoencoder]],
) -> dict[str, dict[str, float]]:
    """Measure SAEs on proteins: one pass of the model for all sites.

    Parameters
    ----------
    model, sequences
        What reads which proteins.
    saes
        Site and SAE by name.

    Returns
    -------
    dict
        By name: ``l0``; ``fvu``, with the variance of the rows of all proteins together; ``dead``,
        the share of features that fire nowhere in them; ``density_q05`` and so on, quantiles over
        features of the share of residues where one fires; ``heldout_residues``.
    """
    sites = list(dict.fromkeys(site for site, _ in saes.values()))
    rows = {site: RowSums(model.info.sites[site]) for site in sites}
    sums = {name: SaeSums(sae) for name, (_, sae) in saes.items()}
    for read in _batches(model, sequences, sites):
        for site, tensor in read.items():
            rows[site].add(tensor)
        for name, (site, _) in saes.items():
            sums[name].add(read[site])
    return {
        name: {**sums[name].figures(rows[site]), "heldout_residues": rows[site].count}
        for name, (site, _) in saes.items()
    }


def _batches(
    model: LanguageModel, sequences: Sequence[str], sites: Sequence[str]
) -> Iterable[dict[str, Tensor]]:
    """Read proteins and put the rows of several together."""
    waiting: list[Mapping[str, Tensor]] = []
    have = 0
    for reading in model.activations(sequences, sites):
        waiting.append(reading.rows)
        have += reading.rows[sites[0]].shape[0]
        if have >= _ROWS:
            yield {site: torch.cat([rows[site] for rows in waiting]) for site in sites}
            waiting, have = [], 0
    if waiting:
        yield {site: torch.cat([rows[site] for rows in waiting]) for site in sites}
