"""Counts of several machines or processes, added up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bio_interp.errors import MismatchError, NotFoundError
from bio_interp.linking.counting._counts import Counts
from bio_interp.provenance import atomic_path, write_json

if TYPE_CHECKING:
    from torch import Tensor

_DONE = "counts.json"


def save_counts(counts: Iterable[tuple[range, Counts]], folder: Path) -> None:
    """Write what one part counted, so that another process can add it up.

    Parameters
    ----------
    counts
        As `count` yields them, of one part.
    folder
        Of this part alone; it is whole when ``counts.json`` is there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _DONE).unlink(missing_ok=True)
    blocks = list[list[int]]()
    for features, block in counts:
        arrays: dict[str, Any] = {}
        for name, tensor in vars(block).items():
            table = tensor.cpu().numpy()
            at = np.flatnonzero(table)  # most pairs never meet
            arrays |= {f"{name}.at": at, f"{name}.count": table.reshape(-1)[at]}
            arrays[f"{name}.shape"] = np.array(table.shape)
        with atomic_path(folder / f"{features.start:08d}.npz") as path, path.open("wb") as file:
            np.savez_compressed(file, **arrays)
        blocks.append([features.start, features.stop])
    write_json(folder / _DONE, {"blocks": blocks})


def saved_counts(folders: Sequence[Path]) -> Iterator[tuple[range, Counts]]:
    """Add up what all parts counted.

    Parameters
    ----------
    folders
        One of every part.

    Yields
    ------
    range, Counts
        As `count` does for the whole; the numbers are the same to the last bit.

    Raises
    ------
    NotFoundError
        A part is missing, or was not finished.
    MismatchError
        The parts are of other features than each other.
    """
    import json

    lists = list[list[list[int]]]()
    for folder in folders:
        try:
            lists.append(json.loads((folder / _DONE).read_text(encoding="utf-8"))["blocks"])
        except FileNotFoundError as error:
            raise NotFoundError(
                f"the counts of all {len(folders)} parts", f"none finished in {folder}",
                "Run that part (--shard) to its end.",
            ) from error  # fmt: skip
    if any(blocks != lists[0] for blocks in lists):
        raise MismatchError(
            "parts of the same features in the same blocks",
            f"other blocks in {folders[[b != lists[0] for b in lists].index(True)]}",
            "Count all parts with the same settings.",
        )
    for start, stop in lists[0]:
        parts = [_read(folder / f"{start:08d}.npz") for folder in folders]
        whole = parts[0]
        for part in parts[1:]:
            whole = whole + part
        yield range(start, stop), whole


def _read(path: Path) -> Counts:
    import torch

    tensors: dict[str, Tensor] = {}
    with np.load(path, allow_pickle=False) as file:
        for name in Counts.__dataclass_fields__:
            table = np.zeros(file[f"{name}.shape"])
            table.reshape(-1)[file[f"{name}.at"]] = file[f"{name}.count"]
            tensors[name] = torch.from_numpy(table)
    return Counts(**tensors)


def all_reduced(counts: Iterable[tuple[range, Counts]]) -> Iterator[tuple[range, Counts]]:
    """Add up what the processes of ``torch.distributed`` count, each its own part.

    Every process gets the whole. To be used under ``torchrun``, with
    ``part=(rank + 1, world_size)`` in `count`.
    """
    import torch.distributed as dist

    for features, block in counts:
        for tensor in vars(block).values():
            dist.all_reduce(tensor)
        yield features, block
