import subprocess
import sys
from pathlib import Path

import pytest
import torch

from bio_interp.errors import InputError, MismatchError, MissingExtraError
from bio_interp.sae import TrainConfig, train
from bio_interp.sae.kernels import _dispatch, load_kernels

CONFIG = {"d_sae": 8, "k": 2, "total_rows": 64, "batch_rows": 32}


@pytest.fixture
def _no_cache():
    _dispatch._load.cache_clear()
    yield
    _dispatch._load.cache_clear()


@pytest.mark.usefixtures("_no_cache")
def test_without_triton_the_error_names_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(_dispatch, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="CUDA build of torch"):
        load_kernels("triton", "cuda")


@pytest.mark.usefixtures("_no_cache")
def test_a_training_on_a_cpu_is_refused_before_any_row_is_read(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_dispatch, "find_spec", lambda name: object())
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)

    def rows(epoch: int):
        raise AssertionError("read")

    with pytest.raises(MismatchError, match="device 'cpu'"):
        train(rows, TrainConfig(**CONFIG, kernels="triton"), folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("_no_cache")
def test_a_finished_training_by_kernels_is_loaded_where_none_can_run(
    interpreted, monkeypatch, tmp_path: Path
) -> None:
    config = TrainConfig(d_sae=8, k=2, total_rows=4, batch_rows=4, kernels="triton")
    rows = [torch.randn(8, 6)]
    trained = train(rows, config, folder=tmp_path)
    _dispatch._load.cache_clear()
    monkeypatch.delenv("TRITON_INTERPRET")
    assert torch.equal(train(rows, config, folder=tmp_path).W_dec, trained.W_dec)
    with pytest.raises(MismatchError, match="device 'cpu'"):
        train(rows, config, folder=tmp_path / "other")


def test_unknown_kernels_are_refused() -> None:
    with pytest.raises(InputError, match="'cuda'"):
        load_kernels("cuda", "cpu")
    with pytest.raises(InputError, match="'cuda'"):
        TrainConfig(**CONFIG, kernels="cuda")


@pytest.mark.parametrize("more", [{"architecture": "jumprelu"}, {"prefixes": (2,)}], ids=str)
def test_what_no_kernel_computes_is_refused(more: dict) -> None:
    with pytest.raises(InputError, match="kernels='torch'"):
        TrainConfig(**CONFIG, kernels="triton", **more)


def test_importing_sae_and_its_kernels_imports_no_triton() -> None:
    code = "import sys, bio_interp.sae.kernels; print('triton' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_reference_runs_on_any_device() -> None:
    assert load_kernels("torch", torch.device("meta")).name == "torch"
