"""The sites of a stream of rows: which there are, and rows of several side by side."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from bio_interp.errors import InputError, MismatchError

Part = Tensor | tuple[Tensor, Tensor] | Mapping[str, Tensor]
"""Rows of one site, ``(any, d_model)``; or those of the site that a transcoder reads and of the
one that it writes; or those of several sites by name. All are of the same tokens."""

UNNAMED, READ, WRITE = "", "read", "write"
"""Names of the sites of a part that has none."""


def by_name(part: Part) -> Mapping[str, Tensor]:
    """Give the tensors of a part by the names of their sites."""
    if isinstance(part, Tensor):
        return {UNNAMED: part}
    return {READ: part[0], WRITE: part[1]} if isinstance(part, tuple) else part


@dataclass(frozen=True, slots=True)
class Sites:
    """Names and widths of the sites that are used; in batches their rows lie side by side."""

    names: tuple[str, ...]
    widths: tuple[int, ...]

    @classmethod
    def of(cls, part: Part, used: Collection[str]) -> "Sites":
        """Measure the sites of a part that are used."""
        tensors = by_name(part)
        names = tuple(name for name in tensors if name in used)
        return cls(names, tuple(tensors[name].shape[-1] for name in names))

    def together(self, part: Part) -> Tensor:
        """Check a part and put its sites side by side: ``(any, sum of widths)``, float32."""
        tensors = by_name(part)
        found = [tensors[name] for name in self.names if name in tensors]
        shapes = [tuple(t.shape) for t in found]
        if [shape[1:] for shape in shapes] != [(width,) for width in self.widths] or len(
            {shape[0] for shape in shapes}
        ) != 1:
            raise MismatchError(
                f"rows of shape (any, {' and '.join(map(str, self.widths))})",
                f"shape {' and '.join(map(str, shapes)) or 'none of these sites'}",
                "Train on activations of the same tokens at the same sites throughout.",
            )
        rows = found[0].float() if len(found) == 1 else torch.cat([t.float() for t in found], 1)
        if not bool(torch.isfinite(rows.sum())) and not bool(torch.isfinite(rows).all()):
            raise InputError(
                "activations that are finite numbers",
                "NaN or infinity in a row",
                "Read the model in float32, or leave out the protein that overflows.",
            )
        return rows

    def apart(self, rows: Tensor) -> dict[str, Tensor]:
        """Take rows that lie side by side apart again, without copying."""
        return dict(zip(self.names, rows.split(self.widths, dim=1), strict=True))

    def norm_limits(self, rows: Tensor, ratio: float | None) -> Tensor:
        """Multiply the median norm of each site by `ratio`; infinity is no limit, ``(sites,)``."""
        limits = torch.full((len(self.names),), float("inf"))
        for site, part in enumerate(rows.split(self.widths, dim=1)):
            median = float(torch.linalg.vector_norm(part, dim=1).median())
            if ratio is not None and median > 0:
                limits[site] = ratio * median
        return limits

    def within(self, rows: Tensor, limits: Tensor) -> Tensor:
        """Tell which rows are within the limit at every site, ``(any,)`` bool."""
        kept = torch.ones(rows.shape[0], dtype=torch.bool, device=rows.device)
        for part, limit in zip(rows.split(self.widths, dim=1), limits.tolist(), strict=True):
            kept &= torch.linalg.vector_norm(part, dim=1) <= limit
        return kept
