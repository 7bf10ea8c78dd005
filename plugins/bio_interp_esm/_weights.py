"""Find the weights file of a model on this machine, or fetch it."""

import json
import os
from pathlib import Path
from typing import Any

import httpx

from bio_interp.errors import InputError, NotCachedError
from bio_interp.models import LoadOptions
from bio_interp.provenance import atomic_path, sha256_file, write_json

URL = "https://dl.fbaipublicfiles.com/fair-esm/models/{name}.pt"


def checkpoint_folder() -> Path:
    """Give the folder where torch.hub, and so fair-esm, keeps checkpoints."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", f"{cache}/torch")
    return Path(home).expanduser() / "hub" / "checkpoints"


def find_weights(name: str, options: LoadOptions) -> tuple[Path, str]:
    """Give the weights file of a model, fetched if need be and allowed, and its SHA-256.

    A file that this function fetched has its hash beside it (``NAME.pt.json``); one that no
    longer has that hash is refused.

    Raises
    ------
    NotCachedError
        There is no such file and it may not be, or could not be, fetched.
    InputError
        The file changed since it was fetched.
    """
    url = URL.format(name=name)
    path = options.weights or checkpoint_folder() / f"{name}.pt"
    if not path.is_file():
        if options.offline or options.weights:
            raise NotCachedError(
                f"the weights of {name} at {path}",
                "no such file",
                f"Allow downloads, or fetch {url} and put it there.",
            )
        _fetch(url, path)
    sha256 = sha256_file(path)
    record = _read_record(path)
    if record and record["sha256"] != sha256:
        raise InputError(
            f"{path} as it was fetched (SHA-256 {record['sha256']})",
            f"SHA-256 {sha256}",
            "Delete the file and its .json, and load the model again.",
        )
    return path, sha256


def _fetch(url: str, path: Path) -> None:
    try:
        with (
            atomic_path(path) as temporary,
            httpx.stream("GET", url, follow_redirects=True, timeout=60) as answer,
        ):
            answer.raise_for_status()
            with temporary.open("wb") as file:
                for chunk in answer.iter_bytes():
                    file.write(chunk)
            sha256 = sha256_file(temporary)
    except httpx.HTTPError as error:
        raise NotCachedError(
            f"{url}, to be kept as {path}",
            f"{type(error).__name__}: {error}",
            "Try again, or fetch the file by other means and put it there.",
        ) from error
    write_json(_record_path(path), {"url": url, "sha256": sha256, "bytes": path.stat().st_size})


def _record_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _read_record(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(_record_path(path).read_text())
    except FileNotFoundError:
        return None
