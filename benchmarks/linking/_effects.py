"""What each of the peers' defects does to the numbers, on one planted data set."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bio_interp.annotations import AnnotationTable
from bio_interp.features import FeatureStore
from bio_interp.linking.counting import StoreColumns
from bio_interp.linking.interplm import Defects, Rules, encode_rows, lay_truth, protocol
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder

D_MODEL, D_SAE, K, LENGTH, SAMPLE = 48, 96, 4, 120, 10
# kind and note: length, share of proteins, how often the feature is on within and outside of it
PLANTED: dict[tuple[str, str], tuple[int, float, float, float]] = {
    ("DOMAIN", "SH3"): (50, 0.35, 0.9, 0.003),
    ("DOMAIN", "PDZ"): (40, 0.35, 0.3, 0.01),
    ("BINDING", "ATP"): (6, 0.35, 0.9, 0.002),
    ("SIGNAL", ""): (20, 0.35, 0.8, 0.005),
    ("ACT_SITE", "Nucleophile"): (1, 0.35, 0.95, 0.002),
    ("MOD_RES", "Phosphoserine"): (1, 0.35, 0.5, 0.004),
    ("HELIX", ""): (12, 0.35, 0.6, 0.02),
    ("COILED", ""): (30, 0.35, 0.15, 0.03),
    ("DISULFID", ""): (1, 0.35, 0.95, 0.002),
    ("TRANSIT", "Mitochondrion"): (
        25,
        0.2,
        0.9,
        0.0,
    ),  # its feature knows the proteins of valid only
    ("MOTIF", "DEAD box"): (8, 0.12, 0.9, 0.0),  # rare: silent in the sample that maxima come from
}
ON_VALID_ONLY, RARE = 9, 10
SWITCHES = {
    "B1": "bearing_proteins_only",
    "B2": "labels_one_early",
    "B5": "raw_thresholds",
    "B6": "notes_only",
    "B7 threshold": "threshold_chosen_again",
    "B7 failures": "failures_left_out",
    "B8": "relu_codes",
    "B11": "zero_maxima",
    "B15": "batch_topk",
    "bonds": "bonds_as_ranges",
}


@dataclass(frozen=True)
class Planted:
    """Rows of proteins, what is known of them, and the SAE whose features were planted."""

    rows: dict[str, torch.Tensor]
    table: AnnotationTable
    folds: dict[str, str]
    sae: SparseAutoencoder


def effects(folder: Path, *, proteins: int, seed: int) -> dict[str, Any]:
    """Score the planted features as they are, with each defect alone, and as each peer does."""
    made = plant(proteins, seed)
    cases = {"none": Defects()}
    cases |= {name: Defects(**{field: True}) for name, field in SWITCHES.items()}
    cases |= {"InterPLM": Defects.of_interplm(), "BioNeMo": Defects.of_bionemo()}
    return {name: _score(made, folder, defects) for name, defects in cases.items()}


def _score(made: Planted, folder: Path, defects: Defects) -> dict[str, Any]:
    store = _store(made, folder, defects)
    maxima = _sampled_maxima(store, made.folds)
    rules = Rules(min_named=10, min_residues=60)
    truth = lay_truth(
        made.table, store.accessions, store.lengths, folds=made.folds, rules=rules, defects=defects
    )
    report = protocol(StoreColumns(store), truth, maxima=maxima)
    figures = {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in report.figures().items()
    }
    return figures | {
        "f1": {
            name: round(f1, 3)
            for name, f1 in report.best.select("name", "test_f1_per_domain").iter_rows()
        }
    }


def _store(made: Planted, folder: Path, defects: Defects) -> FeatureStore:
    """Encode the proteins, once for each way of encoding."""
    folder = folder / f"relu{defects.relu_codes:d}-batch{defects.batch_topk:d}"
    store = FeatureStore.create(folder, d_sae=D_SAE, settings={})
    with store.writer() as writer:
        for accession, rows in made.rows.items():
            if accession not in store:
                writer.add(accession, encode_rows(made.sae, rows, defects))
    return store


def _sampled_maxima(store: FeatureStore, folds: dict[str, str]) -> np.ndarray:
    """Largest activations over a few proteins of valid: too few for rare features."""
    some = [a for a in store.accessions if folds[a] == "valid"][:SAMPLE]
    return np.max([store.protein(a).max(axis=0).toarray()[0] for a in some], axis=0)


def plant(proteins: int, seed: int) -> Planted:
    """Make proteins whose rows are sums of the directions of what is there, loud at their start."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((D_SAE, D_MODEL)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    loudness = rng.choice([1.0, 2.0, 4.0, 10.0], D_SAE)
    rows, folds, spans = {}, {}, []
    for number in range(proteins):
        name = f"p{number}"
        folds[name] = "valid" if number % 2 else "test"
        strength = loudness * (rng.random((LENGTH, D_SAE)) < 0.004)
        strength *= rng.uniform(0.3, 1.0, strength.shape)
        strength[:, : len(PLANTED)] = 0.0
        spans += _place(rng, name, folds[name] == "valid", strength, loudness)
        strength[0, -40:] += 40.0  # the first residue is an outlier
        noise = 0.03 * rng.standard_normal((LENGTH, D_MODEL))
        rows[name] = torch.from_numpy((strength @ directions + noise).astype(np.float32))
    weights = torch.from_numpy(directions)
    tensors = {"W_enc": weights.T.contiguous(), "b_enc": torch.full((D_SAE,), -0.2)}
    tensors |= {"W_dec": weights, "b_dec": torch.zeros(D_MODEL)}
    norm, config = InputNorm(torch.zeros(D_MODEL), 1.0), SaeConfig(D_MODEL, D_SAE, "topk", K)
    return Planted(rows, _table(spans), folds, SparseAutoencoder(config, tensors, norm))


def _place(
    rng: np.random.Generator, name: str, valid: bool, strength: np.ndarray, loudness: np.ndarray
) -> list[dict[str, Any]]:
    """Put some concepts into a protein and let their features fire; gives the annotations."""
    found: list[dict[str, Any]] = []
    for feature, ((kind, note), (length, share, inside, outside)) in enumerate(PLANTED.items()):
        on = rng.random(LENGTH) < outside
        bears = rng.random() < share
        start = 1 if kind == "SIGNAL" else int(rng.integers(2, LENGTH - length))
        end = min(start + int(rng.integers(20, 60)), LENGTH) if kind == "DISULFID" else 0
        bond = int(name[1:]) if end else None
        places = [(start, start), (end, end)] if end else [(start, start + length - 1)]
        for first, last in places if bears else []:
            known = valid or feature != ON_VALID_ONLY
            on[first - 1 : last] = known & (rng.random(last - first + 1) < inside)
            row = {"accession": name, "start": first, "end": last, "pair": bond}
            row |= {"evidence": "", "source": "toy"}
            ids = [f"uniprot:{kind}", *([f"uniprot:{kind}/{note}"] if note else [])]
            found += [row | {"concept": concept} for concept in ids]
        strength[:, feature] = on * loudness[feature] * rng.uniform(0.3, 1.0, LENGTH)
        if feature == RARE and bears:  # faint around its motif
            faint = (rng.random(LENGTH) < 0.3) & ~on
            strength[faint, feature] = 0.5
    return found


def _table(spans: list[dict[str, Any]]) -> AnnotationTable:
    names = sorted({row["concept"] for row in spans})
    concepts = [{"concept": name, "name": name, "kind": name.split("/")[0]} for name in names]
    return AnnotationTable.from_records(spans, [], concepts)
