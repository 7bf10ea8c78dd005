"""Make items ahead in a thread, so that reading and learning overlap."""

from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import Generic, TypeVar

import torch

T = TypeVar("T")


class Prefetched(Iterator[T], Generic[T]):
    """The items of an iterator, in its order, made by a thread while earlier ones are used.

    At most ``depth + 1`` finished items wait. What the iterator raises is raised here in its
    turn. The thread starts with the first item that is asked for, and ends with the last, with an
    error, or with `close`.

    Parameters
    ----------
    items
        Used by the thread alone from now on, without gradients.
    depth
        Items that may wait.

    Examples
    --------
    >>> list(Prefetched(iter("abc"), depth=1))
    ['a', 'b', 'c']
    """

    def __init__(self, items: Iterator[T], depth: int) -> None:
        self._queue: Queue[tuple[T] | BaseException] = Queue(depth)
        self._stop, self._over = Event(), False
        self._thread = Thread(target=self._make, args=(items,), daemon=True, name="prefetch")

    def __next__(self) -> T:
        if self._over:
            raise StopIteration
        if self._thread.ident is None:
            self._thread.start()
        found = self._queue.get()  # Ctrl-C is heard here too
        if isinstance(found, tuple):
            return found[0]
        self._over = True
        self._thread.join()
        raise found

    def close(self) -> None:
        """Stop the thread, after the item that it is about, and wait for its end."""
        self._stop.set()
        self._over = True
        while self._thread.is_alive():
            with suppress(Empty):
                self._queue.get(timeout=0.02)  # it may be waiting for room

    def _make(self, items: Iterator[T]) -> None:
        end: BaseException = StopIteration()
        try:
            with torch.no_grad():  # a setting of each thread
                for item in items:
                    if self._stop.is_set():
                        return
                    self._queue.put((item,))
        except BaseException as error:
            end = error
        finally:
            self._queue.put(end)
