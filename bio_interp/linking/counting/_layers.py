"""Stretches of residues as lookups: find the stretches that a residue lies in."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int
from numpy import ndarray

from bio_interp.linking._intervals import Intervals

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Layers:
    """Stretches dealt into as few layers as have no overlap within, one lookup a layer.

    So a residue finds all stretches that it lies in with one read a layer, and there are as many
    layers as stretches at the fullest residue.

    Parameters
    ----------
    spans
        Stretches, sorted by start.
    residues
        Length of the axis.
    device
        Where the lookups lie.
    """

    def __init__(self, spans: Intervals, residues: int, device: torch.device) -> None:
        import torch

        layer = _deal(spans)
        self._lookups: list[Tensor] = []
        for number in range(int(layer.max(initial=-1)) + 1):
            own = np.flatnonzero(layer == number)
            length = spans.end[own] - spans.start[own]
            lookup = np.full(residues, -1, np.int32)
            first = np.repeat(spans.start[own] - np.cumsum(length) + length, length)
            lookup[first + np.arange(len(first))] = np.repeat(own, length)
            self._lookups.append(torch.from_numpy(lookup).to(device))

    def find(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Pair residues with the stretches they lie in.

        Returns
        -------
        Tensor, Tensor
            Place in `index`, and number of the stretch, of each pair; both int64.
        """
        import torch

        at, span = [index.new_zeros(0)], [index.new_zeros(0)]
        for lookup in self._lookups:
            found = lookup[index]
            inside = (found >= 0).nonzero().squeeze(1)
            at.append(inside)
            span.append(found[inside].long())
        return torch.cat(at), torch.cat(span)


def _deal(spans: Intervals) -> Int[ndarray, "spans"]:
    """Give each stretch the first layer that is free where it starts."""
    layer = np.zeros(len(spans), np.int64)
    if not len(spans) or (spans.start[1:] >= spans.end[:-1]).all():
        return layer
    free: list[int] = []
    busy: list[tuple[int, int]] = []  # end and number of the layers in use
    made = 0
    for i, (start, end) in enumerate(zip(spans.start.tolist(), spans.end.tolist(), strict=True)):
        while busy and busy[0][0] <= start:
            heappush(free, heappop(busy)[1])
        if not free:
            heappush(free, made)
            made += 1
        layer[i] = heappop(free)
        heappush(busy, (end, int(layer[i])))
    return layer
