"""Kernels in Triton's interpreter: on the CPU, in Python, one program after the other."""

import os
from importlib.util import find_spec

os.environ.setdefault("TRITON_INTERPRET", "1")  # read when triton is imported

import pytest
import torch

from bio_interp.sae.kernels import Kernels, load_kernels

collect_ignore = ["_compile.py"]  # a program of its own, for which triton must be there


@pytest.fixture(scope="session")
def reference() -> Kernels:
    return load_kernels("torch", "cpu")


@pytest.fixture(scope="session")
def interpreted() -> type:
    """`TritonKernels`, to be made with the routes and the length of chunks of a test."""
    if find_spec("triton") is None:
        pytest.skip("triton is not installed (it has wheels for Linux only)")
    from bio_interp.sae.kernels.device._triton import TritonKernels

    return TritonKernels


@pytest.fixture(autouse=True)
def _one_seed() -> None:
    torch.manual_seed(0)
