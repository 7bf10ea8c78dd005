import pytest
import torch

from bio_interp.errors import MismatchError
from bio_interp.models import native_bf16, resolve_device, resolve_precision

CPU = torch.device("cpu")


def without(monkeypatch, **capabilities):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)


def test_auto_is_fp32_on_a_processor_without_bf16_units(monkeypatch):
    without(monkeypatch, avx2=True, avx512_bf16=False)
    assert not native_bf16(CPU)
    assert resolve_precision("auto", CPU) == "fp32"


@pytest.mark.parametrize("unit", ["avx512_bf16", "amx_bf16"])
def test_auto_is_bf16_on_a_processor_that_has_them(monkeypatch, unit):
    without(monkeypatch, **{unit: True})
    assert resolve_precision("auto", CPU) == "bf16"


def test_auto_stays_fp32_where_the_model_offers_no_bf16(monkeypatch):
    without(monkeypatch, amx_bf16=True)
    assert resolve_precision("auto", CPU, offered=("fp32",)) == "fp32"


def test_bf16_without_units_is_a_choice_that_is_honoured(monkeypatch):
    without(monkeypatch)
    assert resolve_precision("bf16", CPU) == "bf16"


def test_a_precision_that_is_not_offered_is_refused():
    with pytest.raises(MismatchError, match=r"fp32, bf16, auto.*'int8'"):
        resolve_precision("int8", CPU)


@pytest.mark.parametrize("name", ["gpu0", "", "cuda:99", "xpu"])
def test_a_device_this_machine_lacks_is_refused(name):
    with pytest.raises(MismatchError, match="a device of this machine"):
        resolve_device(name)


def test_auto_finds_a_device():
    assert resolve_device("auto").type in {"cuda", "mps", "cpu"}
