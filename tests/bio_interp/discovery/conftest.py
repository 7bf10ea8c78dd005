"""A toy atlas: features that fire at a letter, and one that fires at the C of ``CH``."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random

import polars as pl
import pytest
import torch

from bio_interp.annotations import CONCEPTS
from bio_interp.atlas import Atlas, AtlasInfo
from bio_interp.linking import CALIBRATION, CALLERS, LINKS, LinkTable
from bio_interp.models import ModelInfo, Reading
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder
from bio_interp.sequences import Protein, Split

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
PAIR = 20  # the feature of CH
WIDTH = 21


class PairModel:
    """A language model whose rows are the letters, and whether a CH begins."""

    info = ModelInfo(
        name="pairs",
        sites={"layer.0": WIDTH},
        weights_sha256="0" * 64,
        licence="CC0",
        citation="none",
        objective="masked",
    )

    def activations(
        self, sequences: Iterable[str], sites: Sequence[str], *, edits=None
    ) -> Iterator[Reading]:
        for index, sequence in enumerate(sequences):
            rows = torch.zeros(len(sequence), WIDTH)
            for i, letter in enumerate(sequence):
                if letter in LETTERS:
                    rows[i, LETTERS.index(letter)] = 1.0
                rows[i, PAIR] = 2.0 * (sequence[i : i + 2] == "CH")
            yield Reading(index, {site: rows for site in sites})


def identity_sae() -> SparseAutoencoder:
    eye = torch.eye(WIDTH)
    tensors = {"W_enc": eye, "b_enc": torch.zeros(WIDTH), "W_dec": eye}
    tensors |= {"b_dec": torch.zeros(WIDTH), "threshold": torch.full((WIDTH,), 0.5)}
    config = SaeConfig(d_model=WIDTH, d_sae=WIDTH, architecture="batchtopk", k=2)
    return SparseAutoencoder(config, tensors, InputNorm(torch.zeros(WIDTH), 1.0))


def links() -> LinkTable:
    rows = [
        ("toy:A", "Zinc finger", "locator", 1, 0.9, 0.4),
        ("toy:A", "Zinc finger", "interplm", 2, 0.95, 0.9),
        ("toy:B", "Zinc ribbon", "family_marker", PAIR, 0.7, 0.8),
        ("toy:C", "Kinase", "locator", 3, 0.99, 0.9),
    ]
    columns = ("concept", "name", "link_type", "feature", "select_f1", "test_f1")
    table = [dict(zip(columns, row, strict=True)) | {"threshold": 0.5} for row in rows]
    concepts = [
        {"concept": c, "name": n, "level": "span", "world": "closed"}
        for c, n in dict(row[:2] for row in rows).items()
    ]
    return LinkTable(
        pl.DataFrame(table, schema=LINKS),
        pl.DataFrame(schema=CALLERS),
        pl.DataFrame(schema=CALIBRATION),
        pl.DataFrame(concepts, schema={**CONCEPTS, "group": pl.String}),
    )


@pytest.fixture(scope="session")
def atlas(tmp_path_factory) -> Atlas:
    folder: Path = tmp_path_factory.mktemp("pairs")
    identity_sae().save(folder)
    links().save(folder)
    pl.DataFrame({"sequence_hash": []}, schema={"sequence_hash": pl.Int64}).write_parquet(
        folder / "exposure.parquet"
    )
    AtlasInfo(
        name="toy",
        version="1",
        model="pairs",
        site="layer.0",
        model_sha256="0" * 64,
        licence="CC0",
        citation=(),
        split_sha256="",
        domain_limit=0.5,
        decoys={},
        measured={},
        data=(),
        versions={},
    ).save(folder)
    loaded = Atlas(folder)
    loaded.__dict__["_model"] = PairModel()  # in place of a plugin's
    return loaded


def background(rng: Random, length: int) -> str:
    """Draw a sequence without C and H."""
    return "".join(rng.choices("ADEFGIKLMNPQRSTVWY", k=length))


def draw_protein(name: str, rng: Random, motif: str, length: int = 40) -> Protein:
    before = rng.randrange(5, length - 5)
    return Protein(name, background(rng, before) + motif + background(rng, length - before))


def own_clusters(proteins: Iterable[Protein]) -> Split:
    """Make every protein a cluster of its own."""
    return Split({p.accession: (p.accession, "fit") for p in proteins}, {"method": "by hand"})


@pytest.fixture(scope="session")
def sets() -> tuple[list[Protein], list[Protein]]:
    """Proteins with CH and with HC: the same composition in another order."""
    rng = Random(0)
    return (
        [draw_protein(f"p{i}", rng, "CH", rng.randrange(30, 60)) for i in range(40)],
        [draw_protein(f"n{i}", rng, "HC", rng.randrange(30, 60)) for i in range(60)],
    )


@pytest.fixture(scope="session")
def by_hand(sets) -> Split:
    return own_clusters([*sets[0], *sets[1]])


@pytest.fixture(scope="session")
def alone():
    return own_clusters


@pytest.fixture(scope="session")
def protein():
    return draw_protein
