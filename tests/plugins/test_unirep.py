"""UniRep's cell against its formula, and the batching against one protein at a time."""

import numpy as np
import pytest
import torch

from bio_interp.errors import MismatchError, NotCachedError
from bio_interp.interventions import fidelity
from bio_interp.models import LoadOptions, ModelInfo
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder
from bio_interp.testing import check_model
from bio_interp_unirep import SOURCE
from bio_interp_unirep._mlstm import ALPHABET, START, Mlstm
from bio_interp_unirep._model import UniRep
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


@pytest.fixture
def tiny():
    info = ModelInfo("tiny", {"layer.1": D}, "0" * 64, "none", "nobody", "causal")
    return UniRep(Mlstm(random_weights(), "fp32", torch.device("cpu")), info)


@pytest.fixture
def sae():
    torch.manual_seed(0)
    decoder = torch.nn.functional.normalize(torch.randn(96, D))
    tensors = {"W_enc": decoder.T * 3, "b_enc": torch.zeros(96), "W_dec": decoder}
    tensors |= {"b_dec": torch.zeros(D), "threshold": torch.full((96,), 0.1)}
    norm = InputNorm(torch.zeros(D), 1.0)
    return SparseAutoencoder(SaeConfig(D, 96, "jumprelu", 8), tensors, norm)


def test_a_tiny_unirep_keeps_the_promises_of_a_model(tiny):
    class Source:
        api_version = 1

        def names(self):
            return ("tiny",)

        def load(self, name, options):
            return tiny

    check_model(Source(), "tiny")


def test_a_splice_edits_what_the_head_reads_from_the_next_residue_on(tiny, sae):
    before = list(tiny.logits(PROTEINS))
    with tiny.splice({"layer.1": sae}) as spliced:
        for plain, same in zip(before, spliced.logits(PROTEINS), strict=True):
            assert torch.allclose(plain, same, atol=1e-5)
        spliced["layer.1"].set(3, 9.0, positions=5, index=4)
        after = list(spliced.logits(PROTEINS))
        trace = list(spliced.trace(PROTEINS))[4]
    moved = [
        (a - b).abs().amax(1).gt(1e-4).nonzero().flatten().tolist()
        for a, b in zip(before, after, strict=True)
    ]
    assert moved == [[], [], [], [], [5]]
    (slope,) = torch.autograd.grad(trace.logits[5, 2], trace.features["layer.1"])
    weight, _ = tiny._cell.head
    wanted = sae.W_dec @ weight[:, ALPHABET["D"] - 1]
    torch.testing.assert_close(slope[4], wanted)
    assert slope[torch.arange(len(slope)) != 4].abs().max() == 0


def test_rows_may_be_used_where_gradients_are_taken(tiny):
    (reading,) = tiny.activations(["MKV"], ["layer.1"])
    weight = torch.ones(D, requires_grad=True)
    (reading.rows["layer.1"] @ weight).sum().backward()
    assert weight.grad is not None


def test_fidelity_of_a_causal_model_is_that_of_every_residue_but_the_first(tiny, sae):
    found = fidelity(tiny, {"layer.1": sae}, PROTEINS)
    letters = "ACDEFGHIKLMNPQRSTVWY"

    def loss(edit):
        total, count = 0.0, 0
        for text, logits in zip(
            PROTEINS, tiny.logits(PROTEINS, edits={"layer.1": edit}), strict=True
        ):
            for i, letter in enumerate(text):
                if i and letter in letters:
                    total -= float(logits[i].double().log_softmax(0)[letters.index(letter)])
                    count += 1
        return total / count, count

    assert (found.objective, found.mask_share, found.proteins) == ("causal", None, 4)
    for got, edit in (
        (found.ce_intact, torch.clone),
        (found.ce_spliced, sae),
        (found.ce_zero, torch.zeros_like),
    ):
        assert (got, found.residues) == (pytest.approx(loss(edit)[0], abs=1e-5), loss(edit)[1])
