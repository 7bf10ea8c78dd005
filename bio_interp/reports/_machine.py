"""What this machine has, and whether it is enough: the findings of ``bio-interp doctor``."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from bio_interp.cache import DATA_SETS, cache_folder, is_cached, list_cache
from bio_interp.errors import BioInterpError, NotCachedError
from bio_interp.plugins import find_problem, list_plugins

_BAD_LIGHTNING = ("2.6.2", "2.6.3")  # malicious releases, GHSA-w37p-236h-pfx3
_LEAST_MEMORY = _LEAST_DISK = 1_000_000_000  # bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor.

    Attributes
    ----------
    topic
        ``python``, ``package``, ``device``, ``memory``, ``disk``, ``cache``, ``data``, ``plugin``,
        ``atlas`` or ``fingerprint`` (of an atlas: do model and SAE belong together?).
    name, value
        What was looked at, and what it is.
    problem
        What is wrong and what to do about it; empty where all is well.
    """

    topic: str
    name: str
    value: str
    problem: str = ""


def examine(atlas: str | None = None) -> Iterator[Finding]:
    """Look at Python, packages, devices, memory, disk, the cache, plugins and atlases.

    Parameters
    ----------
    atlas
        Name of an installed atlas or the folder of one: look at this one, and find fault where the
        weights of its model are missing. All installed ones where None; weights that nobody
        fetched are then no fault.
    """
    yield Finding("python", "version", platform.python_version())
    yield Finding("python", "executable", sys.executable)
    yield from _packages()
    yield from _devices()
    yield _memory()
    yield from _cache()
    for plugin in list_plugins():
        problem = find_problem(plugin) or ""
        yield Finding("plugin", f"{plugin.kind}/{plugin.name}", plugin.version, problem)
    if atlas is not None:
        yield from _atlas(atlas, needed=True)
        return
    for plugin in list_plugins("atlases"):
        yield from _atlas(plugin.name)


def _packages() -> Iterator[Finding]:
    lines = requires("bio-interp") or []
    names = [_project(line) for line in lines if "extra ==" not in line]
    for name in names:
        try:
            found = version(name)
        except PackageNotFoundError:
            yield Finding("package", name, "-", f"Not installed; pip install {name}.")
            continue
        bad = name == "lightning" and found in _BAD_LIGHTNING
        problem = "A malicious release (GHSA-w37p-236h-pfx3); install another." if bad else ""
        yield Finding("package", name, found, problem)


def _devices() -> Iterator[Finding]:
    import torch

    from bio_interp.models import native_bf16

    yield Finding("device", "cpu", f"{os.cpu_count()} cores, {torch.get_num_threads()} threads")
    native = native_bf16(torch.device("cpu"))
    yield Finding("device", "cpu bf16", "native" if native else "in software: slower than fp32")
    for index in range(torch.cuda.device_count()):
        yield Finding("device", f"cuda:{index}", torch.cuda.get_device_name(index))
    if torch.backends.mps.is_available():
        yield Finding("device", "mps", "available")


def _memory() -> Finding:
    total, free = memory_bytes()
    if total is None:
        return Finding("memory", "main", "unknown on this platform")
    value = f"{total / 1e9:.1f} GB" + (f", {free / 1e9:.1f} GB free" if free is not None else "")
    low = free is not None and free < _LEAST_MEMORY
    problem = "Less than 1 GB free: close other programs before a model is loaded." if low else ""
    return Finding("memory", "main", value, problem)


def memory_bytes() -> tuple[int | None, int | None]:
    """Total and free memory, of the container where one sets a limit."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows
        return None, None
    free = None
    if (info := Path("/proc/meminfo")).is_file():
        rows = dict(line.split(":", 1) for line in info.read_text().splitlines() if ":" in line)
        free = int(rows["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in rows else None
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text().strip()).isdecimal() and int(text) < total:
        total, used = int(text), int(Path("/sys/fs/cgroup/memory.current").read_text())
        free = total - used if free is None else min(free, total - used)
    return total, free


def _cache() -> Iterator[Finding]:
    folder = cache_folder()
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    writable = os.access(parent, os.W_OK)
    problem = "" if writable else "Not writable; set BIO_INTERP_CACHE to a folder of yours."
    yield Finding("cache", "folder", str(folder), problem)
    yield _disk(parent)
    try:
        for entry in list_cache():
            state = "; unfinished, fetch it again to go on" if entry.unfinished else ""
            yield Finding("cache", entry.name, f"{entry.size / 1e6:.1f} MB{state}")
    except BioInterpError as error:
        yield Finding("cache", "entries", "-", " ".join(str(error).split()))
    for name in DATA_SETS:
        missing = f"not here; to fetch it: bio-interp data get {name}"
        yield Finding("data", name, "cached" if is_cached(name) else missing)


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    low = free < _LEAST_DISK
    problem = "Less than 1 GB free: make room, or set BIO_INTERP_CACHE to another disk."
    return Finding("disk", "of the cache", f"{free / 1e9:.1f} GB free", problem if low else "")


def _atlas(name: str, *, needed: bool = False) -> Iterator[Finding]:
    """Open an atlas, load its model and compare the SAE's fingerprint."""
    from bio_interp.atlas import load_atlas

    found = "-"
    try:
        atlas = load_atlas(name, device="cpu")
        found = f"{atlas.info.version}, model {atlas.info.model}"
        weights = atlas.model.info.weights_sha256  # refuses weights of another hash
        problems = "; ".join(atlas.check())
    except NotCachedError as error:
        missing = f"weights not here: {error.todo}"
        said = (found, missing) if needed else (f"{found} ({missing})", "")
        yield Finding("atlas", name, *said)
    except BioInterpError as error:
        yield Finding("atlas", name, found, " ".join(str(error).split()))
    else:
        yield Finding("atlas", name, f"{found}, weights {weights[:12]}")
        verdict = "do not belong together" if problems else "belong together"
        site = atlas.info.site
        yield Finding("fingerprint", name, f"SAE, model and site {site} {verdict}", problems)


def _project(requirement: str) -> str:
    ends = [requirement.find(sign) for sign in " ;<>=!~[" if sign in requirement]
    return requirement[: min(ends, default=len(requirement))]
