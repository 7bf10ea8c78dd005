"""Activations that other tools wrote: one matrix in a file."""

from pathlib import Path

import torch
from torch import Tensor

from bio_interp.errors import InputError

_SUFFIXES = (".npy", ".safetensors")


def map_rows(path: Path) -> Tensor:
    """Map the matrix in a ``.npy`` or ``.safetensors`` file, ``(rows, d_model)``.

    Nothing is read before it is used, so the file may be larger than the memory. It is of any
    float type; a safetensors file holds one tensor.

    Raises
    ------
    InputError
        The file is not there, is of another kind, or holds something else.

    Examples
    --------
    >>> import numpy as np
    >>> path = getfixture("tmp_path") / "rows.npy"
    >>> np.save(path, np.ones((5, 2), dtype=np.float16))
    >>> map_rows(path).shape
    torch.Size([5, 2])
    """
    if path.suffix not in _SUFFIXES or not path.is_file():
        got = f"{path}, which is not there" if path.suffix in _SUFFIXES else str(path)
        raise InputError(
            f"activations in a file ({' or '.join(_SUFFIXES)}) or in a folder of `harvest`",
            got,
            "Write the rows with numpy.save, or harvest them.",
        )
    rows = _npy(path) if path.suffix == ".npy" else _safetensors(path)
    if rows.ndim != 2 or not rows.is_floating_point() or not rows.shape[0]:
        raise InputError(
            "a matrix of floats, (rows, d_model)",
            f"{rows.dtype} of shape {tuple(rows.shape)} in {path}",
            "Put the activations of all tokens of one site below each other.",
        )
    return rows


def _npy(path: Path) -> Tensor:
    import numpy as np

    try:
        # "c" is for torch, which would warn of a map that it must not write to
        return torch.from_numpy(np.load(path, mmap_mode="c", allow_pickle=False))
    except (ValueError, TypeError, OSError, EOFError) as error:
        raise InputError("a .npy file of numbers", f"{path}: {error}", "Write it anew.") from error


def _safetensors(path: Path) -> Tensor:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            names = list(file.keys())
            if len(names) == 1:
                return file.get_tensor(names[0])
    except (SafetensorError, OSError) as error:
        raise InputError("a safetensors file", f"{path}: {error}", "Write it anew.") from error
    raise InputError(
        "a safetensors file of one tensor", f"{len(names)} in {path}", "Keep one site a file."
    )
