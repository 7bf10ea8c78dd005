"""Toy models whose rows and logits are worked out by hand, in an atlas with one named feature.

The value of a letter is its place in ``ACDEFGHIKLMNPQRSTVWY``, from 0. Feature 0 is the value of
a residue, feature 1 that and half of its neighbour's: of the residue before it in the causal
model, of the one after it in the masked one. Feature 2 never fires.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl
import pytest
import torch

from bio_interp.annotations import CONCEPTS
from bio_interp.atlas import FEATURES, Atlas, AtlasInfo
from bio_interp.linking import CALIBRATION, CALLERS, LINKS, LinkTable
from bio_interp.models import ModelInfo, Place, Reading, edit_rows
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder
from bio_interp.variants import LETTERS


def rows_of(sequence: str, *, causal: bool) -> torch.Tensor:
    values = torch.tensor([float(max(LETTERS.find(letter), 0)) for letter in sequence])
    zero = torch.zeros(1)
    neighbour = torch.cat([zero, values[:-1]]) if causal else torch.cat([values[1:], zero])
    return torch.stack([values, values + neighbour / 2], dim=1)


class ToyModel:
    """Counts what it is asked for."""

    def __init__(self, objective: str, *, places_edits: bool = True) -> None:
        self.info = ModelInfo("toy", {"layer.1": 2}, "0" * 64, "CC0", "none", objective)
        self.causal, self.places_edits = objective == "causal", places_edits
        self.masks: list[list[int]] = []
        self.read = 0

    def activations(
        self, sequences: Iterable[str], sites: Sequence[str], *, edits=None
    ) -> Iterator[Reading]:
        for index, sequence in enumerate(sequences):
            self.read += 1
            rows = rows_of(sequence, causal=self.causal)
            for edit in (edits or {}).values():
                rows = edit_rows(edit, rows, Place(index, 0, len(rows)), site="layer.1")
            yield Reading(index, {site: rows for site in sites})

    def logits(self, sequences, *, masked=None, edits=None) -> Iterator[torch.Tensor]:
        """Causal: log 3 for the letter before; masked: a tenth of the value of the letter."""
        texts = list(sequences)
        if masked is not None:
            self.masks += [list(hidden) for hidden in masked]
        for text, _ in zip(texts, self.activations(texts, ["layer.1"], edits=edits), strict=True):
            logits = torch.zeros(len(text), 20)
            for i, before in enumerate(text[:-1], 1):
                if before in LETTERS:
                    logits[i, LETTERS.index(before)] = torch.tensor(3.0).log()
            yield logits if self.causal else (torch.arange(20.0) / 10).expand(len(text), 20)


def make_atlas(folder: Path, model: ToyModel, *, maxima=(10.0, 40.0, 0.0)) -> Atlas:
    folder.mkdir()
    decoder = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    tensors = {
        "W_enc": decoder.T * torch.tensor([1.0, 1.0, 0.0]),
        "b_enc": torch.zeros(3),
        "W_dec": decoder,
        "b_dec": torch.zeros(2),
        "threshold": torch.zeros(3),
    }
    sae = SparseAutoencoder(SaeConfig(2, 3, "relu", 2), tensors, InputNorm(torch.zeros(2), 1.0))
    sae.save(folder)
    link = {"concept": "toy:1", "name": "Pairs", "feature": 1, "threshold": 1.0}
    link |= {"link_type": "locator", "select_f1": 0.9, "test_f1": 0.8, "test_clusters": 20}
    concept = {"concept": "toy:1", "name": "Pairs", "level": "span", "world": "open"}
    tables = (([link], LINKS), ([], CALLERS), ([], CALIBRATION),
              ([concept], {**CONCEPTS, "group": pl.String}))  # fmt: skip
    LinkTable(*(pl.DataFrame(rows, schema=schema) for rows, schema in tables)).save(folder)
    features = {"feature": range(3), "maximum": maxima}
    blank = {name: [None] * 3 for name in FEATURES if name not in features}
    pl.DataFrame({**features, **blank}, schema_overrides=FEATURES).write_parquet(
        folder / "features.parquet"
    )
    facts = {"name": "toy", "version": "1", "model": "toy", "site": "layer.1"}
    facts |= {"model_sha256": "0" * 64, "licence": "CC0", "citation": (), "split_sha256": ""}
    facts |= {"domain_limit": 1.0, "decoys": {}, "measured": {}, "data": (), "versions": {}}
    AtlasInfo(**facts).save(folder)
    atlas = Atlas(folder)
    atlas.__dict__["_model"] = model  # in place of a plugin's
    return atlas


@pytest.fixture
def causal_atlas(tmp_path) -> Atlas:
    return make_atlas(tmp_path / "causal", ToyModel("causal"))


@pytest.fixture
def masked_atlas(tmp_path) -> Atlas:
    return make_atlas(tmp_path / "masked", ToyModel("masked"))


@pytest.fixture
def toy_atlas_of(tmp_path):
    """Make an atlas around any toy model."""
    return lambda model, **more: make_atlas(tmp_path / "toy", model, **more)


@pytest.fixture
def toy_model():
    return ToyModel
