import itertools
import random

import pytest
import torch
from esm.model.esm2 import ESM2

from bio_interp.errors import MismatchError, NotFoundError, SequenceError
from bio_interp.models import (
    Esm2Engine,
    LanguageModel,
    LoadOptions,
    _esm2_forward,
    stitch,
    window_bounds,
)

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
CPU32 = LoadOptions(device="cpu", precision="fp32")
ALL = [f"layer.{i}" for i in range(7)]


def made_up(*lengths):
    pick = random.Random(0)
    return ["".join(pick.choices(LETTERS, k=n)) for n in lengths]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    module = ESM2(num_layers=6, embed_dim=320, attention_heads=20).eval()
    # layer norms and biases start as ones and zeros, which would hide a mix-up
    for name, weights in module.named_parameters():
        if name.endswith("bias") or "layer_norm" in name:
            torch.nn.init.normal_(weights, float("layer_norm.weight" in name), 0.2)
    return module


@pytest.fixture(scope="module")
def engine(network):
    return Esm2Engine(network, name="random", options=CPU32, token_budget=400)


@pytest.fixture(scope="module")
def toy():
    torch.manual_seed(0)
    return ESM2(num_layers=3, embed_dim=32, attention_heads=4).eval()


@torch.no_grad()
def fair_esm(network, sequence):
    """Rows of all layers and logits of the 20 amino acids, as fair-esm gives them."""
    _, _, tokens = network.alphabet.get_batch_converter()([("", sequence)])
    out = network(tokens, repr_layers=range(network.num_layers + 1))
    rows = {f"layer.{i}": r[0, 1:-1] for i, r in out["representations"].items()}
    return rows, out["logits"][0, 1:-1, [network.alphabet.get_idx(c) for c in LETTERS]]


def hide(sequence, index):
    return "".join("<mask>" if i in index else c for i, c in enumerate(sequence))


PROTEINS = made_up(1, 40, 250, 97, 97, 310, 12)
PROTEINS[2] = hide(PROTEINS[2], set(range(30, 60)))
PROTEINS[4] = hide(PROTEINS[4], {0, 96})


def test_rows_of_every_layer_equal_fair_esm_with_mixed_lengths_and_masks(network, engine):
    readings = list(engine.activations(PROTEINS, ALL))
    assert [reading.index for reading in readings] == list(range(len(PROTEINS)))
    for sequence, reading in zip(PROTEINS, readings, strict=True):
        for site, rows in fair_esm(network, sequence)[0].items():
            torch.testing.assert_close(reading.rows[site], rows, atol=1e-4, rtol=0)


def test_the_padded_attention_of_accelerators_gives_the_same(network, engine, monkeypatch):
    monkeypatch.setattr(_esm2_forward, "_attend_packed", _esm2_forward._attend_padded)
    for sequence, reading in zip(PROTEINS, engine.activations(PROTEINS, ALL), strict=True):
        for site, rows in fair_esm(network, sequence)[0].items():
            torch.testing.assert_close(reading.rows[site], rows, atol=1e-4, rtol=0)


def test_logits_equal_fair_esm_with_masked_positions(network, engine):
    masked = [[], [3, 4], [], [96], [], [5], [0]]
    for sequence, hidden, logits in zip(
        PROTEINS, masked, engine.logits(PROTEINS, masked=masked), strict=True
    ):
        if hidden:
            sequence = hide(sequence, set(hidden))
        expected = fair_esm(network, sequence)[1]
        torch.testing.assert_close(logits, expected, atol=5e-4, rtol=0)


def test_masking_changes_what_the_model_says(engine):
    plain, hidden = (next(engine.logits(PROTEINS[1:2], masked=masked)) for masked in (None, [[3]]))
    assert (plain[3] - hidden[3]).abs().max() > 0.01


def test_a_long_protein_is_read_in_windows_that_equal_fair_esm_on_each(toy):
    engine = Esm2Engine(toy, name="toy", options=CPU32, window=60, overlap=20)
    short, long = made_up(50, 500)
    first, second, third = engine.activations([long, short, long], ["layer.2"])
    bounds = window_bounds(500, window=60, overlap=20)
    pieces = [fair_esm(toy, long[a:b])[0]["layer.2"] for a, b in bounds]
    torch.testing.assert_close(first.rows["layer.2"], stitch(pieces, bounds), atol=1e-4, rtol=0)
    assert (first.windowed, second.windowed, third.windowed) == (True, False, True)
    assert torch.equal(first.rows["layer.2"], third.rows["layer.2"])
    assert next(engine.logits([long])).shape == (500, 20)


@pytest.mark.parametrize("layer", [0, 1, 3])
def test_an_edit_changes_what_later_layers_read_as_a_hook_on_fair_esm_does(toy, layer):
    engine = Esm2Engine(toy, name="toy", options=CPU32)
    sequence = made_up(30)[0]
    push = torch.randn(30, 32)

    def hook(module, args, output):
        if layer == 0:  # (1, tokens, d_model), before token dropout scales by 0.88
            output[0, 1:-1] += push / 0.88
        else:  # (tokens, 1, d_model), a block's with its attention weights
            (output[0] if layer == 1 else output)[1:-1, 0] += push

    place = {0: toy.embed_tokens, 1: toy.layers[0], 3: toy.emb_layer_norm_after}[layer]
    handle = place.register_forward_hook(hook)
    expected, logits = fair_esm(toy, sequence)
    handle.remove()
    edits = {f"layer.{layer}": lambda rows: rows + push}
    sites = [f"layer.{i}" for i in range(4)]
    (reading,) = engine.activations([sequence], sites, edits=edits)
    for site in sites[layer:]:
        torch.testing.assert_close(reading.rows[site], expected[site], atol=1e-4, rtol=0)
    torch.testing.assert_close(
        next(engine.logits([sequence], edits=edits)), logits, atol=5e-4, rtol=0
    )


