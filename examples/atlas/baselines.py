"""The model's own neurons as features, both signs, for the same link protocol."""

from pathlib import Path

import numpy as np
import torch
from harvest import Harvest
from sample import EVALUATED
from scipy.sparse import csr_matrix

from bio_interp.features import FeatureStore


def neuron_store(harvest: Harvest, out: Path, k: int) -> FeatureStore:
    """Store neurons as sparse codes: unit ``i`` is neuron ``i`` above, ``d_model + i`` below.

    A signed neuron is on where it is above a quantile of its own over fit residues, chosen so
    that about `k` of all are on in a residue, as many as the SAE has features on.
    """
    rows = harvest.training_rows()
    some = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:50_000]]
    mean = some.float().mean(0)
    both = _signed(some.float() - mean)  # (rows, 2 * d_model)
    firing = k / both.shape[1]
    cut = torch.from_numpy(np.quantile(both[:20_000].numpy(), 1 - firing, axis=0))
    store = FeatureStore.create(
        out / "codes_neurons", d_sae=both.shape[1], settings={"firing": firing}
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
