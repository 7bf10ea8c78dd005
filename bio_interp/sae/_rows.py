"""Batches of one size from any source of rows, with a place to go on from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from bio_interp.errors import InputError, MismatchError

Part = Tensor | tuple[Tensor, Tensor]
"""Rows that are read, ``(any, d_model)``; for a transcoder with the rows that it shall write."""

RowSource = Iterable[Part] | Callable[[int], Iterable[Part]]
"""Parts: an iterable that can be started again, or a function from the epoch, counted from 0, to
one. The same epoch must give the same rows for a run to resume."""

Widths = tuple[int, ...]
"""Widths of what is read and, for a transcoder, of what is written. Both lie side by side in one
tensor on their way to a batch."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream stands: rows already taken of an epoch, both counted from 0."""

    epoch: int = 0
    row: int = 0


@dataclass(slots=True)
class Opened:
    """The first epoch, already open: its first rows were looked at and will be yielded again."""

    seen: list[Part]
    rest: Iterator[Part]
    widths: Widths

    @classmethod
    def look(cls, source: RowSource, count: int) -> "Opened":
        """Open a source and read at least `count` rows, or all where there are fewer."""
        if isinstance(source, Iterator):
            raise InputError(
                "a source of rows that can be read again from its start",
                "an iterator, which can be read once",
                "Give a list, or a function that makes a new iterator for every epoch.",
            )
        rest = _epoch(source, 0)
        seen: list[Part] = []
        widths: Widths = ()
        found = 0
        while found < count and (part := next(rest, None)) is not None:
            widths = widths or _widths(part)
            found += _checked(part, widths).shape[0]
            seen.append(part)
        if not found:
            raise InputError("at least one row to train on", "none", "Check the source of rows.")
        return cls(seen, rest, widths)

    def head(self, count: int) -> tuple[Tensor, ...]:
        """First `count` rows, or all that were looked at where those are fewer; one a site."""
        rows = torch.cat([_checked(part, self.widths) for part in self.seen])[:count]
        return rows.split(self.widths, dim=1)

    def __iter__(self) -> Iterator[Part]:
        while self.seen:  # let go of each as it is used
            yield self.seen.pop(0)
        yield from self.rest


class Batches:
    """Batches of exactly `batch_rows` rows, epoch after epoch, without end.

    Yields ``(rows, epoch, row)``: the batch, and the place just after it. A batch may span the
    end of an epoch, so that no row is left out.

    Parameters
    ----------
    source
        Where rows come from.
    batch_rows
        Rows a batch.
    widths
        Widths that every part must have.
    start
        Place to go on from; rows before it are read and dropped.
    opened
        The first epoch where it is already open; only for a start at the very beginning.
    """

    def __init__(
        self,
        source: RowSource,
        batch_rows: int,
        widths: Widths,
        *,
        start: Place = Place(),
        opened: Opened | None = None,
    ) -> None:
        self.source, self.batch_rows, self.widths = source, batch_rows, widths
        self.start, self.opened = start, opened

    def __iter__(self) -> Iterator[tuple[Tensor, int, int]]:
        waiting: list[Tensor] = []
        have = 0
        for part, epoch, end in self._parts():
            waiting.append(part)
            have += part.shape[0]
            if have < self.batch_rows:
                continue
            rows = torch.cat(waiting)
            whole = have - have % self.batch_rows
            for batch in rows[:whole].split(self.batch_rows):
                have -= self.batch_rows
                yield batch, epoch, end - have
            # rows of an earlier epoch are never left waiting after a batch was cut
            waiting = [rows[whole:]]

    def _parts(self) -> Iterator[tuple[Tensor, int, int]]:
        """Yield checked tensors with their epoch and the place of their end in it."""
        epoch, skip = self.start.epoch, self.start.row
        while True:
            end = 0
            for part in self._open(epoch):
                rows = part[0] if isinstance(part, tuple) else part
                end += rows.shape[0]
                if end > skip and rows.shape[0]:
                    fresh = _checked(part, self.widths)
                    yield fresh[max(0, fresh.shape[0] - (end - skip)) :], epoch, end
            if end == 0 or end < skip:
                raise InputError(
                    "a source of rows that can be read again from its start",
                    f"{end} rows in epoch {epoch}",
                    "Give a list, or a function that makes a new iterator for every epoch.",
                )
            epoch, skip = epoch + 1, 0

    def _open(self, epoch: int) -> Iterator[Part]:
        opened, self.opened = self.opened, None
        return _epoch(self.source, epoch) if opened is None else iter(opened)


def _epoch(source: RowSource, epoch: int) -> Iterator[Part]:
    return iter(source(epoch) if callable(source) else source)


def _widths(part: Part) -> Widths:
    return tuple(t.shape[-1] for t in (part if isinstance(part, tuple) else (part,)))


def _checked(part: Part, widths: Widths) -> Tensor:
    """Put what is read and what is written side by side, in float32."""
    tensors = part if isinstance(part, tuple) else (part,)
    counts = {t.shape[0] for t in tensors if t.ndim == 2}
    if any(t.ndim != 2 for t in tensors) or _widths(part) != widths or len(counts) != 1:
        raise MismatchError(
            f"rows of shape (any, {' and '.join(map(str, widths))})",
            f"shape {' and '.join(str(tuple(t.shape)) for t in tensors)}",
            "Train on activations of one site, or of one pair of sites.",
        )
    rows = tensors[0].float() if len(tensors) == 1 else torch.cat(tensors, 1).float()
    if not bool(torch.isfinite(rows.sum())) and not bool(torch.isfinite(rows).all()):
        raise InputError(
            "activations that are finite numbers",
            "NaN or infinity in a row",
            "Read the model in float32, or leave out the protein that overflows.",
        )
    return rows
