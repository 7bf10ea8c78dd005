"""Compile every kernel for a GPU that is not here, as a training step would; print what came out.

Run without ``TRITON_INTERPRET``. Triton's driver is replaced by one that says which GPU to compile
for, and launches only compile. What the kernels would have computed does not matter here.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.runtime.jit import JITFunction

from bio_interp.sae.kernels import AdamStep
from bio_interp.sae.kernels.device import _choice
from bio_interp.sae.kernels.device._triton import TritonKernels

D_MODEL, D_SAE, K, ROWS = 1280, 10_240, 64, 4


class Absent:
    """A driver of a GPU that is not there."""

    def __init__(self, capability: int) -> None:
        self.target = GPUTarget("cuda", capability, 32)

    def get_current_device(self) -> int:
        return 0

    def get_current_stream(self, device: int) -> int:
        return 0

    def get_current_target(self) -> GPUTarget:
        return self.target


def main(capability: int) -> None:
    found: dict[str, dict[str, int]] = {}
    launch = JITFunction.run

    def compile_only(self: Any, *args: Any, **kwargs: Any) -> None:
        compiled = launch(self, *args, **{**kwargs, "warmup": True})
        found[f"{self.fn.__name__}/{len(found)}"] = usage(compiled)

    JITFunction.run = compile_only  # type: ignore[method-assign]
    triton.runtime.driver.set_active(Absent(capability))
    _choice._widen = lambda x: False  # as on a GPU
    launch_all(torch.bfloat16, "fused")
    for dtype in (torch.bfloat16, torch.float32):
        launch_all(dtype, "dense")
    sys.stdout.write(json.dumps(found))


def launch_all(dtype: torch.dtype, route: str) -> None:
    kernels = TritonKernels(decoder="sparse", selection=route)
    x, encoder = torch.zeros(ROWS, D_MODEL, dtype=dtype), torch.zeros(D_SAE, D_MODEL, dtype=dtype)
    bias, floor = torch.zeros(D_SAE, dtype=dtype), torch.zeros(ROWS)
    entries = kernels.select_batchtopk(x, encoder, bias, K, floor)
    entries = kernels.select_topk(x, encoder, bias, K, floor)
    if route == "fused":
        return
    decoded = kernels.decode(entries, encoder, torch.zeros(D_MODEL), x)
    kernels.weight_gradients(entries, decoded, x, torch.ones(()))
    if dtype is torch.bfloat16:
        return  # weights are float32
    for unit in (True, False):
        kernels.squares(encoder, encoder, unit=unit)
        numbers = AdamStep(1e-3, 0.9, 0.999, 1e-8, 1)
        kernels.adam(encoder, encoder, (encoder, encoder), torch.ones(()), numbers, unit=unit)


def usage(compiled: Any) -> dict[str, int]:
    """Read registers and spills off the machine code."""
    tool = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(compiled.asm["cubin"])
        file.flush()
        command = [str(tool), "-res-usage", file.name]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    registers, stack = re.search(r"REG:(\d+) STACK:(\d+)", said).groups()  # type: ignore[union-attr]
    return {"registers": int(registers), "stack": int(stack), "shared": compiled.metadata.shared}


if __name__ == "__main__":
    main(int(sys.argv[1]))
