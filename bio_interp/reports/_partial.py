"""A report file that grows beside its final place, and can be taken up again.

While a run goes on, ``out.tsv.partial`` holds what was written and ``out.tsv.partial.done`` how
much of it is finished: one JSON line with the settings, then one a mark. A mark is written only
after the bytes before it are on disk, so after any kill the last whole mark is true.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from bio_interp.errors import InputError, MismatchError

if TYPE_CHECKING:
    from bio_interp.sequences import Protein

_SECONDS_BETWEEN_MARKS = 1.0


@dataclass(frozen=True, slots=True)
class Mark:
    """How much of a report is finished: proteins, bytes, calls, and which proteins they were."""

    proteins: int = 0
    bytes: int = 0
    calls: int = 0
    digest: str = ""


class PartialFile:
    """A text file that becomes `path` when `finish` is called, and stays ``.partial`` before.

    Parameters
    ----------
    path
        Where the report goes in the end.
    settings
        What must be the same for a run to go on: versions, atlas, format, columns.
    resume
        True goes on after the last mark; False starts afresh; None starts afresh only where
        nothing finished would be lost.
    resumes
        Whether the format grows line by line and so can go on; what else to do is said in errors.

    Raises
    ------
    InputError
        An unfinished run lies there and `resume` is None, or the file cannot be written.
    MismatchError
        `resume` is set and the unfinished run had other settings.
    """

    def __init__(
        self, path: Path, settings: dict[str, Any], *, resume: bool | None, resumes: bool = True
    ) -> None:
        self.path, self.resumes = path, resumes
        self.partial = path.with_name(path.name + ".partial")
        self.journal = path.with_name(path.name + ".partial.done")
        # what is finished, and the hash of its proteins: replaced together, in one assignment, so
        # that an interrupt at any moment leaves the old state or the new one
        self._state = self._last_mark(settings, resume), hashlib.sha256()
        self._goes_on = False  # whether the input was seen to be that of the last mark
        try:
            if not self.mark.proteins:
                self.journal.write_text(json.dumps(settings) + "\n")
                self.partial.write_bytes(b"")
            os.truncate(self.partial, self.mark.bytes)
            self.stream: TextIO = self.partial.open("a", encoding="utf-8", newline="\n")
        except OSError as error:
            raise InputError(
                f"to write {path}", f"{error.strerror}", "Check that the folder is there and yours."
            ) from error
        self._marked = time.monotonic()

    @property
    def mark(self) -> Mark:
        """What is finished so far."""
        return self._state[0]

    def skip_done(self, proteins: Iterable[Protein]) -> Iterator[Protein]:
        """Leave out the proteins that are finished, checking that they are the same ones.

        Raises
        ------
        MismatchError
            The input does not begin with the proteins of the unfinished run.
        """
        proteins = iter(proteins)
        for number in range(self.mark.proteins):
            protein = next(proteins, None)
            if protein is None:
                raise self._other_input(f"only {number} proteins")
            _add(self._state[1], protein.accession, len(protein))
        if self.mark.proteins and self._state[1].hexdigest() != self.mark.digest:
            raise self._other_input("other proteins, or the same in another order")
        self._goes_on = True
        yield from proteins

    def done(self, accession: str, length: int, calls: int) -> None:
        """Count a protein as written; about once a second, put all of it on disk."""
        mark, digest = self.mark, self._state[1].copy()
        _add(digest, accession, length)
        self.stream.flush()
        size = os.fstat(self.stream.fileno()).st_size
        counted = Mark(mark.proteins + 1, size, mark.calls + calls, digest.hexdigest())
        self._state = counted, digest
        if time.monotonic() - self._marked >= _SECONDS_BETWEEN_MARKS:
            self.save()

    def save(self) -> None:
        """Put what was written on disk, then a mark that says so."""
        os.fsync(self.stream.fileno())
        with self.journal.open("a") as file:
            file.write(json.dumps(asdict(self.mark)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._marked = time.monotonic()

    def keep(self) -> None:
        """Leave what is finished for another run; leave no file where nothing is."""
        if self._goes_on and self.mark.proteins:
            self.save()
        self.stream.close()
        if not self.mark.proteins:
            self.partial.unlink(missing_ok=True)
            self.journal.unlink(missing_ok=True)

    def finish(self) -> None:
        """Give the file its final name; a crash leaves the old file or the new one, whole."""
        self.stream.flush()
        os.fsync(self.stream.fileno())
        self.stream.close()
        self.partial.replace(self.path)
        self.journal.unlink(missing_ok=True)

    def _last_mark(self, settings: dict[str, Any], resume: bool | None) -> Mark:
        lines = self.journal.read_text().split("\n") if self.journal.is_file() else [""]
        # the last piece is empty, or a line that a kill cut short
        first, marks = (lines[:-1] or ["null"])[0], lines[1:-1]
        mark = Mark(**json.loads(marks[-1])) if marks and self.partial.is_file() else Mark()
        if not mark.proteins or resume is False:
            return Mark()
        if resume is None:
            raise InputError(
                f"no unfinished run beside {self.path}",
                f"{self.partial.name} with {mark.proteins:,} proteins finished",
                "Add --resume to go on, or --no-resume to start again."
                if self.resumes
                else "Take what you need from it (this format cannot go on), and start again with "
                "--no-resume.",
            )
        if json.loads(first) != json.loads(json.dumps(settings)):
            raise MismatchError(
                f"the settings of the unfinished run: {first}",
                json.dumps(settings),
                "Give the same options, or --no-resume to start again.",
            )
        return mark

    def _other_input(self, got: str) -> MismatchError:
        return MismatchError(
            f"the {self.mark.proteins:,} proteins that {self.partial.name} begins with",
            got,
            "Give the same input, or --no-resume to start again.",
        )


def _add(digest: Any, accession: str, length: int) -> None:
    digest.update(f"{accession}\t{length}\n".encode())
