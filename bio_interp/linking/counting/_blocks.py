"""Blocks of features: how many at a time, and several at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from bio_interp.linking.counting._columns import Columns

ENTRIES = 1 << 17  # of a block
_Result = TypeVar("_Result")


def ranges(columns: Columns, *, entries: int = ENTRIES, most: int = 256) -> list[range]:
    """Cut the features into blocks of about `entries` entries, and of `most` features at most."""
    size = int(min(max(1, entries / max(1.0, columns.density)), max(1, most)))
    return [range(i, min(i + size, columns.d_sae)) for i in range(0, columns.d_sae, size)]


def mapped(
    work: Callable[[range], _Result], blocks: Sequence[range], workers: int
) -> Iterator[tuple[range, _Result]]:
    """Do `work` for every block, `workers` at a time; results in order, few of them waiting."""
    if workers <= 1:
        yield from ((block, work(block)) for block in blocks)
        return
    waiting: deque[tuple[range, Future[_Result]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for block in blocks:
            waiting.append((block, pool.submit(work, block)))
            if len(waiting) > workers:
                done, future = waiting.popleft()
                yield done, future.result()
        for done, future in waiting:
            yield done, future.result()
