"""A toy atlas made the real way: a model of one-hot rows, an SAE, planted concepts, links."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random

import polars as pl
import pytest
import torch

from bio_interp.annotations import AnnotationTable
from bio_interp.atlas import Atlas, AtlasInfo, sequence_hash
from bio_interp.features import FeatureStore
from bio_interp.linking import link
from bio_interp.models import ModelInfo, Reading
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder
from bio_interp.sequences import Split

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
QUIET = "ACDEFGHIKLMNPQRSTVY"  # no tryptophan
RUN = "W" * 20


class OneHotModel:
    """A language model whose rows are the letters themselves."""

    info = ModelInfo(
        name="onehot",
        sites={"layer.0": 20},
        weights_sha256="0" * 64,
        licence="CC0",
        citation="none",
        objective="masked",
    )

    def activations(
        self, sequences: Iterable[str], sites: Sequence[str], *, edits=None
    ) -> Iterator[Reading]:
        for index, sequence in enumerate(sequences):
            rows = torch.zeros(len(sequence), 20)
            for i, letter in enumerate(sequence):
                if letter in LETTERS:
                    rows[i, LETTERS.index(letter)] = 1.0
            yield Reading(index, {site: rows for site in sites})


def identity_sae() -> SparseAutoencoder:
    eye = torch.eye(20)
    tensors = {"W_enc": eye, "b_enc": torch.zeros(20), "W_dec": eye, "b_dec": torch.zeros(20)}
    tensors["threshold"] = torch.full((20,), 0.5)
    config = SaeConfig(d_model=20, d_sae=20, architecture="batchtopk", k=1)
    return SparseAutoencoder(config, tensors, InputNorm(torch.zeros(20), 1.0))


def random_text(rng: Random, length: int) -> str:
    return "".join(rng.choices(QUIET, k=length))


@pytest.fixture(scope="session")
def toy_atlas(tmp_path_factory) -> Atlas:
    folder: Path = tmp_path_factory.mktemp("toy")
    rng, model, sae = Random(0), OneHotModel(), identity_sae()
    store = FeatureStore.create(folder / "codes", d_sae=20, settings={})
    rows, coverage, members, sequences = [], [], {}, {}
    with store.writer() as writer:
        for fold in ("select", "calibrate", "test"):
            for i in range(60):
                name = f"{fold}{i}"
                before = random_text(rng, rng.randint(5, 40))
                sequences[name] = before + (RUN if i % 2 else "") + random_text(rng, 30)
                if i % 2:
                    start = len(before) + 1
                    rows.append(
                        {
                            "accession": name,
                            "start": start,
                            "end": start + 19,
                            "concept": "toy:W",
                            "evidence": "",
                            "source": "toy",
                        }
                    )
                coverage.append(
                    {
                        "accession": name,
                        "start": 1,
                        "end": len(sequences[name]),
                        "kind": "toy",
                        "state": "looked",
                        "source": "toy",
                    }
                )
                members[name] = (name, fold)
        for name, reading in zip(
            sequences, model.activations(sequences.values(), ["layer.0"]), strict=True
        ):
            writer.add(name, sae.encode(reading.rows["layer.0"]).to_scipy())
    concept = {
        "concept": "toy:W",
        "name": "tryptophan run",
        "kind": "toy",
        "level": "span",
        "world": "closed",
        "source": "toy",
        "release": "1",
        "members": [],
        "xrefs": [],
    }
    table, _ = link(
        store, AnnotationTable.from_records(rows, coverage, [concept]), Split(members, {})
    )
    atlas = folder / "atlas"
    sae.save(atlas)
    table.save(atlas)
    pl.DataFrame({"sequence_hash": [sequence_hash(sequences["select1"])]}).write_parquet(
        atlas / "exposure.parquet"
    )
    AtlasInfo(
        name="toy",
        version="1",
        model="onehot",
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
    ).save(atlas)
    loaded = Atlas(atlas)
    loaded.__dict__["_model"] = model  # in place of a plugin's
    loaded.__dict__["seen_sequence"] = sequences["select1"]
    return loaded
