"""Batches of one size from any source of rows, with a place to go on from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from bio_interp.errors import InputError, MismatchError

RowSource = Iterable[Tensor] | Callable[[int], Iterable[Tensor]]
"""Tensors of shape ``(any, d_model)``: an iterable that can be started again, or a function from
the epoch, counted from 0, to one. The same epoch must give the same rows for a run to resume."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream stands: rows already taken of an epoch, both counted from 0."""

    epoch: int = 0
    row: int = 0


@dataclass(slots=True)
class Opened:
    """The first epoch, already open: its first rows were looked at and will be yielded again."""

    seen: list[Tensor]
    rest: Iterator[Tensor]

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
        seen: list[Tensor] = []
        while sum(part.shape[0] for part in seen) < count:
            part = next(rest, None)
            if part is None:
                break
            seen.append(_checked(part, seen[0].shape[1] if seen else None))
        if not any(part.shape[0] for part in seen):
            raise InputError("at least one row to train on", "none", "Check the source of rows.")
        return cls(seen, rest)

    def head(self, count: int) -> Tensor:
        """First `count` rows, or all that were looked at where those are fewer."""
        return torch.cat(self.seen)[:count]

    def __iter__(self) -> Iterator[Tensor]:
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
    d_model
        Width that every tensor must have.
    start
        Place to go on from; rows before it are read and dropped.
    opened
        The first epoch where it is already open; only for a start at the very beginning.
    """

    def __init__(
        self,
        source: RowSource,
        batch_rows: int,
        d_model: int,
        *,
        start: Place = Place(),
        opened: Opened | None = None,
    ) -> None:
        self.source, self.batch_rows, self.d_model = source, batch_rows, d_model
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
                end += part.shape[0]
                fresh = part[max(0, part.shape[0] - max(0, end - skip)) :]
                if fresh.shape[0]:
                    yield _checked(fresh, self.d_model), epoch, end
            if end == 0 or end < skip:
                raise InputError(
                    "a source of rows that can be read again from its start",
                    f"{end} rows in epoch {epoch}",
                    "Give a list, or a function that makes a new iterator for every epoch.",
                )
            epoch, skip = epoch + 1, 0

    def _open(self, epoch: int) -> Iterator[Tensor]:
        opened, self.opened = self.opened, None
        return _epoch(self.source, epoch) if opened is None else iter(opened)


def _epoch(source: RowSource, epoch: int) -> Iterator[Tensor]:
    return iter(source(epoch) if callable(source) else source)


def _checked(rows: Tensor, d_model: int | None) -> Tensor:
    if rows.ndim != 2 or (d_model is not None and rows.shape[1] != d_model):
        raise MismatchError(
            f"rows of shape (any, {d_model or 'd_model'})",
            f"shape {tuple(rows.shape)}",
            "Train on activations of one site.",
        )
    rows = rows.float()
    if not bool(torch.isfinite(rows.sum())) and not bool(torch.isfinite(rows).all()):
        raise InputError(
            "activations that are finite numbers",
            "NaN or infinity in a row",
            "Read the model in float32, or leave out the protein that overflows.",
        )
    return rows
