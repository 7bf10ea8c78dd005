"""How well the SAEs of a sweep do on proteins that none was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from bio_interp.models import LanguageModel
    from bio_interp.sae import SaeMetrics, SparseAutoencoder

_ROWS = 4096
QUANTILES = {"density_q05": "0.05", "density_q25": "0.25", "density_q50": "0.5",
             "density_q75": "0.75", "density_q95": "0.95"}  # fmt: skip


def measure_rows(
    model: LanguageModel,
    sequences: Sequence[str],
    saes: Mapping[str, tuple[str, SparseAutoencoder]],
) -> dict[str, dict[str, Any]]:
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
        By name the figures of `bio_interp.sae.SaeMetrics`, as the table of a sweep calls them.
    """
    from bio_interp.sae import MetricSums

    sites = list(dict.fromkeys(site for site, _ in saes.values()))
    sums = {name: MetricSums.of(sae) for name, (_, sae) in saes.items()}
    for read in _batches(model, sequences, sites):
        for name, (site, sae) in saes.items():
            sums[name].add(sae, read[site], read[site])
    return {name: _figures(each.metrics()) for name, each in sums.items()}


def _figures(found: SaeMetrics) -> dict[str, Any]:
    figures = found.to_dict()
    quantiles = figures.pop("density_quantiles")
    figures["heldout_residues"] = figures.pop("rows")
    return figures | {name: quantiles[q] for name, q in QUANTILES.items()}


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
