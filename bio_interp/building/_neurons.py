"""The model's own neurons as features, both signs, for the same link protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bio_interp.building._sample import EVALUATED, Drawn
from bio_interp.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from bio_interp.activations import ActivationStore
    from bio_interp.features import FeatureStore

_MEASURED_ROWS = 50_000
_CUT_ROWS = 20_000


def neuron_store(
    store: ActivationStore, drawn: Sequence[Drawn], folder: Path, *, k: int
) -> FeatureStore:
    """Store neurons as sparse codes: unit ``i`` is neuron ``i`` above, ``d_model + i`` below.

    A signed neuron is on where it is above a quantile of its own over fit residues, chosen so
    that about `k` of all are on in a residue, as many as the SAE has features on.

    Raises
    ------
    InputError
        No fit protein was harvested (the SAE was loaded, not trained).
    """
    import torch
    from scipy.sparse import csr_matrix

    from bio_interp.features import FeatureStore

    some = _some_rows(store, {d.accession for d in drawn if d.fold == "fit"})
    mean = some.mean(0)
    both = _signed(some - mean)[:: max(1, len(some) // _CUT_ROWS)]  # (rows, 2 * d_model)
    firing = k / both.shape[1]
    cut = torch.from_numpy(np.quantile(both.numpy(), 1 - firing, axis=0))
    codes = FeatureStore.create(folder, d_sae=both.shape[1], settings={"firing": firing})
    done = codes.done()
    wanted = {d.accession for d in drawn if d.fold in EVALUATED} - done
    with codes.writer(shard_proteins=512, shard_nonzeros=40_000_000) as writer:
        for name, rows in store.proteins(wanted):
            signed = _signed(rows - mean)
            kept = signed.masked_fill_(signed < cut, 0.0).clamp_min_(0.0)
            writer.add(name, csr_matrix(kept.numpy().astype(np.float32)))
    return FeatureStore.open(folder)


def _some_rows(store: ActivationStore, fit: set[str]) -> Tensor:
    """Take rows of the fit proteins, evenly apart."""
    import torch

    lengths = np.diff(store.offsets)
    have = sum(int(n) for name, n in zip(store.accessions, lengths, strict=True) if name in fit)
    if not have:
        raise InputError(
            "harvested fit proteins for report.neurons",
            "none (sae.load leaves them out)",
            "Set report.neurons = false, or train the SAE.",
        )
    step = max(1, have // _MEASURED_ROWS)
    return torch.cat([rows[::step] for _, rows in store.proteins(fit)])


def _signed(rows: Tensor) -> Tensor:
    import torch

    return torch.cat([rows, -rows], dim=1)
