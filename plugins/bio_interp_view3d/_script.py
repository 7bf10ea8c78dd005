"""3Dmol.js in the cache: the package as npm has it, of the version that py3Dmol asks for."""

import hashlib
import io
import tarfile
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from bio_interp.cache import DataSet, Progress, cache_folder, fetch
from bio_interp.errors import MismatchError, NotCachedError

VERSION = "2.5.5"
URL = f"https://registry.npmjs.org/3dmol/-/3dmol-{VERSION}.tgz"
SHA256 = "26d91c5036d4efe78fc032c22cb692fea92bbb3cb1e65d20bf3869673fb3d8f5"
DATA_SET = DataSet(
    name="3dmol",
    megabytes=4,
    licence="BSD-3-Clause",
    citation="Rego & Koes, Bioinformatics 31, 1322 (2015), doi:10.1093/bioinformatics/btu829",
)


class Script(NamedTuple):
    """3Dmol.js, and the notice that goes with every copy of it."""

    code: str
    notice: str


def script_path() -> Path:
    """Give the place of the package in the cache."""
    return cache_folder() / f"3dmol-{VERSION}.tgz"


def fetch_script(*, offline: bool = False, progress: Progress | None = None) -> Path:
    """Fetch the package, unless it is here."""
    what, facts = f"3Dmol.js {VERSION}", {"licence": DATA_SET.licence, "cite": DATA_SET.citation}
    record = fetch(
        URL,
        script_path(),
        what=what,
        sha256=SHA256,
        release=VERSION,
        facts=facts,
        offline=offline,
        progress=progress,
    )
    return record.path


def read_script() -> Script:
    """Read the script from the cache.

    Raises
    ------
    NotCachedError
        It is not there.
    MismatchError
        What is there is something else.
    """
    path = script_path()
    if not path.is_file():
        raise NotCachedError(
            f"3Dmol.js {VERSION}, which draws structures",
            f"no file {path}",
            "Run `bio-interp data get 3dmol` once, on a machine with a network.",
        )
    return _read(path, path.stat().st_mtime_ns, SHA256)


@lru_cache(maxsize=1)
def _read(path: Path, _: int, sha256: str) -> Script:
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise MismatchError(
            f"3Dmol.js {VERSION} with sha256 {sha256}",
            f"sha256 {found} of {path}",
            "Delete it and run `bio-interp data get 3dmol`.",
        )
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        code = _member(archive, "package/build/3Dmol-min.js")
        return Script(code, _member(archive, "package/LICENSE"))


def _member(archive: tarfile.TarFile, name: str) -> str:
    file = archive.extractfile(name)
    assert file is not None, name  # the hash says that it is there
    return file.read().decode()
