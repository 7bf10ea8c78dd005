import argparse
import json
import subprocess
import sys
import warnings
from contextlib import contextmanager

import httpx
import pytest
import torch
from esm.model.esm2 import ESM2

from bio_interp.cache import get_data, is_cached, route_through
from bio_interp.errors import InputError, MismatchError, NotCachedError, NotFoundError
from bio_interp.models import LanguageModel, LoadOptions, ModelSource, load_model
from bio_interp.plugins import load_plugin
from bio_interp.provenance import sha256_file
from bio_interp_esm import SOURCE, _weights

NAME = "esm2_t6_8M_UR50D"


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return ESM2(num_layers=6, embed_dim=32, attention_heads=4).eval()


def save(network, path, **changes):
    """Write a checkpoint in the layout of the published ones."""
    shape = {
        "encoder_layers": network.num_layers,
        "encoder_embed_dim": network.embed_dim,
        "encoder_attention_heads": network.attention_heads,
        "token_dropout": True,
    }
    state = {
        f"encoder.{'' if key.startswith('lm_head') else 'sentence_encoder.'}{key}": tensor
        for key, tensor in network.state_dict().items()
        if not key.startswith("contact_head")
    }
    cfg = {"model": argparse.Namespace(**shape)}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"cfg": cfg, "model": state, **changes}, path)
    return path


@pytest.fixture
def checkpoint(network, tmp_path):
    return save(network, tmp_path / "weights.pt")


def test_the_plugin_is_found_and_has_the_shape_of_one():
    assert load_plugin("models", "esm") is SOURCE
    assert isinstance(SOURCE, ModelSource)
    assert len(SOURCE.names()) == 6
    assert {"esm2_t6_8M_UR50D", "esm2_t48_15B_UR50D"} <= set(SOURCE.names())


def test_importing_the_plugin_imports_no_torch():
    code = "import sys, bio_interp_esm; assert not {'torch', 'esm', 'httpx'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_published_checkpoint_loads_safely_and_reads_as_fair_esm_does(network, checkpoint):
    model = load_model(NAME, LoadOptions(device="cpu", precision="fp32", weights=checkpoint))
    assert isinstance(model, LanguageModel)
    assert model.info.weights_sha256 == sha256_file(checkpoint)
    assert (model.info.name, model.info.licence) == (NAME, "MIT")
    _, _, tokens = network.alphabet.get_batch_converter()([("", "MKVLAW")])
    with torch.no_grad():
        expected = network(tokens, repr_layers=[4])["representations"][4][0, 1:-1]
    (reading,) = model.activations(["MKVLAW"], ["layer.4"])
    torch.testing.assert_close(reading.rows["layer.4"], expected, atol=1e-4, rtol=0)


def test_no_warning_of_a_missing_contact_predictor_leaks(checkpoint):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_model(NAME, LoadOptions(device="cpu", weights=checkpoint))
    assert caught == []


