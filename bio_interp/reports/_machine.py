"""What this machine has, and whether it is enough: the findings of ``bio-interp doctor``."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from bio_interp.cache import DATA_SETS, cache_folder, is_cached
from bio_interp.errors import BioInterpError, NotCachedError
from bio_interp.plugins import find_problem, list_plugins

_BAD_LIGHTNING = ("2.6.2", "2.6.3")  # malicious releases, GHSA-w37p-236h-pfx3


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor.

    Attributes
    ----------
    topic
        ``python``, ``package``, ``device``, ``cache``, ``data``, ``plugin`` or ``atlas``.
    name, value
        What was looked at, and what it is.
    problem
        What is wrong and what to do about it; empty where all is well.
    """

    topic: str
    name: str
    value: str
    problem: str = ""


def examine() -> Iterator[Finding]:
    """Look at Python, packages, devices, the cache, plugins and atlases, one after another."""
    yield Finding("python", "version", platform.python_version())
    yield Finding("python", "executable", sys.executable)
    yield from _packages()
    yield from _devices()
    yield from _cache()
    for plugin in list_plugins():
        problem = find_problem(plugin) or ""
        yield Finding("plugin", f"{plugin.kind}/{plugin.name}", plugin.version, problem)
    for plugin in list_plugins("atlases"):
        yield _atlas(plugin.name)


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


def _cache() -> Iterator[Finding]:
    folder = cache_folder()
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    writable = os.access(parent, os.W_OK)
    problem = "" if writable else "Not writable; set BIO_INTERP_CACHE to a folder of yours."
    yield Finding("cache", "folder", str(folder), problem)
    for name in DATA_SETS:
        there = is_cached(name)
        yield Finding("data", name, "cached" if there else f"bio-interp data get {name}")


def _atlas(name: str) -> Finding:
    from bio_interp.atlas import load_atlas

    found = "-"
    try:
        atlas = load_atlas(name, device="cpu")
        found = f"{atlas.info.version}, model {atlas.info.model}"
        weights = atlas.model.info.weights_sha256  # refuses weights of another hash
    except NotCachedError as error:
        return Finding("atlas", name, f"{found} (weights not here: {error.todo})")
    except BioInterpError as error:
        return Finding("atlas", name, found, " ".join(str(error).split()))
    problems = "; ".join(atlas.check())
    return Finding("atlas", name, f"{found}, weights {weights[:12]}", problems)


def _project(requirement: str) -> str:
    ends = [requirement.find(sign) for sign in " ;<>=!~[" if sign in requirement]
    return requirement[: min(ends, default=len(requirement))]
