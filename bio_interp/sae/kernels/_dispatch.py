"""The one place that decides who computes."""

import os
from functools import cache
from importlib.util import find_spec

import torch

from bio_interp.errors import InputError, MismatchError, MissingExtraError
from bio_interp.sae.kernels._functions import Kernels
from bio_interp.sae.kernels._reference import Reference


def load_kernels(name: str, device: torch.device | str) -> Kernels:
    """Give the functions of a training step.

    Parameters
    ----------
    name
        ``"torch"``, the reference, or ``"triton"``.
    device
        Where the tensors are. Triton needs CUDA, or the environment variable
        ``TRITON_INTERPRET=1``, set before triton is imported, with which kernels run in Python
        on the CPU, thousands of times slower: for tests.

    Raises
    ------
    MissingExtraError
        Triton is not installed.
    MismatchError
        The device cannot run it.

    Examples
    --------
    >>> load_kernels("torch", "cpu").name
    'torch'
    """
    return _load(name, torch.device(device).type)


@cache
def _load(name: str, kind: str) -> Kernels:
    if name == "torch":
        return Reference()
    if name != "triton":
        raise InputError("kernels 'torch' or 'triton'", repr(name), "Choose one.")
    if find_spec("triton") is None:
        raise MissingExtraError(
            "the package triton, for kernels='triton'",
            "it is not installed",
            "Install a CUDA build of torch on Linux, which brings it, or set kernels='torch'.",
        )
    if kind != "cuda" and os.environ.get("TRITON_INTERPRET") != "1":
        raise MismatchError(
            "a CUDA device for kernels='triton'",
            f"the device {kind!r}",
            "Set device='cuda', or kernels='torch', which runs anywhere.",
        )
    from bio_interp.sae.kernels.device._triton import TritonKernels

    return TritonKernels()
