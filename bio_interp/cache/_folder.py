"""The folder of the cache: where it is, what lies in it, and how to empty it."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bio_interp.cache._record import record_path
from bio_interp.errors import BioInterpError, NotFoundError


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One thing in the cache: a file, or the folder of a data set.

    Attributes
    ----------
    size
        In bytes, with the record beside it.
    date
        When it was fetched, in UTC; ``""`` where that is not recorded.
    source
        Address, or project and version on the package index; ``""`` where that is not recorded.
    release
        Of the database, as its server named it; ``""`` where it names none.
    unfinished
        True for a download that was interrupted; fetching it again goes on with it.
    """

    name: str
    path: Path
    size: int
    date: str = ""
    source: str = ""
    release: str = ""
    unfinished: bool = False


def cache_folder() -> Path:
    """Find the folder of the cache; it may not exist yet.

    ``BIO_INTERP_CACHE``, else ``bio_interp`` under ``XDG_CACHE_HOME``, ``LOCALAPPDATA``,
    ``~/Library/Caches`` or ``~/.cache``.
    """
    if chosen := os.environ.get("BIO_INTERP_CACHE"):
        return Path(chosen).expanduser()
    if base := os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA"):
        return Path(base) / "bio_interp"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/bio_interp"
    return Path.home() / ".cache/bio_interp"


def list_cache() -> list[CacheEntry]:
    """List what lies in the cache, by name; a file and the record beside it are one entry.

    Raises
    ------
    BioInterpError
        The folder cannot be read.
    """
    root = cache_folder()
    try:
        paths = sorted(root.iterdir()) if root.is_dir() else []
        records = {record_path(path) for path in paths}
        return [_entry(path) for path in paths if path not in records]
    except OSError as error:
        raise BioInterpError(
            f"to read the cache {root}",
            f"{type(error).__name__}: {error}",
            "Check its permissions, or set BIO_INTERP_CACHE to a folder of yours.",
        ) from error


def clear_cache(name: str | None = None) -> list[CacheEntry]:
    """Remove one entry of `list_cache`, or all of them; return what was removed.

    Raises
    ------
    NotFoundError
        No entry has that name; the message lists those that are there.
    BioInterpError
        An entry cannot be removed; those before it are gone.
    """
    entries = list_cache()
    chosen = [e for e in entries if name is None or e.name == name]
    if name is not None and not chosen:
        raise NotFoundError(
            f"an entry of the cache (there: {', '.join(e.name for e in entries) or 'none'})",
            repr(name),
            "`bio-interp cache list` shows the entries.",
        )
    for entry in chosen:
        _remove(entry)
    return chosen


def _remove(entry: CacheEntry) -> None:
    try:
        record_path(entry.path).unlink(missing_ok=True)
        is_folder = entry.path.is_dir() and not entry.path.is_symlink()
        shutil.rmtree(entry.path) if is_folder else entry.path.unlink()
    except OSError as error:
        raise BioInterpError(
            f"to remove {entry.path} from the cache",
            f"{type(error).__name__}: {error}",
            "Check the permissions of the cache; other entries are still there.",
        ) from error


def _entry(path: Path) -> CacheEntry:
    record = read_facts(path / "data.json" if path.is_dir() else record_path(path))
    return CacheEntry(
        path.name,
        path,
        _size([path, record_path(path)]),
        date=str(record.get("date", "")),
        source=str(record.get("url") or record.get("wheel") or ""),
        release=str(record.get("release") or ""),
        unfinished=path.name.startswith(".") and path.suffix == ".part",
    )


def read_facts(path: Path) -> dict[str, Any]:
    """Read a JSON object; empty where there is none that can be read.

    A record that somebody broke must not keep the cache from being listed, cleared and filled.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _size(paths: Sequence[Path]) -> int:
    return sum(file.stat().st_size for path in paths for file in _files(path))


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
    elif path.is_file():
        yield path
