"""Rows to validate on, and what an SAE makes of them as it would ship."""

from collections.abc import Iterator

import torch
from torch import Tensor

from bio_interp.sae._model import SparseAutoencoder
from bio_interp.sae._parallel import rank, total, world_size
from bio_interp.sae._rows import Place, RowSource, open_epoch
from bio_interp.sae._sites import Sites


class ValidationRows:
    """The first epoch of a source, in batches; rows beyond the limits are left out as in training.

    Each process of a data-parallel training gets every n-th row of a batch.
    """

    def __init__(self, source: RowSource, batch_rows: int, sites: Sites, limits: Tensor) -> None:
        self.source, self.batch_rows, self.sites, self.limits = source, batch_rows, sites, limits

    def __iter__(self) -> Iterator[Tensor]:
        for part in open_epoch(self.source, Place())[0]:
            rows = self.sites.together(part)
            for batch in rows[self.sites.within(rows, self.limits)].split(self.batch_rows):
                yield batch[rank() :: world_size()].contiguous()


class Judge:
    """Adds up FVU and L0 of an SAE over batches of rows.

    FVU is ``sum |y - y_hat|^2 / sum |y - mean(y)|^2`` over all rows, as `SparseAutoencoder.fvu`
    has it, in the units that `out_norm` makes of them, in which it is the same.
    """

    def __init__(self, sae: SparseAutoencoder) -> None:
        self.sae = sae
        width = sae.config.width_out
        # entries on, rows, |y - y_hat|^2, |y|^2, and the sum of y
        self.sums = torch.zeros(4 + width, dtype=torch.float64)

    @torch.no_grad()
    def add(self, rows: Tensor, targets: Tensor | None = None) -> None:
        """Add rows, ``(rows, d_model)``, and for a transcoder what it shall write."""
        if not rows.shape[0]:
            return
        sae, target = self.sae, rows if targets is None else targets
        codes = sae.encode(rows)
        missed = (target - sae.rebuild(rows, codes)) * sae.out_norm.scale
        wanted = sae.out_norm.apply_to(target)
        self.sums[0] += codes.values.shape[0]
        self.sums[1] += rows.shape[0]
        self.sums[2] += missed.square().sum().cpu()
        self.sums[3] += wanted.square().sum().cpu()
        self.sums[4:] += wanted.sum(0).cpu()

    def metrics(self, device: torch.device) -> dict[str, float]:
        """Give ``val_fvu`` and ``val_l0`` over the rows of all processes; NaN without rows."""
        sums = total(self.sums.to(device)) if world_size() > 1 else self.sums
        on, rows, missed, square = sums[:4].tolist()
        spread = square - float(sums[4:].square().sum()) / max(1.0, rows)
        nan = float("nan")
        return {
            "val_fvu": missed / spread if spread > 0 else nan,
            "val_l0": on / rows if rows else nan,
        }
