"""The model's own neurons as features, both signs, for the same link protocol."""

from pathlib import Path

import numpy as np
import torch
from harvest import Harvest
from sample import EVALUATED
from scipy.sparse import csr_matrix

from bio_interp.features import FeatureStore

FIRING = 0.02  # a signed neuron is on at the 2 % of training residues where it is largest


def neuron_store(harvest: Harvest, out: Path) -> FeatureStore:
    """Store neurons as sparse codes: unit ``i`` is neuron ``i`` above, ``d_model + i`` below.

    Activations below the 98th percentile of the fit residues are dropped. No concept of these
    sources holds more residues than the densest SAE feature fires at, and the thresholds of links
    lie above.
    """
    rows = harvest.training_rows()
    some = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:50_000]]
    mean = some.float().mean(0)
    both = _signed(some.float() - mean)  # (rows, 2 * d_model)
    cut = torch.quantile(both[:20_000], 1 - FIRING, dim=0)
    store = FeatureStore.create(
        out / "codes_neurons", d_sae=both.shape[1], settings={"firing": FIRING}
    )
    done = store.done()
    with store.writer(shard_proteins=512, shard_nonzeros=40_000_000) as writer:
        for name, activations in harvest.proteins(EVALUATED):
            if name not in done:
                signed = _signed(activations - mean)
                kept = signed.masked_fill_(signed < cut, 0.0).clamp_min_(0.0)
                writer.add(name, csr_matrix(kept.numpy().astype(np.float32)))
    return FeatureStore.open(out / "codes_neurons")


def _signed(rows: torch.Tensor) -> torch.Tensor:
    return torch.cat([rows, -rows], dim=1)
