"""Opens sequence files: path or stdin, plain or compressed, as numbered lines."""

import io
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from bio_interp.errors import InputError, SequenceError
from bio_interp.sequences._plain import bounded_lines, unpacked

_UNREADABLE = {
    b"BZh": "bzip2-compressed",
    b"\xfd7zXZ": "xz-compressed",
    b"PK\x03\x04": "a zip archive",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}
_WHAT = "a FASTA or Swiss-Prot flat file, plain or compressed with gzip or zstandard"


@contextmanager
def open_lines(source: str | Path) -> Generator[io.TextIOWrapper]:
    """Open `source`, decompressed; ``"-"`` is stdin, which stays open afterwards.

    Lines are decoded as Latin-1, which never fails: residues are ASCII, and `decode` brings back
    the UTF-8 of a header.
    """
    name = source_name(source)
    with ExitStack() as stack:
        raw = _stdin() if str(source) == "-" else stack.enter_context(_open_file(Path(source)))
        text = io.TextIOWrapper(_decompress(raw, name), encoding="latin-1", newline=None)
        try:
            yield text
        finally:
            if str(source) == "-" and not raw.closed:
                text.detach()


def source_name(source: str | Path) -> str:
    """Name a source in messages."""
    return "stdin" if str(source) == "-" else str(source)


def decode(text: str) -> str:
    """Read Latin-1 text as the UTF-8 it stands for; a byte that is not becomes U+FFFD."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", errors="replace")


def printable(text: str) -> str:
    """Replace characters that no terminal should be sent (controls, overrides) by U+FFFD."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def numbered(lines: io.TextIOBase, name: str) -> Iterator[tuple[int, str]]:
    """Give each line its number; a file that breaks off is an error here, not an end.

    Raises
    ------
    SequenceError
        The compressed data end too early or are damaged; the message names the last good line.
    InputError
        A line is too long for any sequence.
    """
    number = 0
    try:
        for number, line in enumerate(bounded_lines(lines, name), 1):
            yield number, line
    except (EOFError, OSError) as error:
        raise SequenceError(
            "a whole compressed file",
            f"{name}, which is truncated or damaged after line {number} ({error})",
            "Copy or download it again; nothing after that line can be read.",
        ) from error


def _stdin() -> io.BufferedReader:
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] - closed: `command <&-`
        raise InputError("proteins on stdin", "stdin that is closed", "Pipe a file into it.")
    buffer = sys.stdin.buffer
    if isinstance(buffer, io.BufferedReader):
        return cast(io.BufferedReader, buffer)
    return io.BufferedReader(cast(io.RawIOBase, buffer))


def _open_file(path: Path) -> io.BufferedReader:
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        shown = str(path) if len(str(path)) <= 200 else f"{str(path)[:200]}..."
        raise InputError(
            _WHAT,
            f"{shown!r}: {reason}",
            "Check the path. (A sequence given in its place holds letters only, without gaps.)",
        ) from error


def _decompress(raw: io.BufferedReader, name: str) -> BinaryIO:
    try:
        magic = raw.peek(8)[:8]
    except OSError as error:
        raise InputError(_WHAT, f"{name}: {error.strerror}", "Check the file.") from error
    for prefix, kind in _UNREADABLE.items():
        if magic.startswith(prefix):
            raise InputError(_WHAT, f"{name}, which is {kind}", "Convert or unpack it first.")
    return unpacked(raw)
