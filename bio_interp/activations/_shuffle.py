"""Mix the rows of many proteins in bounded memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import overload

import torch
from torch import Tensor

from bio_interp.errors import InputError, MismatchError


@overload
def shuffled_rows(
    readings: Iterable[Tensor],
    *,
    buffer_rows: int,
    batch_rows: int,
    seed: int,
    dtype: torch.dtype = torch.float32,
) -> Iterator[Tensor]: ...
@overload
def shuffled_rows(
    readings: Iterable[Mapping[str, Tensor]],
    *,
    buffer_rows: int,
    batch_rows: int,
    seed: int,
    dtype: torch.dtype = torch.float32,
) -> Iterator[dict[str, Tensor]]: ...
def shuffled_rows(
    readings: Iterable[Tensor] | Iterable[Mapping[str, Tensor]],
    *,
    buffer_rows: int,
    batch_rows: int,
    seed: int,
    dtype: torch.dtype = torch.float32,
) -> Iterator[Tensor] | Iterator[dict[str, Tensor]]:
    """Mix rows through a buffer: each new row takes a random slot and frees the row that was there.

    Neighbouring residues of a protein are alike; an SAE that sees them together in a batch learns
    the protein rather than the features. The same readings and seed give the same batches.

    Parameters
    ----------
    readings
        Activations, one tensor ``(residues, d_model)`` a protein; or one such tensor a site, by
        name, which stay together and are yielded by name.
    buffer_rows
        Rows held. Memory is ``buffer_rows * d_model`` numbers of `dtype` (the widths of several
        sites added), allocated once (see `buffer_bytes`), and two batches.
    batch_rows
        Rows of each tensor yielded; the last may have fewer. No row is lost or repeated.
    seed
        Seed of the slots.
    dtype
        What the buffer holds; ``torch.float16`` halves it. Batches are float32.

    Examples
    --------
    >>> readings = [torch.full((5, 1), float(protein)) for protein in range(4)]
    >>> batches = list(shuffled_rows(readings, buffer_rows=10, batch_rows=8, seed=0))
    >>> [len(batch) for batch in batches], torch.cat(batches).sum().item()
    ([8, 8, 4], 30.0)
    """
    for name, number in (("buffer_rows", buffer_rows), ("batch_rows", batch_rows)):
        if number < 1:
            raise InputError(f"{name} of at least 1", str(number), f"Set {name} to 1 or more.")
    widths: dict[str, int] = {}
    together = _together(readings, widths)
    batches = _rebatch(_mixed(together, buffer_rows, seed, dtype), batch_rows)
    return _as_read(batches, widths)


def buffer_bytes(buffer_rows: int, d_model: int, dtype: torch.dtype = torch.float32) -> int:
    """Say how many bytes the buffer of `shuffled_rows` takes.

    Examples
    --------
    >>> buffer_bytes(262_144, 1900) / 2**30
    1.85546875
    """
    return buffer_rows * d_model * dtype.itemsize


def places_left(lengths: Sequence[int], row: int, *, buffer_rows: int, seed: int) -> list[bool]:
    """Tell of which readings `shuffled_rows` has anything left to give after some rows.

    Which slot a row takes does not depend on what it holds, so numbers of readings are mixed in
    the place of activations.

    Parameters
    ----------
    lengths
        Rows of each reading.
    row
        Rows that were given already.
    buffer_rows, seed
        As for `shuffled_rows`.

    Examples
    --------
    >>> places_left([4, 4, 4], 6, buffer_rows=2, seed=0)
    [False, True, True]
    """
    if not row:
        return [True] * len(lengths)
    numbers = (torch.full((n, 1), i, dtype=torch.float64) for i, n in enumerate(lengths))
    left = [False] * len(lengths)
    passed = 0
    for part in _mixed(numbers, buffer_rows, seed, torch.float64):
        for number in part[max(0, row - passed) :].long().unique().tolist():
            left[number] = True
        passed += part.shape[0]
    return left


def _together(
    readings: Iterable[Tensor] | Iterable[Mapping[str, Tensor]], widths: dict[str, int]
) -> Iterator[Tensor]:
    """Put the sites of each reading side by side; `widths` becomes those of the first."""
    for rows in readings:
        if isinstance(rows, Tensor):
            yield rows
            continue
        if not widths:
            widths.update({site: tensor.shape[-1] for site, tensor in rows.items()})
        found = {site: tuple(tensor.shape) for site, tensor in rows.items()}
        count = next(iter(found.values()), (0,))[0]
        if found != {site: (count, width) for site, width in widths.items()}:
            raise MismatchError(
                f"activations of the same residues at {widths} (site and width)",
                f"shapes {found}",
                "Read every protein at the same sites.",
            )
        yield torch.cat([rows[site] for site in widths], 1)


def _as_read(
    batches: Iterator[Tensor], widths: dict[str, int]
) -> Iterator[Tensor] | Iterator[dict[str, Tensor]]:
    for batch in batches:
        if widths:  # known since the first reading
            yield dict(zip(widths, batch.split(list(widths.values()), dim=1), strict=True))
        else:
            yield batch


def _mixed(
    readings: Iterable[Tensor], buffer_rows: int, seed: int, dtype: torch.dtype
) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    buffer: Tensor | None = None
    filled = 0
    slots = torch.empty(0, dtype=torch.int64)
    for rows in readings:
        if buffer is None:
            buffer = torch.empty(buffer_rows, _width(rows, None), dtype=dtype)
        _width(rows, buffer.shape[1])
        fresh = rows.to("cpu", dtype)
        room = min(buffer_rows - filled, fresh.shape[0])
        buffer[filled : filled + room] = fresh[:room]
        filled += room
        # a permutation is walked to its end before a new one is drawn: every slot turns over
        for part in fresh[room:].split(max(1, buffer_rows // 2)):
            while slots.shape[0] < part.shape[0]:
                slots = torch.randperm(buffer_rows, generator=generator)
            taken, slots = slots[: part.shape[0]], slots[part.shape[0] :]
            freed = buffer[taken]
            buffer[taken] = part
            yield freed
    if buffer is not None:
        yield from buffer[torch.randperm(filled, generator=generator)].split(8192)


def _rebatch(parts: Iterator[Tensor], batch_rows: int) -> Iterator[Tensor]:
    waiting: list[Tensor] = []
    have = 0
    for part in parts:
        waiting.append(part)
        have += part.shape[0]
        if have < batch_rows:
            continue
        whole = have - have % batch_rows
        rows = torch.cat(waiting)
        yield from (batch.float() for batch in rows[:whole].split(batch_rows))
        have -= whole
        waiting = [rows[whole:].clone()]
    if have:
        yield torch.cat(waiting).float()


def _width(rows: Tensor, d_model: int | None) -> int:
    if rows.ndim != 2 or (d_model is not None and rows.shape[1] != d_model):
        raise MismatchError(
            f"activations of shape (residues, {d_model or 'd_model'})",
            f"shape {tuple(rows.shape)}",
            "Mix activations of one site.",
        )
    return rows.shape[1]
