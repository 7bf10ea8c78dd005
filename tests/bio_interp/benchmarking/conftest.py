"""A world where the truth is known: features mixed into neurons, concepts on some of them."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from bio_interp.activations import ActivationStore
from bio_interp.annotations import AnnotationTable
from bio_interp.benchmarking import BenchSettings, Rows, bench
from bio_interp.models import ModelInfo, Reading
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder
from bio_interp.sequences import Protein, Split

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
WIDTH = 16
MARK = 3  # the feature that is on in toy:A
HOSTILE = "<script>alert(1)</script>"


@dataclass(frozen=True)
class MixingModel:
    """Rows are sparse features times a rotation; W turns the marking feature on."""

    info = ModelInfo(
        name="mixing",
        sites={"layer.0": WIDTH},
        weights_sha256="1" * 64,
        licence="CC0",
        citation="none",
        objective="masked",
    )

    def rows(self, sequence):
        rng = np.random.default_rng(len(sequence) * 1000 + sum(map(ord, sequence)))
        codes = 4 * rng.random((len(sequence), WIDTH)) * (rng.random((len(sequence), WIDTH)) < 0.1)
        codes[:, MARK] = [2 + rng.random() if a == "W" else 0.0 for a in sequence]
        return torch.from_numpy(codes @ rotation()).float()

    def activations(self, sequences, sites, *, edits=None):
        for index, sequence in enumerate(sequences):
            yield Reading(index, {site: self.rows(sequence) for site in sites})


def rotation():
    return np.linalg.qr(np.random.default_rng(7).standard_normal((WIDTH, WIDTH)))[0]


def true_sae():
    turn = torch.from_numpy(rotation()).float()
    tensors = {
        "W_enc": turn.T.contiguous(),
        "b_enc": torch.zeros(WIDTH),
        "W_dec": turn,
        "b_dec": torch.zeros(WIDTH),
        "threshold": torch.full((WIDTH,), 0.01),
    }
    config = SaeConfig(d_model=WIDTH, d_sae=WIDTH, architecture="batchtopk", k=2)
    return SparseAutoencoder(config, tensors, InputNorm(torch.zeros(WIDTH), 1.0))


@dataclass(frozen=True)
class World:
    proteins: list[Protein]
    table: AnnotationTable
    split: Split
    rows: Rows


def make_world(folder: Path, each: int = 60) -> World:
    rng = np.random.default_rng(0)
    proteins, spans, coverage, folds = [], [], [], {}
    for fold, i in product(("select", "test"), range(each)):
        name = f"{fold}{i}"
        letters = rng.choice(list(LETTERS.replace("W", "")), 50 + i % 7)
        if i % 2:
            start = int(rng.integers(1, 30))
            letters[start - 1 : start + 11] = "W"
            spans.append(span(name, start, start + 11, "toy:A"))
        else:  # nothing marks toy:B
            start = int(rng.integers(1, 36))
            spans.append(span(name, start, start + 5, "toy:B"))
        proteins.append(Protein(name, "".join(letters)))
        coverage.append(
            {"accession": name, "start": 1, "end": len(letters), "kind": "toy", "state": "looked"}
        )
        folds[name] = (f"cluster{name}", fold)
    concepts = [
        {"concept": c, "name": n, "kind": "toy", "level": "span", "world": "closed"}
        for c, n in (("toy:A", HOSTILE), ("toy:B", "nothing"))
    ]
    table = AnnotationTable.from_records(spans, coverage, concepts)
    sequences = {p.accession: p.sequence for p in proteins}
    store = ActivationStore.create(
        folder / "activations", proteins, d_model=WIDTH, settings={}, block_proteins=50
    )
    store.harvest(MixingModel(), "layer.0", {p.accession: p for p in proteins})
    rows = Rows([store], frozenset(sequences), sequences, folder / "sources")
    return World(proteins, table, Split(folds, {}), rows)


def span(name, start, end, concept):
    return {"accession": name, "start": start, "end": end, "concept": concept, "evidence": ""}


@pytest.fixture(scope="session")
def planted(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("planted"))


@pytest.fixture(scope="session")
def sae():
    return true_sae()


@pytest.fixture(scope="session")
def mixing():
    return MixingModel()


@pytest.fixture(scope="session")
def found(planted, sae):
    settings = BenchSettings(("neurons", "pca", "random", "kmers"), null=99)
    return bench(planted.rows, sae, planted.table, planted.split, settings)
