"""Read proteins and keep their activations, block by block; a block is there or it is not."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from sample import BLOCK, Drawn
from sources import Sources

from bio_interp.models import LanguageModel
from bio_interp.provenance import atomic_path, write_json


class Harvest:
    """Activations of one site, float16, in ``NNNNN.npy`` with ``NNNNN.json`` beside each."""

    def __init__(self, folder: Path, drawn: Sequence[Drawn]) -> None:
        self.folder = folder
        self.blocks = [drawn[i : i + BLOCK] for i in range(0, len(drawn), BLOCK)]

    def read(self, model: LanguageModel, site: str, sources: Sources) -> None:
        """Read the blocks that are not there yet."""
        todo = [i for i in range(len(self.blocks)) if not self._facts(i).is_file()]
        names = [d.accession for i in todo for d in self.blocks[i]]
        readings = model.activations((sources.proteins[a].sequence for a in names), [site])
        for i in todo:
            parts = [next(readings).rows[site].half().cpu().numpy() for _ in self.blocks[i]]
            with atomic_path(self.folder / f"{i:05d}.npy") as path:
                np.save(path, np.concatenate(parts))
            facts = {"acc": [d.accession for d in self.blocks[i]], "len": [len(p) for p in parts]}
            write_json(self._facts(i), {**facts, "folds": [d.fold for d in self.blocks[i]]})
            print(f"harvest: block {i + 1} of {len(self.blocks)}", flush=True)

    def _facts(self, block: int) -> Path:
        return self.folder / f"{block:05d}.json"

    def proteins(self, folds: Sequence[str]) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield the stored rows of each protein of some folds, float32."""
        for path in sorted(self.folder.glob("*.json")):
            facts = json.loads(path.read_text())
            rows = np.load(path.with_suffix(".npy"), mmap_mode="r")
            first = 0
            for name, length, fold in zip(facts["acc"], facts["len"], facts["folds"], strict=True):
                if fold in folds:
                    yield name, torch.from_numpy(np.array(rows[first : first + length])).float()
                first += length

    def training_rows(self) -> torch.Tensor:
        """Load the rows of the fit proteins, ``(residues, d_model)`` float16, in memory."""
        files = [
            p
            for p in sorted(self.folder.glob("*.json"))
            if "fit" in json.loads(p.read_text())["folds"]
        ]
        return torch.cat([torch.from_numpy(np.load(p.with_suffix(".npy"))) for p in files])
