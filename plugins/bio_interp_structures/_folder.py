"""Structures that lie in a folder."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from bio_interp.cache import Progress
from bio_interp.errors import InputError, NotFoundError
from bio_interp_structures._names import checked_accession

VARIABLE = "BIO_INTERP_STRUCTURES"
_SUFFIX = re.compile(r"\.(?:pdb|ent|cif|mmcif|bcif)(?:\.(?:gz|zst))?", re.I)
_CHUNK = 1 << 20


class FolderSource:
    """Files of structures in one folder, named as they are.

    Parameters
    ----------
    folder
        Where not given, ``BIO_INTERP_STRUCTURES``, else ``structures`` in the working folder.
    """

    api_version = 1

    def __init__(self, folder: Path | str | None = None) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        """Where files are looked for."""
        return Path(self._folder or os.environ.get(VARIABLE) or "structures").expanduser()

    def find(self, accession: str, *, offline: bool = False) -> Sequence[str]:
        """Name the files that name a protein: first in their name, then in what they hold."""
        name = checked_accession(accession)
        files = self._files()
        named = [file for file in files if _has(file.name.upper().encode(), name)]
        holding = [file for file in files if file not in named and _holds(file, name)]
        return [file.name for file in [*named, *holding]]

    def get(self, name: str, *, offline: bool = False, progress: Progress | None = None) -> Path:
        """Give the path of a file; its suffix may be left out."""
        if not name or Path(name).name != name or "\0" in name or name in (".", ".."):
            raise InputError("the name of a file, not a path", repr(name), f"See {self.folder}.")
        for file in self._files():
            if name.lower() in (file.name.lower(), _SUFFIX.sub("", file.name).lower()):
                return file
        raise NotFoundError(
            f"a structure in {self.folder}",
            repr(name),
            f"Put it there as .cif or .pdb, or set {VARIABLE} to its folder.",
        )

    def _files(self) -> list[Path]:
        try:
            paths = sorted(self.folder.iterdir()) if self.folder.is_dir() else []
        except OSError as error:
            raise InputError(
                f"a folder of structures at {self.folder}", str(error), "Check its permissions."
            ) from error
        return [p for p in paths if _SUFFIX.search(p.name) and p.is_file()]


def _has(text: bytes, accession: str) -> bool:
    pattern = rb"(?<![A-Z0-9])" + accession.encode() + rb"(?![A-Z0-9]|-[0-9])"
    return re.search(pattern, text) is not None


def _holds(path: Path, accession: str) -> bool:
    """Tell whether a file has a word; one that cannot be read has none."""
    from bio_interp.sequences import open_plain

    rest = b""
    try:
        with open_plain(path) as file:
            while chunk := file.read(_CHUNK):
                text = rest + chunk
                if accession.encode() in text and (b"\0" in text or _has(text, accession)):
                    return True
                rest = text[-64:]
    except (OSError, EOFError):
        return False
    return False
