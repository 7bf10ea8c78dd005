import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from bio_interp.errors import MismatchError, NotCachedError, NotFoundError
from bio_interp.models import LoadOptions, ModelSource, load_model
from bio_interp_reference import SOURCE, _network

PROTEIN = "MKVAVIGAGPSGLAAARELARRGHEVTVFEKEPRLGGRVRTVELDGYRFDLGPHWFHPSEPALLELLRELGLEDELVP"


@pytest.fixture(scope="module")
def model():
    return load_model("reference", LoadOptions(device="cpu", precision="fp32"))


def _fair_esm():
    """fair-esm's class around the shipped tensors, put together here a second time."""
    from esm.model.esm2 import ESM2

    card = json.loads((_network.FOLDER / "model.json").read_text())["network"]
    peer = ESM2(card["layers"], card["width"], card["heads"]).eval()
    state = {k: v.float() for k, v in load_file(_network.FOLDER / "model.safetensors").items()}
    missing, unexpected = peer.load_state_dict(state, strict=False)
    assert not unexpected
    assert all(
        k.startswith("contact_head") or k.endswith(("inv_freq", "lm_head.weight")) for k in missing
    )
    return peer


def test_importing_the_plugin_loads_no_torch():
    code = "import sys, bio_interp_reference; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_source_is_a_model_source_that_knows_one_name():
    assert isinstance(SOURCE, ModelSource)
    assert list(SOURCE.names()) == ["reference"]


def test_an_unknown_name_is_named_in_the_error():
    with pytest.raises(NotFoundError, match="'referenz'"):
        SOURCE.load("referenz", LoadOptions())


def test_rows_equal_those_of_fair_esm_with_the_same_weights(model):
    peer = _fair_esm()
    layers = range(1, peer.num_layers + 1)
    _, _, tokens = peer.alphabet.get_batch_converter()([("p", PROTEIN)])
    with torch.no_grad():
        expected = peer(tokens, repr_layers=list(layers))["representations"]
    (reading,) = model.activations([PROTEIN], [f"layer.{n}" for n in layers])
    for n in layers:
        assert torch.allclose(reading.rows[f"layer.{n}"], expected[n][0, 1:-1], atol=1e-4)


def test_masked_logits_equal_those_of_fair_esm_with_the_same_weights(model):
    peer = _fair_esm()
    _, _, tokens = peer.alphabet.get_batch_converter()([("p", PROTEIN)])
    hidden = [3, 20, 21, 60]
    tokens[0, [i + 1 for i in hidden]] = peer.mask_idx
    letters = [peer.alphabet.get_idx(letter) for letter in "ACDEFGHIKLMNPQRSTVWY"]
    with torch.no_grad():
        expected = peer(tokens)["logits"][0, 1:-1, letters]
    (logits,) = model.logits([PROTEIN], masked=[hidden])
    assert torch.allclose(logits, expected, atol=1e-4)


def test_weights_are_small_float16_and_match_the_card(model):
    card = json.loads((_network.FOLDER / "model.json").read_text())
    tensors = load_file(_network.FOLDER / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert sum(tensor.numel() for tensor in tensors.values()) == card["parameters"] <= 3_000_000
    assert (_network.FOLDER / "model.safetensors").stat().st_size <= 6_000_000
    assert model.info.weights_sha256 == card["weights_sha256"]


def test_a_weights_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NotCachedError, match=r"none\.safetensors"):
        SOURCE.load("reference", LoadOptions(weights=tmp_path / "none.safetensors"))


def test_a_file_that_is_no_safetensors_is_refused(tmp_path):
    file = tmp_path / "text.safetensors"
    file.write_text("not weights")
    with pytest.raises(MismatchError, match=r"text\.safetensors"):
        SOURCE.load("reference", LoadOptions(weights=file))


@pytest.mark.parametrize("change", ["missing", "shape", "extra"])
def test_weights_of_another_network_are_refused_and_the_tensor_named(tmp_path, change):
    state = load_file(_network.FOLDER / "model.safetensors")
    name = "layers.0.fc1.weight"
    if change == "missing":
        del state[name]
    elif change == "shape":
        state[name] = state[name][:-1].contiguous()
    else:
        state["layers.99.fc1.weight"] = state[name].clone()
        name = "layers.99.fc1.weight"
    save_file(state, tmp_path / "other.safetensors")
    with pytest.raises(MismatchError, match=name):
        SOURCE.load("reference", LoadOptions(weights=tmp_path / "other.safetensors"))


def test_a_damaged_package_file_is_refused(tmp_path, monkeypatch):
    for name in ("model.json", "model.safetensors"):
        (tmp_path / name).write_bytes((_network.FOLDER / name).read_bytes())
    with (tmp_path / "model.safetensors").open("r+b") as handle:
        handle.seek(-4, 2)
        handle.write(b"\x01\x02\x03\x04")
    monkeypatch.setattr(_network, "FOLDER", tmp_path)
    with pytest.raises(MismatchError, match="reinstall"):
        SOURCE.load("reference", LoadOptions())
