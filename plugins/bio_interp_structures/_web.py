"""Ask for small answers, and fetch structures that can be read."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bio_interp.cache import FetchRecord, Progress, fetch, read_record
from bio_interp.errors import NotCachedError, NotFoundError, StructureError


def kept(path: Path) -> bool:
    """Tell whether a file is here, whole by its record."""
    if not path.is_file():
        return False
    record = read_record(path)
    return record is None or record.bytes == path.stat().st_size


def forget(path: Path) -> None:
    """Remove a file and its record."""
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.json").unlink(missing_ok=True)


def ask_json(url: str, *, what: str) -> Any:
    """Ask for JSON that is not kept; None where the server has nothing.

    Raises
    ------
    NotCachedError
        The server gives another answer, or none.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        try:
            fetch(url, answer, what=what)
        except NotCachedError as error:
            if error.got.startswith(("HTTP 404", "HTTP 422")):
                return None
            raise NotCachedError(f"{what} from {url}", error.got, "Try again later.") from error
        text = answer.read_text(encoding="utf-8", errors="replace")
    try:
        return json.loads(text) if text.strip() else None
    except ValueError as error:
        raise NotCachedError(
            f"{what} from {url} as JSON", f"{text[:60]!r}", "Try again later."
        ) from error


def fetch_structure(
    url: str,
    path: Path,
    *,
    what: str,
    release: str,
    facts: Mapping[str, Any],
    progress: Progress | None,
) -> FetchRecord:
    """Fetch a structure and keep it if it can be read.

    Raises
    ------
    NotFoundError
        The server has no such file.
    NotCachedError
        It could not be fetched, or is no structure.
    """
    from bio_interp.structures import read_structure

    try:
        record = fetch(url, path, what=what, release=release, facts=facts, progress=progress)
    except NotCachedError as error:
        if error.got.startswith("HTTP 404"):
            raise NotFoundError(what, f"HTTP 404 from {url}", "Check the identifier.") from error
        raise
    try:
        read_structure(path)
    except StructureError as error:
        forget(path)
        raise NotCachedError(
            f"{what} from {url}", f"{error.got}", "Try again later; nothing was kept."
        ) from error
    return record
