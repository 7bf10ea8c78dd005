"""What is tested: features, neurons and letters on the chains, and controls made from them."""

import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import csr_matrix

sys.path.insert(0, str(Path(__file__).parents[1]))

from _harness import SHARED
from _twin_model import twin_model

from bio_interp.activations import read_rows
from bio_interp.atlas import Atlas
from bio_interp.linking.spatial import SpatialChain, blocks_of, draw_starts
from bio_interp.models import LanguageModel
from bio_interp.sae import SparseAutoencoder, TrainConfig, train
from bio_interp.sequences import read_proteins

CORPUS = "corpus/swissprot_2014_reps50.fasta.zst"
LONGEST = 500
Codes = list[csr_matrix]
GROUPS = ("AVILMFWC", "DE", "KR", "STNQ", "FWY", "GP")


def read_chains(model: LanguageModel, site: str, chains: Sequence[SpatialChain]) -> list:
    """Read the rows of each chain."""
    return [rows.float() for rows in read_rows(model, (c.sequence for c in chains), site)]


def sae_codes(sae: SparseAutoencoder, rows: Iterable[torch.Tensor]) -> Codes:
    """Encode each chain."""
    return [sae.encode(part).to_scipy() for part in rows]


def density(codes: Codes) -> float:
    """Share of residues where a feature fires, over the features that fire at all."""
    counts = sum(np.asarray((part > 0).sum(axis=0)).ravel() for part in codes)
    return float(counts[counts > 0].mean()) / sum(part.shape[0] for part in codes)


def neurons(rows: Sequence[torch.Tensor], share: float, every: int) -> Codes:
    """Turn on each neuron, and its negative, at its highest `share` of the residues."""
    whole = torch.cat(list(rows))[:, ::every].numpy()
    both = np.concatenate([whole, -whole], axis=1)
    on = both > np.quantile(both, 1 - share, axis=0)
    ends = np.cumsum([len(part) for part in rows])[:-1]
    return [csr_matrix(part.astype(np.float32)) for part in np.split(on, ends)]


def letters(chains: Sequence[SpatialChain]) -> Codes:
    """Fire at each of the 20 letters, and at `GROUPS` of them."""
    sets = [*"ACDEFGHIKLMNPQRSTVWY", *GROUPS]
    return [
        csr_matrix(np.array([[x in one for one in sets] for x in chain.sequence], dtype=np.float32))
        for chain in chains
    ]


def planted(chains: Sequence[SpatialChain], seed: int, count: int = 20) -> Codes:
    """Fire at three quarters of the residues near a ligand, and at 1 % of all others."""
    rng, found = np.random.default_rng(seed), []
    for chain in chains:
        near = np.nan_to_num(chain.properties.get("ligand", np.zeros(len(chain.sequence)))) > 0
        chance = rng.random((len(near), count))
        own = chance < np.where(near, 0.75, 0.01 if near.any() else 0.0)[:, None]
        found.append(csr_matrix(own.astype(np.float32)))
    return found


def turned(chains: Sequence[SpatialChain], codes: Codes, seed: int) -> Codes:
    """Rotate each feature in each chain by a random step: gaps stay, the structure is lost."""
    rng = np.random.default_rng(seed)

    def turn(on: np.ndarray) -> np.ndarray:
        return np.roll(on, rng.integers(len(on)))

    return _moved(chains, codes, turn)


def placed(chains: Sequence[SpatialChain], codes: Codes, seed: int) -> Codes:
    """Place the blocks of each feature in each chain at random."""
    rng = np.random.default_rng(seed)

    def place(on: np.ndarray) -> np.ndarray:
        blocks = blocks_of(on)
        moved = np.zeros_like(on)
        moved[blocks.rows(draw_starts(blocks, 1, rng))[0]] = True
        return moved

    return _moved(chains, codes, place)


def _moved(chains: Sequence[SpatialChain], codes: Codes, move) -> Codes:
    found = []
    for chain, part in zip(chains, codes, strict=True):
        on, shown = part.toarray() > 0, chain.shown
        made = np.zeros(on.shape, dtype=np.float32)
        for feature in np.flatnonzero(on[shown].any(axis=0)):
            made[shown, feature] = move(on[shown, feature])
        found.append(csr_matrix(made))
    return found


def twin_of(atlas: Atlas, seed: int) -> LanguageModel:
    """Load the model of an atlas with every weight tensor permuted within itself."""
    return twin_model(atlas.info.model.split("-")[0], _folder(), seed)


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="structure_meaning_"))


def small_sae(atlas: Atlas, model: LanguageModel, residues: int, seed: int) -> SparseAutoencoder:
    """Train an SAE of the atlas's width and k on a few residues of a model, each seen twice."""
    some = (p for p in read_proteins(SHARED / CORPUS) if len(p) <= LONGEST)
    sequences, have = list[str](), 0
    for protein in islice(some, 0, None, 7):
        sequences.append(protein.sequence)
        have += len(protein)
        if have >= residues:
            break
    rows = torch.cat(list(read_rows(model, sequences, atlas.site))).half()
    trained = atlas.sae.provenance["training"]
    config = TrainConfig(
        d_sae=atlas.sae.config.d_sae,
        k=atlas.sae.config.k or trained["k"],
        total_rows=2 * len(rows),
        lr=trained["lr"],
        batch_rows=2048,
        seed=seed,
    )
    with tempfile.TemporaryDirectory() as folder:
        return train(rows, config, folder=Path(folder) / "sae")
