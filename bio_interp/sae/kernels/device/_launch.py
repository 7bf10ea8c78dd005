"""One way to launch a kernel."""

from typing import Any

import torch
from torch import Tensor


def launch(kernel: Any, grid: tuple[int, ...], first: Tensor, *more: Any, **settings: Any) -> None:
    """Run a kernel on the device of its first tensor; nothing where the grid is empty."""
    if all(grid):
        with torch.cuda.device_of(first):  # triton launches on the current device
            kernel[grid](first, *more, **settings)
