"""The unfinished file of a download, which another run may go on with."""

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any, cast

from bio_interp.cache._record import FetchRecord
from bio_interp.provenance import write_json

try:
    import fcntl
except ImportError:  # Windows, which also refuses to rename a file that is open
    fcntl = None


class Part:
    """The file ``.NAME.part`` beside `path`, and what is known of it (``.NAME.part.json``)."""

    def __init__(self, path: Path) -> None:
        # without locks two processes must not share a file
        owner = "" if fcntl else f".{os.getpid()}"
        self.path = path.with_name(f".{path.name}{owner}.part")
        self._final = path
        self._state_path = self.path.with_name(f"{self.path.name}.json")
        self._file = _open_locked(self.path)
        self.state = self._read_state()

    @property
    def size(self) -> int:
        """Number of bytes so far."""
        return os.fstat(self._file.fileno()).st_size

    def count(self) -> int:
        """Give `size`, for those who ask with a call."""
        return self.size

    def append(self, content: bytes) -> None:
        """Add bytes at the end."""
        left = memoryview(content)
        while left:  # a disk that fills up takes a few bytes before it refuses
            left = left[self._file.write(left) :]

    def cut(self, size: int) -> None:
        """Keep the first `size` bytes."""
        self._file.truncate(size)

    def restart(self) -> None:
        """Forget all that came."""
        self.cut(0)
        self.state = {}
        self._state_path.unlink(missing_ok=True)

    def note(self, state: dict[str, Any]) -> None:
        """Keep what another run needs to know in order to go on."""
        self.state = state
        write_json(self._state_path, state)

    def finish(self, record: FetchRecord) -> None:
        """Give the file its name, with its record."""
        os.fsync(self._file.fileno())
        if fcntl is None:
            self._file.close()
        # the record first: were this killed in between, no file would stand without one
        record.save()
        self.path.replace(self._final)
        self._state_path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go; what another run could not go on with is removed."""
        if not self._file.closed and self._owned() and not (self.size and self.state):
            self.path.unlink()
            self._state_path.unlink(missing_ok=True)
        self._file.close()

    def _owned(self) -> bool:
        return _is_same(self._file, self.path)

    def _read_state(self) -> dict[str, Any]:
        try:
            state = json.loads(self._state_path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return cast("dict[str, Any]", state) if isinstance(state, dict) else {}


@contextmanager
def open_part(path: Path) -> Generator[Part]:
    """Open the unfinished file of `path`, once no other process holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = Part(path)
    try:
        yield part
    finally:
        part.close()


def _open_locked(path: Path) -> FileIO:
    while True:
        file = path.open("ab+", buffering=0)
        try:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:  # a file system without locks, where only the renaming is safe
            return file
        if _is_same(file, path):
            return file
        file.close()  # the process that held it has finished or removed it


def _is_same(file: FileIO, path: Path) -> bool:
    try:
        there, here = path.stat(), os.fstat(file.fileno())
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
