import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bio_interp.activations import map_rows
from bio_interp.errors import InputError


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_npy_file_is_mapped_as_it_is(tmp_path, dtype):
    rows = np.random.default_rng(0).normal(size=(20, 3)).astype(dtype)
    np.save(tmp_path / "rows.npy", rows)
    assert np.array_equal(map_rows(tmp_path / "rows.npy").numpy(), rows)


def test_a_safetensors_file_of_one_tensor_is_mapped(tmp_path):
    rows = torch.randn(20, 3).bfloat16()
    save_file({"layer.4": rows}, tmp_path / "rows.safetensors")
    assert torch.equal(map_rows(tmp_path / "rows.safetensors"), rows)
    save_file({"a": rows, "b": rows.clone()}, tmp_path / "two.safetensors")
    with pytest.raises(InputError, match="one tensor"):
        map_rows(tmp_path / "two.safetensors")


@pytest.mark.parametrize(
    "array", [np.ones(5), np.ones((2, 2, 2)), np.ones((3, 2), dtype=int), np.ones((0, 4))]
)
def test_other_arrays_than_a_matrix_of_floats_are_refused(tmp_path, array):
    np.save(tmp_path / "rows.npy", array)
    with pytest.raises(InputError, match=r"matrix of floats.*rows\.npy"):
        map_rows(tmp_path / "rows.npy")


@pytest.mark.parametrize("suffix", [".npy", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"x" * 100])
def test_damaged_files_are_refused_by_name(tmp_path, suffix, content):
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match="rows"):
        map_rows(path)


def test_no_pickle_is_loaded(tmp_path):
    np.save(tmp_path / "rows.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"rows\.npy"):
        map_rows(tmp_path / "rows.npy")


@pytest.mark.parametrize("name", ["absent.npy", "rows.csv"])
def test_a_file_that_is_not_there_or_of_another_kind_is_refused(tmp_path, name):
    (tmp_path / "rows.csv").write_text("1,2\n")
    with pytest.raises(InputError, match=name):
        map_rows(tmp_path / name)
