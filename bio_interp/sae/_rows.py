"""Batches of one size from any source of rows, with a place to go on from."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Protocol, cast, runtime_checkable

import torch
from torch import Tensor

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae._parallel import rank, world_size
from bio_interp.sae._prefetch import Prefetched
from bio_interp.sae._sites import Part, Sites, by_name

_READ_ROWS = 8192


@runtime_checkable
class StartableRows(Protocol):
    """A source that can begin within an epoch, so that a resumed run need not read up to there."""

    def start(self, epoch: int, row: int) -> Iterable[Part]:
        """Give the rows of an epoch from a row on, both counted from 0."""
        ...


RowSource = (
    Tensor | Mapping[str, Tensor] | StartableRows | Iterable[Part] | Callable[[int], Iterable[Part]]
)
"""Rows in memory, ``(rows, d_model)``, alone or by site, which are mixed anew for each epoch in an
order that the epoch alone decides; or parts that are already mixed: an iterable that can be started
again, or a function from the epoch, counted from 0, to one, or `StartableRows`. The same epoch
must give the same rows for a run to resume."""


class TensorRows:
    """Rows in memory as `StartableRows`, mixed anew for each epoch.

    Parameters
    ----------
    rows
        ``(rows, d_model)``, or several such tensors of the same tokens by site.
    """

    def __init__(self, rows: Tensor | Mapping[str, Tensor]) -> None:
        self.rows = rows

    def start(self, epoch: int, row: int) -> Iterator[Part]:
        """See `StartableRows.start`; memory is 8 bytes a row on top of the rows."""
        tensors = by_name(self.rows)
        counts = {site: t.shape[0] for site, t in tensors.items()}
        if len(set(counts.values())) > 1:
            raise MismatchError(
                "as many rows at each site", str(counts), "Give activations of the same tokens."
            )
        generator = torch.Generator().manual_seed(epoch)
        order = torch.randperm(max(counts.values(), default=0), generator=generator)
        for part in order[row:].split(_READ_ROWS):
            taken = {name: t[part.to(t.device)] for name, t in tensors.items()}
            yield taken[""] if isinstance(self.rows, Tensor) else taken


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stream stands: rows already taken of an epoch, both counted from 0."""

    epoch: int = 0
    row: int = 0


class Batch(NamedTuple):
    """Rows to learn from.

    Attributes
    ----------
    rows
        Those of this process, its sites side by side.
    epoch, row
        The `Place` just after them.
    left_out
        Rows that were left out for their norm since the batch before.
    """

    rows: Tensor
    epoch: int
    row: int
    left_out: int


@dataclass(slots=True)
class Opened:
    """The first epoch, already open: its first rows were looked at and will be yielded again."""

    seen: list[Part]
    rest: Iterator[Part]

    @classmethod
    def look(cls, source: RowSource, count: int) -> "Opened":
        """Open a source and read at least `count` rows, or all where there are fewer."""
        if isinstance(source, Iterator):
            raise InputError(
                "a source of rows that can be read again from its start",
                "an iterator, which can be read once",
                "Give a list, or a function that makes a new iterator for every epoch.",
            )
        rest, _ = open_epoch(source, Place())
        seen: list[Part] = []
        found = 0
        while found < count and (part := next(rest, None)) is not None:
            found += count_rows(part)
            seen.append(part)
        if not found:
            raise InputError("at least one row to train on", "none", "Check the source of rows.")
        return cls(seen, rest)

    def head(self, sites: Sites, count: int) -> Tensor:
        """First `count` rows, sites side by side, or all that were looked at where fewer."""
        return torch.cat([sites.together(part) for part in self.seen])[:count]

    def __iter__(self) -> Iterator[Part]:
        while self.seen:  # let go of each as it is used
            yield self.seen.pop(0)
        yield from self.rest


