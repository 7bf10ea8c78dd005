"""What is known of a file that was fetched, kept as JSON beside it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bio_interp.errors import InputError
from bio_interp.provenance import write_json


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRecord:
    """Where a file came from; ``NAME.json`` beside the file ``NAME``.

    Attributes
    ----------
    path
        The file.
    url
        Address it was asked from (of pages: the first); ``""`` for a file that was put there by
        other means.
    sha256
        Hash of its content.
    bytes
        Its size.
    date
        When it was fetched, in UTC, ISO 8601.
    etag, last_modified
        As the server gave them; ``""`` where it gave none.
    release
        Release of the database; ``""`` where the server named none.
    facts
        What else the one who fetched it noted: query, number of entries, licence.
    """

    path: Path
    url: str
    sha256: str
    bytes: int
    date: str = ""
    etag: str = ""
    last_modified: str = ""
    release: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def save(self) -> None:
        """Write the record beside the file."""
        content = asdict(self)
        del content["path"]  # the file may be moved together with its record
        write_json(record_path(self.path), content)


_KEPT = [name for name in FetchRecord.__slots__ if name != "path"]


def record_path(path: Path) -> Path:
    """Give the place of the record of the file `path`."""
    return path.with_name(f"{path.name}.json")


def read_record(path: Path) -> FetchRecord | None:
    """Read the record of the file `path`; None where there is none.

    Raises
    ------
    InputError
        The file beside `path` is no such record.
    """
    place = record_path(path)
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
        known: dict[str, Any] = {name: content[name] for name in _KEPT if name in content}
        return FetchRecord(path=path, **known)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{place} to say where {path.name} came from",
            f"{type(error).__name__}: {error}",
            "Delete both files and fetch them again.",
        ) from error