def test_an_edit_sees_the_residues_of_one_protein_at_a_time(toy):
    seen = []
    engine = Esm2Engine(toy, name="toy", options=CPU32)
    edits = {"layer.1": lambda rows: seen.append(tuple(rows.shape)) or rows}
    list(engine.activations(made_up(5, 9, 5), ["layer.2"], edits=edits))
    assert sorted(seen) == [(5, 32), (5, 32), (9, 32)]


def test_an_edit_of_another_shape_is_refused(toy):
    engine = Esm2Engine(toy, name="toy", options=CPU32)
    with pytest.raises(MismatchError, match=r"layer\.1.*\(5, 32\).*\(4, 32\)"):
        list(engine.activations(made_up(5), ["layer.2"], edits={"layer.1": lambda r: r[1:]}))


def test_the_forward_stops_at_the_deepest_site(toy, monkeypatch):
    blocks = []
    monkeypatch.setattr(_esm2_forward, "_feed_forward", lambda block, x: blocks.append(block) or x)
    engine = Esm2Engine(toy, name="toy", options=CPU32)
    list(engine.activations(made_up(5), ["layer.0", "layer.1"]))
    assert len(blocks) == 1


def test_an_unknown_site_is_refused_before_anything_is_read(toy):
    engine = Esm2Engine(toy, name="toy", options=CPU32)
    with pytest.raises(NotFoundError, match=r"layer\.0 to layer\.3.*'layer\.4'"):
        engine.activations([], ["layer.4"])
    with pytest.raises(NotFoundError, match=r"'layer\.x'"):
        engine.logits([], edits={"layer.x": lambda rows: rows})


def test_an_illegal_letter_names_the_protein(toy):
    engine = Esm2Engine(toy, name="toy", options=CPU32)
    with pytest.raises(SequenceError, match="'1' at position 2 of protein 2"):
        list(engine.activations(["MKV", "M1"], ["layer.1"]))


def test_rows_do_not_depend_on_the_company_a_protein_is_read_in(engine):
    alone = next(engine.activations(PROTEINS[3:4], ["layer.4"])).rows["layer.4"]
    *_, crowd = itertools.islice(engine.activations(PROTEINS, ["layer.4"]), 4)
    torch.testing.assert_close(crowd.rows["layer.4"], alone, atol=1e-5, rtol=0)


def test_a_stream_is_read_in_bounded_windows(toy, monkeypatch):
    monkeypatch.setattr("bio_interp.models._esm2_engine._ROW_BYTES", 4 * 32 * 100)
    engine = Esm2Engine(toy, name="toy", options=CPU32)
    endless = itertools.cycle(made_up(20, 30))
    readings = engine.activations(endless, ["layer.1"])
    assert [len(r.rows["layer.1"]) for r in itertools.islice(readings, 5)] == [20, 30, 20, 30, 20]


def test_a_protein_of_no_residues_gives_no_rows(toy):
    engine = Esm2Engine(toy, name="toy", options=CPU32)
    readings = list(engine.activations(["", "M"], ["layer.1"]))
    assert [tuple(r.rows["layer.1"].shape) for r in readings] == [(0, 32), (1, 32)]
    assert [tuple(t.shape) for t in engine.logits(["", "M"])] == [(0, 20), (1, 20)]


def test_bf16_is_near_fp32_and_hands_out_float32(toy):
    sequence = made_up(80)
    half = Esm2Engine(toy, name="toy", options=LoadOptions(device="cpu", precision="bf16"))
    full = Esm2Engine(toy, name="toy", options=CPU32)
    a, b = (next(e.activations(sequence, ["layer.2"])).rows["layer.2"] for e in (half, full))
    assert half.precision == "bf16"
    assert a.dtype == torch.float32
    assert 0 < (a - b).norm() / b.norm() < 0.01


def test_rows_may_be_used_where_gradients_are_taken(toy):
    rows = next(Esm2Engine(toy, name="t", options=CPU32).activations(["MKV"], ["layer.1"])).rows
    weight = torch.ones(32, requires_grad=True)
    (rows["layer.1"] @ weight).sum().backward()
    assert weight.grad is not None


def test_info_names_sites_and_tells_two_sets_of_weights_apart(toy):
    info = Esm2Engine(toy, name="toy", options=CPU32, licence="MIT").info
    assert info.sites == {f"layer.{i}": 32 for i in range(4)}
    assert (info.name, info.licence, info.objective, info.window) == ("toy", "MIT", "masked", 1022)
    other = Esm2Engine(ESM2(3, 32, 4), name="toy", options=CPU32).info
    assert other.weights_sha256 != info.weights_sha256
    assert isinstance(Esm2Engine(toy, name="toy"), LanguageModel)


def test_an_overlap_as_long_as_the_window_is_refused(toy):
    with pytest.raises(MismatchError, match="overlap 50, window 50"):
        Esm2Engine(toy, name="toy", window=50, overlap=50)
