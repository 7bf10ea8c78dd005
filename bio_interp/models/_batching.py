"""Run work over proteins in batches of like length, in bounded memory, in input order."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from bio_interp.errors import BioInterpError

Item = TypeVar("Item")
Result = TypeVar("Result")

_log = logging.getLogger(__name__)


def read_windows(
    items: Iterable[Item], *, length: Callable[[Item], int], residues: int = 65_536
) -> Iterator[list[Item]]:
    """Cut a stream into lists of about `residues` residues, without reading ahead of the list.

    Parameters
    ----------
    items
        Any stream; read once.
    length
        Residues of an item.
    residues
        A list ends with the item that reaches this many; at least one item a list.

    Examples
    --------
    >>> list(read_windows(["MKV", "MA", "M"], length=len, residues=4))
    [['MKV', 'MA'], ['M']]
    """
    window: list[Item] = []
    size = 0
    for item in items:
        window.append(item)
        size += length(item)
        if size >= residues or len(window) >= residues:
            yield window
            window, size = [], 0
    if window:
        yield window


def batches_by_length(
    lengths: Sequence[int], *, token_budget: int, padded: bool = True
) -> list[list[int]]:
    """Group items of like length so that no batch costs more tokens than the budget.

    Parameters
    ----------
    lengths
        Tokens of each item, special tokens counted.
    token_budget
        Most tokens in a batch; an item longer than this is a batch of its own.
    padded
        True counts a batch as its longest item times its size, False as the sum of its items.

    Returns
    -------
    list of list of int
        Indices into `lengths`, longest batch first, so that a batch too large for the memory
        shows at once and not after an hour.

    Examples
    --------
    >>> batches_by_length([5, 90, 10, 80], token_budget=180)
    [[1, 3], [2, 0]]
    """
    batches: list[list[int]] = []
    cost = token_budget + 1
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        # the first of a padded batch is its longest, so each newcomer costs as much as that one
        step = lengths[batches[-1][0]] if padded and batches else lengths[index]
        if cost + step > token_budget:
            batches.append([])
            cost, step = 0, lengths[index]
        batches[-1].append(index)
        cost += step
    return batches


def map_by_length(
    run: Callable[[list[Item]], Sequence[Result]],
    items: Iterable[Item],
    *,
    length: Callable[[Item], int],
    token_budget: int,
    window_residues: int = 65_536,
    padded: bool = True,
) -> Iterator[Result]:
    """Run batches of items of like length; yield one result an item, in input order.

    A window of the input is read, sorted by length, cut into batches and put back in order, so
    that memory holds the results of one window. Out of memory halves a batch
    (`with_oom_halving`).

    Parameters
    ----------
    run
        Takes items, returns as many results in the same order.
    items
        Any stream.
    length
        Tokens of an item.
    token_budget
        Most tokens in a batch, see `batches_by_length`.
    window_residues
        Size of the window in tokens.
    padded
        Whether `run` pads its items to the longest.

    Examples
    --------
    >>> list(map_by_length(lambda batch: [s.lower() for s in batch], ["MKV", "A", "GG"],
    ...                    length=len, token_budget=4))
    ['mkv', 'a', 'gg']
    """
    for window in read_windows(items, length=length, residues=window_residues):
        results: dict[int, Result] = {}
        lengths = [length(item) for item in window]
        for batch in batches_by_length(lengths, token_budget=token_budget, padded=padded):
            outcome = with_oom_halving(run, [window[i] for i in batch])
            results.update(zip(batch, outcome, strict=True))
        for index in range(len(window)):
            yield results.pop(index)


def with_oom_halving(
    run: Callable[[list[Item]], Sequence[Result]], items: list[Item]
) -> list[Result]:
    """Run a batch; where the memory is too small, run its halves one after the other.

    Each halving is logged as a warning.

    Raises
    ------
    BioInterpError
        One item alone does not fit.

    Examples
    --------
    >>> def run(batch):
    ...     if len(batch) > 2:
    ...         raise MemoryError
    ...     return batch
    >>> with_oom_halving(run, [1, 2, 3, 4])
    [1, 2, 3, 4]
    """
    waiting = [items]
    done: list[Result] = []
    while waiting:
        batch = waiting.pop()
        outcome = _attempt(run, batch)
        if outcome is not None:
            done += outcome
            continue
        half = (len(batch) + 1) // 2
        _log.warning("out of memory with %d proteins at once; going on with %d", len(batch), half)
        stream = iter(batch)
        waiting += [list(islice(stream, half)), list(stream)][::-1]
    return done


def _attempt(
    run: Callable[[list[Item]], Sequence[Result]], batch: list[Item]
) -> Sequence[Result] | None:
    try:
        return run(batch)
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        if len(batch) < 2:
            raise BioInterpError(
                "memory for one protein at a time",
                str(error).splitlines()[0] if str(error) else type(error).__name__,
                "Free memory, or use another device.",
            ) from error
    # outside the handler, where the traceback no longer holds the tensors of the failed run
    _free_device_memory()
    return None


def _is_out_of_memory(error: Exception) -> bool:
    # torch has a class for accelerators only; its CPU allocator raises a plain RuntimeError
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "can't allocate memory" in str(error)
    )


def _free_device_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
