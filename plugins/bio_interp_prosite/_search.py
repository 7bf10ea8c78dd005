"""Search for patterns of many layouts, in time that grows with the length of the protein only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Step:
    """One element: its letters, how often, and the end (``<``, ``>``) that may stand instead."""

    letters: frozenset[str]
    low: int
    high: int
    end: str = ""


def ends(
    sequence: str, steps: Sequence[Step], *, from_start: bool, to_end: bool
) -> Iterator[tuple[int, int]]:
    """Give ``(start, end)`` of the match at each index that has one; the end is excluded.

    Works from the last element to the first. For each index it keeps the end of the match of the
    elements from there on (-1: none), every element as long as it can be.
    """
    size = len(sequence)
    index = np.arange(size + 1)
    codes = np.frombuffer(sequence.encode("latin-1"), np.uint8)
    found = np.where(index == size, size, -1) if to_end else index.copy()  # (residues + 1,)
    for step in reversed(steps):
        found = _before(step, found, index, codes)
    for start in (0,) if from_start else range(size + 1):
        if found[start] >= 0:
            yield start, int(found[start])


def _before(step: Step, found: np.ndarray, index: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Put one element before those whose matches are `found`."""
    size = len(codes)
    allowed = np.isin(codes, [ord(letter) for letter in step.letters])
    # where the run of allowed letters that begins at an index ends
    stop = np.append(np.where(allowed, size, index[:-1]), size)
    stop = np.minimum.accumulate(stop[::-1])[::-1]
    longest = np.minimum(stop, index + min(step.high, size))
    # the last index up to each where the rest matches
    last = np.maximum.accumulate(np.where(found >= 0, index, -1))[longest]
    fits = (last >= index + step.low) & (longest >= index + step.low)
    result = np.where(fits, found[last], -1)
    if step.end:
        at = 0 if step.end == "<" else size
        result[at] = found[at] if result[at] < 0 else result[at]
    return result
