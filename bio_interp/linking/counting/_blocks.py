"""Blocks of features: how many at a time, and several at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from bio_interp.linking.counting._columns import Columns

ENTRIES = 1 << 17  # of a block
_Result = TypeVar("_Result")


def ranges(columns: Columns, *, entries: int = ENTRIES, most: int = 256) -> list[range]:
    """Cut the features into blocks of about `entries` entries, and of `most` features at most."""
    size = int(min(max(1, entries / max(1.0, columns.density)), max(1, most)))
    return [range(i, min(i + size, columns.d_sae)) for i in range(0, columns.d_sae, size)]


@contextmanager
def _restored(threads: int) -> Generator[None, None, None]:
    """Put the number of threads back: what a worker sets holds for threads made later too."""
    import torch

    try:
        yield
    finally:
        torch.set_num_threads(threads)


def mapped(
    work: Callable[[range], _Result], blocks: Sequence[range], workers: int
) -> Iterator[tuple[range, _Result]]:
    """Do `work` for every block, `workers` at a time; results in order, few of them waiting.

    Each worker computes with one thread of torch: a block is too small to be shared, and threads
    of threads would wait for each other.
    """
    import torch

    if workers <= 1:
        yield from ((block, work(block)) for block in blocks)
        return
    waiting: deque[tuple[range, Future[_Result]]] = deque()
    before = torch.get_num_threads()
    with (
        _restored(before),
        ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool,
    ):
        for block in blocks:
            waiting.append((block, pool.submit(work, block)))
            if len(waiting) > workers:
                done, future = waiting.popleft()
                yield done, future.result()
        for done, future in waiting:
            yield done, future.result()
