"""Find the weights file of a model on this machine, or fetch it."""

import os
from pathlib import Path

from bio_interp.cache import Progress, fetch, read_record
from bio_interp.errors import InputError, NotCachedError
from bio_interp.models import LoadOptions
from bio_interp.provenance import sha256_file

URL = "https://dl.fbaipublicfiles.com/fair-esm/models/{name}.pt"
LICENCE = "MIT"
CITATION = (
    "Lin Z. et al. (2023) Evolutionary-scale prediction of atomic-level protein structure with a "
    "language model. Science 379:1123-1130. doi:10.1126/science.ade2574"
)


def checkpoint_folder() -> Path:
    """Give the folder where torch.hub, and so fair-esm, keeps checkpoints."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", f"{cache}/torch")
    return Path(home).expanduser() / "hub" / "checkpoints"


def weights_path(name: str) -> Path:
    """Give the place of a model's weights file, which may not be there."""
    return checkpoint_folder() / f"{name}.pt"


def find_weights(name: str, options: LoadOptions) -> tuple[Path, str]:
    """Give the weights file of a model, fetched if need be and allowed, and its SHA-256.

    A file that was fetched has its record beside it (``NAME.pt.json``); one that no longer has the
    hash in it is refused.

    Raises
    ------
    NotCachedError
        There is no such file and it may not be, or could not be, fetched.
    InputError
        The file changed since it was fetched.
    """
    path = options.weights or weights_path(name)
    if options.weights and not path.is_file():
        raise NotCachedError(
            f"the weights of {name} at {path}",
            "no such file",
            f"Name another file, or fetch {URL.format(name=name)} and put it there.",
        )
    if not path.is_file():
        get_weights(name, offline=options.offline)
    sha256 = sha256_file(path)
    record = read_record(path)
    if record and record.sha256 != sha256:
        raise InputError(
            f"{path} as it was fetched (SHA-256 {record.sha256})",
            f"SHA-256 {sha256}",
            "Delete the file and its .json, and load the model again.",
        )
    return path, sha256


def get_weights(name: str, *, offline: bool, progress: Progress | None = None) -> Path:
    """Fetch the weights file of a model, unless it is there, and give its place.

    Raises
    ------
    NotCachedError
        There is no such file and it may not be, or could not be, fetched.
    """
    path = weights_path(name)
    if path.is_file():  # maybe by torch.hub, from an address of its own
        return path
    return fetch(
        URL.format(name=name),
        path,
        what=f"the weights of {name}",
        facts={"licence": LICENCE, "citation": CITATION},
        offline=offline,
        progress=progress,
    ).path
