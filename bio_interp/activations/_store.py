"""Activations on disk: blocks of proteins; a block is whole or it is not there."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from bio_interp.activations._rows import read_rows
from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.provenance import atomic_path, changes, write_json
from bio_interp.sequences import Protein

if TYPE_CHECKING:
    from torch import Tensor

    from bio_interp.models import LanguageModel

SCHEMA = 1
BLOCK_PROTEINS = 256
_log = logging.getLogger(__name__)


class _Manifest(TypedDict):
    schema: int
    settings: dict[str, Any]
    d_model: int
    accessions: list[str]
    lengths: list[int]
    block_proteins: int


class ActivationStore:
    """Activations of one site for a list of proteins, float16, in a folder.

    ``manifest.json`` says which proteins belong to it; ``NNNNN.npy`` holds the rows of a block of
    them. Blocks are read by the model apart from each other, so a store does not depend on how
    often it was interrupted, nor on how many processes filled it.

    Made with `create` or `open`.
    """

    def __init__(self, folder: Path, manifest: _Manifest) -> None:
        self.folder, self._manifest = folder, manifest
        self.offsets = np.concatenate([[0], np.cumsum(manifest["lengths"])]).astype(np.int64)

    @classmethod
    def create(
        cls,
        folder: Path,
        proteins: Sequence[Protein],
        *,
        d_model: int,
        settings: Mapping[str, Any],
        block_proteins: int = BLOCK_PROTEINS,
    ) -> "ActivationStore":
        """Make a store, or open one that was made with the same settings for the same proteins.

        Parameters
        ----------
        folder
            Made where it is absent.
        proteins
            All proteins that the store shall hold, in the order of its rows.
        d_model
            Width of the site.
        settings
            What the rows depend on (model, weights, site ...), as JSON.
        block_proteins
            Proteins a block: what a kill loses at most, and what a shard takes at a time.

        Raises
        ------
        MismatchError
            The folder holds a store of other settings or proteins; the message names them.
        """
        wanted = _Manifest(
            schema=SCHEMA,
            settings=json.loads(json.dumps(dict(settings))),
            d_model=d_model,
            accessions=[p.accession for p in proteins],
            lengths=[len(p) for p in proteins],
            block_proteins=block_proteins,
        )
        if not (folder / "manifest.json").exists():
            write_json(folder / "manifest.json", wanted)
            return cls(folder, wanted)
        store = cls.open(folder)
        if problem := _differences(store._manifest, wanted):
            raise MismatchError(
                f"the settings that the activations in {folder} were harvested with",
                problem,
                "Choose another folder, or harvest with those settings.",
            )
        return store

    @classmethod
    def open(cls, folder: Path) -> "ActivationStore":
        """Open a store that `create` made.

        Raises
        ------
        NotFoundError
            There is no store in `folder`.
        """
        path = folder / "manifest.json"
        try:
            manifest: _Manifest = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError(
                f"harvested activations in {folder}", "no manifest.json there", "Harvest first."
            ) from error
        except ValueError as error:
            raise InputError(f"the manifest {path}", str(error), "Harvest anew.") from error
        if manifest.get("schema") != SCHEMA:
            raise InputError(
                f"activations of schema {SCHEMA} in {folder}",
                f"schema {manifest.get('schema')}",
                "Harvest anew, or use the bio_interp that made them.",
            )
        return cls(folder, manifest)

    def __len__(self) -> int:
        return len(self.accessions)

    def __repr__(self) -> str:
        have = self.blocks - len(self.missing())
        blocks = f"{have} of {self.blocks} blocks"
        return f"ActivationStore({str(self.folder)!r}: {len(self)} proteins, {blocks})"

    @property
    def settings(self) -> dict[str, Any]:
        """What the rows depend on, as given to `create`."""
        return self._manifest["settings"]

    @property
    def d_model(self) -> int:
        """Width of a row."""
        return self._manifest["d_model"]

    @property
    def accessions(self) -> list[str]:
        """Names of all proteins, in the order of the rows."""
        return self._manifest["accessions"]

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-len(self) // self._manifest["block_proteins"])

    def members(self, block: int) -> range:
        """Places in `accessions` of the proteins of a block."""
        size = self._manifest["block_proteins"]
        return range(block * size, min(len(self), (block + 1) * size))

    def missing(self) -> list[int]:
        """List the blocks that are not there yet."""
        return [block for block in range(self.blocks) if not self._path(block).is_file()]

    def harvest(
        self,
        model: "LanguageModel",
        site: str,
        proteins: Mapping[str, Protein],
        *,
        shard: tuple[int, int] = (1, 1),
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Read the blocks of a shard that are not there yet.

        Parameters
        ----------
        model, site
            What reads the proteins, and where it is tapped.
        proteins
            At least those of the store, by accession.
        shard
            ``(i, n)``, i from 1: every n-th block from the i-th. Shards may run at the same time.
        progress
            Called after each block with the number of proteins done by this call.

        Raises
        ------
        MismatchError
            An activation does not fit float16, or the model gives other than a row a residue.
        """
        todo = [block for block in self.missing() if block % shard[1] == shard[0] - 1]
        done = 0
        for block in todo:
            names = [self.accessions[i] for i in self.members(block)]
            rows = read_rows(model, (proteins[name].sequence for name in names), site)
            parts = [_half(part, name) for part, name in zip(rows, names, strict=True)]
            self._write(block, parts)
            done += len(names)
            _log.info("harvest: block %d of %d", block + 1, self.blocks)
            if progress:
                progress(done)

    def block(self, block: int) -> np.ndarray:
        """Map the rows of a block, ``(residues, d_model)`` float16, without reading them yet.

        Raises
        ------
        NotFoundError
            The block is not there yet.
        InputError
            The file is damaged.
        """
        path = self._path(block)
        try:
            rows = np.load(path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError as error:
            raise NotFoundError(
                f"all {self.blocks} blocks of activations in {self.folder}",
                f"{len(self.missing())} not there yet",
                "Run the harvest (all of its shards) to its end.",
            ) from error
        except (ValueError, OSError) as error:
            raise InputError(
                f"a whole block of activations at {path}",
                str(error),
                "Remove the file and run the harvest again.",
            ) from error
        return rows

    def proteins(self, wanted: Mapping[str, Any] | set[str]) -> Iterator[tuple[str, "Tensor"]]:
        """Yield name and rows, ``(residues, d_model)`` float32, of some proteins, in order."""
        for block in range(self.blocks):
            yield from self.proteins_of(block, wanted)

    def proteins_of(
        self, block: int, wanted: Mapping[str, Any] | set[str]
    ) -> Iterator[tuple[str, "Tensor"]]:
        """Do what `proteins` does for one block."""
        import torch

        members = self.members(block)
        if not any(self.accessions[i] in wanted for i in members):
            return
        rows, first = self.block(block), self.offsets[members.start]
        for i in members:
            if self.accessions[i] in wanted:
                start, end = self.offsets[i : i + 2] - first
                yield self.accessions[i], torch.from_numpy(np.array(rows[start:end])).float()

    def _write(self, block: int, parts: Sequence[np.ndarray]) -> None:
        lengths = [self._manifest["lengths"][i] for i in self.members(block)]
        if [len(part) for part in parts] != lengths or parts[0].shape[1] != self.d_model:
            raise MismatchError(
                f"one row of width {self.d_model} a residue",
                f"another shape in block {block} ({len(parts[0])} rows of {parts[0].shape[1]})",
                "Report this to the model plugin's authors.",
            )
        with atomic_path(self._path(block)) as path:
            np.save(path, np.concatenate(parts))

    def _path(self, block: int) -> Path:
        return self.folder / f"{block:05d}.npy"


def _half(rows: "Tensor", name: str) -> np.ndarray:
    half = rows.half().cpu().numpy()
    if not np.isfinite(half).all():
        raise MismatchError(
            "activations of at most 65,504, which float16 holds",
            f"{float(rows.abs().max())} in {name}",
            "Tap another site, or read the model in float32.",
        )
    return half


def _differences(found: _Manifest, wanted: _Manifest) -> str:
    problem = changes(
        {**found["settings"], "d_model": found["d_model"]},
        {**wanted["settings"], "d_model": wanted["d_model"]},
    )
    same = all(found[key] == wanted[key] for key in ("accessions", "lengths", "block_proteins"))
    return problem or ("" if same else "other proteins, or in another order")
