"""Open plain and gzip files, and look at their first bytes."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import IO

_GZIP = b"\x1f\x8b"


def open_bytes(path: Path) -> IO[bytes]:
    """Open a plain or gzip file for its bytes."""
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP
    return gzip.open(path) if zipped else path.open("rb")  # type: ignore[return-value]


def open_text(path: Path) -> IO[str]:
    """Open a plain or gzip text file; bytes that are no UTF-8 become replacement characters."""
    with path.open("rb") as file:
        zipped = file.read(2) == _GZIP
    opener = gzip.open if zipped else open
    return opener(path, "rt", encoding="utf-8", errors="replace")  # type: ignore[return-value]


def first_bytes(path: Path, size: int = 4096) -> bytes:
    """Read the first bytes of a plain or gzip file; empty where there are none to read."""
    try:
        with open_bytes(path) as file:
            return file.read(size)
    except (OSError, EOFError):
        return b""
