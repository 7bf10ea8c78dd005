"""Where a result came from: hashes, versions, and files that are whole or absent."""

import hashlib
import json
import os
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def sha256_file(path: Path) -> str:
    """Hash the bytes of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_text(lines: Iterable[str]) -> str:
    r"""Hash lines of text, each followed by a newline, as 64 hexadecimal digits.

    Examples
    --------
    >>> sha256_text(["a", "b"])[:12]
    '911169ddaaf1'
    """
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Say in one line which settings differ; empty where none does.

    Examples
    --------
    >>> changes({"sae.k": 32, "sae.d_sae": 64}, {"sae.k": 16, "sae.d_sae": 64})
    'sae.k: 32 there, 16 now'
    """
    missing = object()
    keys = [
        key
        for key in sorted({**before, **now})
        if before.get(key, missing) != now.get(key, missing)
    ]
    return "; ".join(f"{key}: {_shown(before, key)} there, {_shown(now, key)} now" for key in keys)


def versions(packages: Iterable[str] = ("bio-interp", "torch", "numpy")) -> dict[str, str]:
    """Read the versions of installed packages; one that is absent is left out."""
    found: dict[str, str] = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@contextmanager
def atomic_path(path: Path) -> Generator[Path]:
    """Give a temporary path that becomes `path` when the block ends well, and vanishes if not.

    The file is flushed to disk before it is renamed, so that `path` is whole or absent even after
    a power cut. A link is followed. A device or a pipe is written in place: a file renamed over it
    would take its stead.
    """
    path = path.resolve()
    if is_stream(path):
        yield path
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    temporary.chmod(0o666 & ~_umask())
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def is_stream(path: Path) -> bool:
    """Tell whether a path is there and is neither a file nor a folder: a device, a pipe."""
    return path.exists() and not path.is_file() and not path.is_dir()


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically, indented, with a final newline."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _shown(settings: Mapping[str, Any], key: str) -> str:
    text = repr(settings[key]) if key in settings else "not set"
    return text if len(text) <= 120 else f"{text[:117]}..."


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
