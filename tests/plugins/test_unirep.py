"""UniRep's cell against its formula, and the batching against one protein at a time."""

import numpy as np
import pytest
import torch

from bio_interp.errors import MismatchError, NotCachedError
from bio_interp.models import LoadOptions
from bio_interp_unirep import SOURCE
from bio_interp_unirep._mlstm import ALPHABET, START, Mlstm
from bio_interp_unirep._slots import read_proteins_in_slots

D = 48


def random_weights(seed: int = 0) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(seed)
    shapes = {
        "embedding": (26, 10),
        "mlstm.0.wmx": (10, D),
        "mlstm.0.wmh": (D, D),
        "mlstm.0.wx": (10, 4 * D),
        "mlstm.0.wh": (D, 4 * D),
        "mlstm.0.gmx": (D,),
        "mlstm.0.gmh": (D,),
        "mlstm.0.gx": (4 * D,),
        "mlstm.0.gh": (4 * D,),
        "mlstm.0.b": (4 * D,),
        "dense.w": (D, 25),
        "dense.b": (25,),
    }
    return {k: torch.from_numpy(rng.normal(size=s).astype(np.float32)) for k, s in shapes.items()}


def by_the_formula(weights: dict[str, torch.Tensor], sequence: str) -> np.ndarray:
    """Hidden states in float64, written out from Alley et al. with explicit one-hot products."""
    w = {k.removeprefix("mlstm.0."): v.double().numpy() for k, v in weights.items()}

    def normalised(name: str) -> np.ndarray:
        return w["w" + name] / np.sqrt((w["w" + name] ** 2).sum(0)) * w["g" + name]

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    h, c, rows = np.zeros(D), np.zeros(D), []
    for token in [START, *(ALPHABET[a] for a in sequence)]:
        x = w["embedding"][token]
        m = (x @ normalised("mx")) * (h @ normalised("mh"))
        i, f, o, u = np.split(x @ normalised("x") + m @ normalised("h") + w["b"], 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(u)
        h = sigmoid(o) * np.tanh(c)
        rows.append(h)
    return np.array(rows[1:])


PROTEINS = [
    "MKVLAAGIVGLC",
    "M",
    "ACDEFGHIKLMNPQRSTVWYUOXZBJ" * 3,
    "WWWWWW",
    "MTEYKLVVVGAGGVGKSALTIQ",
]


@pytest.mark.parametrize("slots", [1, 2, 64])
def test_rows_equal_the_formula_in_float64_in_input_order(slots):
    weights = random_weights()
    cell = Mlstm(weights, "fp32", torch.device("cpu"))
    read = list(read_proteins_in_slots(cell, PROTEINS, slots=slots))
    assert [i for i, _ in read] == list(range(len(PROTEINS)))
    for (_, rows), sequence in zip(read, PROTEINS, strict=True):
        assert np.abs(rows.numpy() - by_the_formula(weights, sequence)).max() < 1e-4


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_low_precision_explains_nearly_all_variance(precision):
    weights = random_weights()
    exact, rough = (
        torch.cat(
            [
                r
                for _, r in read_proteins_in_slots(
                    Mlstm(weights, p, torch.device("cpu")), PROTEINS, slots=8
                )
            ]
        )
        for p in ("fp32", precision)
    )
    unexplained = (rough - exact).square().sum() / (exact - exact.mean(0)).square().sum()
    assert unexplained < 0.05


def test_a_bounded_queue_still_yields_every_protein_in_order():
    cell = Mlstm(random_weights(), "fp32", torch.device("cpu"))
    sequences = ["M" * 400, *["MK"] * 200]
    read = read_proteins_in_slots(cell, sequences, slots=4, pending_residues=20)
    assert [i for i, _ in read] == list(range(201))


def test_missing_weights_name_the_file_and_the_command(tmp_path):
    with pytest.raises(NotCachedError, match=r"absent\.npz.*bio-interp data get unirep"):
        SOURCE.load("unirep", LoadOptions(weights=tmp_path / "absent.npz"))


def test_weights_of_another_model_are_refused(tmp_path):
    path = tmp_path / "small.npz"
    np.savez(path, **{k: v.numpy() for k, v in random_weights().items()})
    with pytest.raises(MismatchError, match="UniRep-1900"):
        SOURCE.load("unirep", LoadOptions(weights=path))