def test_weights_are_found_where_torch_hub_keeps_them(network, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    save(network, tmp_path / f"hub/checkpoints/{NAME}.pt")
    assert load_model(NAME, LoadOptions(device="cpu")).info.sites["layer.6"] == 32


def test_without_torch_home_the_folder_is_that_of_torch_hub(monkeypatch):
    monkeypatch.delenv("TORCH_HOME", raising=False)
    assert str(_weights.checkpoint_folder()) == f"{torch.hub.get_dir()}/checkpoints"


def test_offline_the_error_names_the_file_and_its_address(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(NotCachedError) as caught:
        load_model(NAME)
    assert str(tmp_path / f"hub/checkpoints/{NAME}.pt") in str(caught.value)
    assert f"https://dl.fbaipublicfiles.com/fair-esm/models/{NAME}.pt" in caught.value.todo


def test_a_weights_file_that_was_named_is_never_fetched(tmp_path):
    options = LoadOptions(offline=False, weights=tmp_path / "mine.pt")
    with pytest.raises(NotCachedError, match=r"mine\.pt"):
        load_model(NAME, options)


@contextmanager
def served(monkeypatch, tmp_path, *answers):
    """Let downloads ask for recorded answers; give the list of addresses that were asked."""
    asked = []

    def answer(request):
        asked.append(str(request.url))
        return answers[min(len(asked), len(answers)) - 1]

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with route_through(httpx.MockTransport(answer), wait=lambda seconds: None):
        yield asked


def test_a_download_is_kept_with_its_hash_and_not_repeated(checkpoint, tmp_path, monkeypatch):
    content = checkpoint.read_bytes()
    with served(monkeypatch, tmp_path, httpx.Response(200, content=content)) as asked:
        model = load_model(NAME, LoadOptions(device="cpu", offline=False))
        load_model(NAME, LoadOptions(device="cpu", offline=False))
    kept = tmp_path / f"hub/checkpoints/{NAME}.pt"
    assert kept.read_bytes() == content
    record = json.loads(kept.with_name(f"{NAME}.pt.json").read_text())
    assert record["sha256"] == model.info.weights_sha256 == sha256_file(checkpoint)
    assert asked == [record["url"]]


def test_a_kept_file_that_changed_is_refused(checkpoint, tmp_path, monkeypatch):
    with served(monkeypatch, tmp_path, httpx.Response(200, content=checkpoint.read_bytes())):
        load_model(NAME, LoadOptions(device="cpu", offline=False))
    with (tmp_path / f"hub/checkpoints/{NAME}.pt").open("ab") as file:
        file.write(b"0")
    with pytest.raises(InputError, match="as it was fetched"):
        load_model(NAME, LoadOptions(device="cpu"))


def test_a_failed_download_leaves_nothing_behind(tmp_path, monkeypatch):
    with (
        served(monkeypatch, tmp_path, httpx.Response(503)),
        pytest.raises(NotCachedError, match=f"the weights of {NAME}.*503"),
    ):
        load_model(NAME, LoadOptions(offline=False))
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_the_weights_are_data_sets_that_are_fetched_by_name(tmp_path, monkeypatch):
    with served(monkeypatch, tmp_path, httpx.Response(200, content=b"weights")) as asked:
        assert not is_cached(NAME)
        path = get_data(NAME)
        assert is_cached(NAME)
        assert get_data(NAME, offline=True) == path
    assert path == tmp_path / f"hub/checkpoints/{NAME}.pt"
    assert len(asked) == 1
    sizes = {d.name: d.megabytes for d in SOURCE.data_sets()}
    assert list(sizes) == list(SOURCE.names())
    assert sizes[NAME] == 30


def test_weights_that_torch_hub_fetched_are_not_fetched_again(tmp_path, monkeypatch):
    with served(monkeypatch, tmp_path, httpx.Response(404)) as asked:
        kept = tmp_path / f"hub/checkpoints/{NAME}.pt"
        kept.parent.mkdir(parents=True)
        kept.write_bytes(b"weights")
        assert get_data(NAME) == kept
    assert asked == []


class Evil:
    def __reduce__(self):
        return print, ("code from a checkpoint ran",)


def test_code_in_a_checkpoint_is_refused_and_not_run(network, tmp_path, capsys):
    path = save(network, tmp_path / "evil.pt", extra=Evil())
    with pytest.raises(InputError, match=r"evil\.pt"):
        load_model(NAME, LoadOptions(weights=path))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"cfg": {}},
        {"model": {}},
        {"model": {"encoder.sentence_encoder.embed_tokens.weight": torch.zeros(33, 7)}},
    ],
)
def test_a_checkpoint_of_another_layout_is_refused(network, tmp_path, changes):
    path = save(network, tmp_path / "other.pt", **changes)
    with pytest.raises(InputError, match="ESM-2 checkpoint"):
        load_model(NAME, LoadOptions(weights=path))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "text.pt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"text\.pt"):
        load_model(NAME, LoadOptions(weights=path))


def test_the_weights_of_another_model_are_refused(checkpoint):
    with pytest.raises(MismatchError, match=r"12 layers.*6 layers"):
        SOURCE.load("esm2_t12_35M_UR50D", LoadOptions(weights=checkpoint))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(NotFoundError, match="esm2_t6_8M_UR50D"):
        SOURCE.load("esm2_t7", LoadOptions())