class Batches:
    """Batches of exactly `batch_rows` rows, epoch after epoch.

    A batch may span the end of an epoch, and rows beyond the limits of their norm are left out
    before batches are cut, so that every batch is full.

    Parameters
    ----------
    source
        Where rows come from.
    batch_rows
        Rows a batch, of which each process of a data-parallel training gets every n-th.
    sites
        What every part must have.
    limits
        Largest norm of a row at each site, ``(sites,)``; infinity is no limit.
    start
        Place to go on from. Rows before it are read and dropped, unless the source is
        `StartableRows`.
    opened
        The first epoch where it is already open; only for a start at the very beginning.
    count
        Batches in all; None is without end.
    prefetch
        Batches that a thread makes ahead; 0 is no thread.
    """

    def __init__(
        self,
        source: RowSource,
        batch_rows: int,
        sites: Sites,
        *,
        limits: Tensor | None = None,
        start: Place = Place(),
        opened: Opened | None = None,
        count: int | None = None,
        prefetch: int = 0,
    ) -> None:
        self.source, self.batch_rows, self.sites = source, batch_rows, sites
        self.limits = None if limits is None or bool(limits.isinf().all()) else limits
        self.start, self.opened, self.count, self.prefetch = start, opened, count, prefetch
        self._ahead: Prefetched[Batch] | None = None

    def __iter__(self) -> Iterator[Batch]:
        self.close()
        batches = islice(self._batches(rank(), world_size()), self.count)
        if not self.prefetch:
            return batches
        self._ahead = Prefetched(batches, self.prefetch)
        return self._ahead

    def close(self) -> None:
        """End the thread that reads ahead, if there is one."""
        if self._ahead is not None:
            self._ahead.close()

    def _batches(self, own: int, processes: int) -> Iterator[Batch]:
        waiting: list[Tensor] = []
        have = used = 0
        for part, ends, epoch, earlier in self._parts():
            waiting.append(part)
            have += part.shape[0]
            if have < self.batch_rows:
                continue
            rows = torch.cat(waiting) if len(waiting) > 1 else part
            whole = have - have % self.batch_rows
            for batch in rows[:whole].split(self.batch_rows):
                have -= self.batch_rows
                row = int(ends[-1 - have])
                left_out = earlier + row - used - self.batch_rows
                yield Batch(batch[own::processes].contiguous(), epoch, row, left_out)
                used = earlier + row
            # rows of an earlier epoch are never left waiting after a batch was cut
            waiting = [rows[whole:]] if have else []

    def _parts(self) -> Iterator[tuple[Tensor, Tensor, int, int]]:
        """Yield kept rows, the place after each, their epoch, and all rows before that epoch."""
        place, earlier = self.start, -self.start.row
        while True:
            parts, end = self._open(place)
            found = place.row > 0
            for part in parts:
                end += count_rows(part)
                if end <= place.row or not count_rows(part):
                    continue
                rows = self.sites.together(part)
                rows = rows[max(0, rows.shape[0] - (end - place.row)) :]
                kept, ends = self._kept(rows, end)
                found = found or len(ends) > 0
                yield kept, ends, place.epoch, earlier
            _check_epoch(end, place, found)
            place, earlier = Place(place.epoch + 1), earlier + end

    def _kept(self, rows: Tensor, end: int) -> tuple[Tensor, Tensor]:
        ends = torch.arange(end - rows.shape[0], end) + 1
        if self.limits is None:
            return rows, ends
        kept = self.sites.within(rows, self.limits)
        return (rows, ends) if bool(kept.all()) else (rows[kept], ends[kept.cpu()])

    def _open(self, place: Place) -> tuple[Iterator[Part], int]:
        opened, self.opened = self.opened, None
        return open_epoch(self.source, place) if opened is None else (iter(opened), 0)


def open_epoch(source: RowSource, place: Place) -> tuple[Iterator[Part], int]:
    """Open an epoch; gives its parts and the row at which they begin, at most that of `place`."""
    if isinstance(source, Tensor | Mapping):
        source = TensorRows(cast("Tensor | Mapping[str, Tensor]", source))
    if isinstance(source, StartableRows):
        return iter(source.start(place.epoch, place.row)), place.row
    return iter(source(place.epoch) if callable(source) else source), 0


def count_rows(part: Part) -> int:
    """Count the rows of a part."""
    return min((t.shape[0] for t in by_name(part).values() if t.ndim), default=0)


def _check_epoch(end: int, place: Place, found: bool) -> None:
    if end == 0 or end < place.row:
        raise InputError(
            "a source of rows that can be read again from its start",
            f"{end} rows in epoch {place.epoch}",
            "Give a list, or a function that makes a new iterator for every epoch.",
        )
    if not found:
        raise InputError(
            "rows with a norm within max_norm_ratio of the median at the start of the source",
            f"none in epoch {place.epoch}",
            "Mix the rows, or set max_norm_ratio to None.",
        )
