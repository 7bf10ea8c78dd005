import json

import pytest
import torch
from scipy.stats import spearmanr

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae import SparseAutoencoder


def test_encode_and_decode_are_the_same_after_save_and_load(sae, planted, tmp_path) -> None:
    sae.provenance["site"] = "toy/layer.1"
    sae.save(tmp_path)
    again = SparseAutoencoder.load(tmp_path, d_model=sae.config.d_model)
    x = planted.rows[:300]
    before, after = sae.encode(x), again.encode(x)
    assert torch.equal(before.features, after.features)
    assert torch.equal(before.values, after.values)
    assert torch.equal(sae.decode(before), again.decode(after))
    assert again.config == sae.config
    assert again.provenance == sae.provenance
    assert torch.equal(again.feature_maxima, sae.feature_maxima)


def test_int8_weights_keep_ranks_and_unit_norm_in_a_quarter_of_the_bytes(
    sae, planted, tmp_path
) -> None:
    sae.save(tmp_path / "full")
    sae.save(tmp_path / "small", weights="int8")
    small = SparseAutoencoder.load(tmp_path / "small")
    x = planted.rows[:3000]
    before, after = sae.encode_dense(x), small.encode_dense(x)
    on = (before > 0) | (after > 0)
    assert spearmanr(before[on], after[on]).statistic > 0.98
    assert (before.argmax(1) == after.argmax(1)).float().mean() > 0.98
    assert small.fvu(x) == pytest.approx(sae.fvu(x), abs=0.01)
    torch.testing.assert_close(small.W_dec.norm(dim=1), torch.ones(64))
    assert small.W_enc.dtype == torch.float32
    bytes_ = [(tmp_path / f / "sae.safetensors").stat().st_size for f in ("full", "small")]
    assert bytes_[1] < 0.4 * bytes_[0]  # biases, mean, maxima and headers stay as they are


def test_a_feature_of_zeros_survives_int8(sae, tmp_path) -> None:
    whole = {name: tensor.clone() for name, tensor in sae.tensors().items()}
    whole["W_enc"][:, 3] = 0.0
    SparseAutoencoder(sae.config, whole, sae.norm).save(tmp_path, weights="int8")
    loaded = SparseAutoencoder.load(tmp_path)
    assert loaded.W_enc[:, 3].count_nonzero() == 0
    assert all(torch.isfinite(tensor).all() for tensor in loaded.state_dict().values())


def test_another_width_is_refused_and_the_site_is_named(sae, tmp_path) -> None:
    sae.provenance["site"] = "toy/layer.1"
    sae.save(tmp_path)
    with pytest.raises(MismatchError, match=r"width 1280.*toy/layer\.1"):
        SparseAutoencoder.load(tmp_path, d_model=1280)


def _cut(folder) -> None:
    path = folder / "sae.safetensors"
    path.write_bytes(path.read_bytes()[:-10])


def _no_tensors(folder) -> None:
    (folder / "sae.safetensors").unlink()


def _no_json(folder) -> None:
    (folder / "sae.json").unlink()


def _half_json(folder) -> None:
    path = folder / "sae.json"
    path.write_text(path.read_text()[:100])


def _other_schema(folder) -> None:
    (folder / "sae.json").write_text('{"schema": "someone-else/9"}')


def _list(folder) -> None:
    (folder / "sae.json").write_text("[]")


def _no_config(folder) -> None:
    (folder / "sae.json").write_text('{"schema": "bio-interp-sae/2"}')


@pytest.mark.parametrize(
    "spoil", [_cut, _no_tensors, _no_json, _half_json, _other_schema, _list, _no_config]
)
def test_broken_files_are_refused_by_name(sae, tmp_path, spoil) -> None:
    sae.save(tmp_path)
    spoil(tmp_path)
    with pytest.raises(InputError, match=r"sae\.(json|safetensors)"):
        SparseAutoencoder.load(tmp_path)


def test_the_json_describes_itself(trained) -> None:
    _, folder = trained["batchtopk"]
    content = json.loads((folder / "sae.json").read_text())
    assert content["schema"] == "bio-interp-sae/2"
    assert content["weights"].keys() == {"storage", "file", "sha256"}
    assert content["provenance"]["training"]["k"] == 3
    assert "torch" in content["provenance"]["versions"]


def test_an_unknown_storage_is_refused(sae, tmp_path) -> None:
    with pytest.raises(InputError, match="int8"):
        sae.save(tmp_path, weights="int4")
