"""The randomised-weight twin: the same network, every weight tensor permuted within itself.

It has the model's architecture, its distribution of weights and all that follows from the letters
alone, and nothing that was learned.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from bio_interp.cache import cache_folder
from bio_interp.models import LanguageModel, LoadOptions, load_model
from bio_interp.provenance import atomic_path


@cache
def twin_model(name: str, work: Path, seed: int) -> LanguageModel:
    """Load the model with permuted weights, which are written where they are absent."""
    folder = work / name / "twin"
    folder.mkdir(parents=True, exist_ok=True)
    path = _WRITERS[name](folder, seed)
    return load_model(name, LoadOptions(device="cpu", weights=path))


def permuted(tensors: Mapping[str, torch.Tensor], seed: int) -> dict[str, torch.Tensor]:
    """Permute each tensor within itself; the same seed gives the same.

    Examples
    --------
    >>> one = {"w": torch.arange(6.0).reshape(2, 3)}
    >>> other = permuted(one, 0)["w"]
    >>> other.shape, other.flatten().sort().values.tolist(), bool((other == one["w"]).all())
    (torch.Size([2, 3]), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], False)
    """
    mixed = dict[str, torch.Tensor]()
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in sorted(tensors.items()):
        order = torch.randperm(tensor.numel(), generator=generator)
        mixed[name] = tensor.flatten()[order].reshape(tensor.shape).contiguous()
    return mixed


def _write_reference(folder: Path, seed: int) -> Path:
    import bio_interp_reference

    path = folder / "weights.safetensors"
    if not path.is_file():
        weights = load_file(Path(bio_interp_reference.__file__).parent / "model.safetensors")
        with atomic_path(path) as temporary:
            save_file(permuted(weights, seed), temporary)
    return path


def _write_unirep(folder: Path, seed: int) -> Path:
    path = folder / "weights.npz"
    if not path.is_file():
        with np.load(cache_folder() / "unirep/model_weights.npz", allow_pickle=False) as file:
            weights = {key: torch.from_numpy(file[key]) for key in file.files}
        mixed = {key: value.numpy() for key, value in permuted(weights, seed).items()}
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **mixed)
    return path


_WRITERS = {"reference": _write_reference, "unirep": _write_unirep}
