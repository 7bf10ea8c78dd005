"""Open files for their text, and look at their first bytes."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from bio_interp.errors import AnnotationError
from bio_interp.sequences import bounded_lines, open_plain


@contextmanager
def text_lines(path: Path) -> Generator[Iterator[str]]:
    """Open a plain, gzip or zstandard text file for its lines.

    Bytes that are no UTF-8 become replacement characters.

    Raises
    ------
    AnnotationError
        The file cannot be opened, or its compressed data are damaged or end too early.
    """
    try:
        with open_plain(path) as plain:
            text = io.TextIOWrapper(plain, encoding="utf-8-sig", errors="replace")
            yield bounded_lines(text, str(path))
    except (OSError, EOFError) as error:
        raise unreadable(path, error) from error


def first_bytes(path: Path, size: int = 4096) -> bytes:
    """Read the first bytes of a file; empty where there are none to read."""
    try:
        with open_plain(path) as file:
            return file.read(size)
    except (OSError, EOFError):
        return b""


def unreadable(path: Path, error: Exception) -> AnnotationError:
    """Say that a file cannot be read, or not to its end."""
    return AnnotationError(
        "a whole file that can be read",
        f"{path} ({type(error).__name__}: {error})",
        "Check the path, or fetch the file again.",
    )
