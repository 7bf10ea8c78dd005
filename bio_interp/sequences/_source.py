"""Opens sequence files: path or stdin, plain or compressed, as numbered lines."""

import gzip
import io
import sys
import zlib
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from bio_interp.errors import InputError, SequenceError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 1 << 16
_GZIP = b"\x1f\x8b"
_ZSTD = (b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18")  # a frame; a skippable one (pzstd)
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


def numbered(lines: io.TextIOBase, name: str) -> Iterator[tuple[int, str]]:
    """Give each line its number; a file that breaks off is an error here, not an end.

    Raises
    ------
    SequenceError
        The compressed data end too early or are damaged; the message names the last good line.
    """
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            yield number, line
    except (EOFError, OSError, zlib.error) as error:
        raise SequenceError(
            "a whole compressed file",
            f"{name}, which is truncated or damaged after line {number} ({error})",
            "Copy or download it again; nothing after that line can be read.",
        ) from error


def _stdin() -> io.BufferedReader:
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
    if magic.startswith(_GZIP):
        return cast(BinaryIO, io.BufferedReader(gzip.GzipFile(fileobj=raw), _CHUNK))
    if magic.startswith(_ZSTD):
        return cast(BinaryIO, io.BufferedReader(_ZstdFrames(raw), _CHUNK))
    return raw


class _ZstdFrames(io.RawIOBase):
    """Decompress one or more zstandard frames.

    `zstandard`'s own stream reader takes a truncated file for a complete one, so frames are
    followed here.
    """

    def __init__(self, raw: io.BufferedReader) -> None:
        import zstandard

        self._raw = raw
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._plain = memoryview(b"")
        self._inside = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        while not self._plain:
            chunk = self._raw.read(_CHUNK)
            if not chunk and self._inside:
                raise EOFError("the last zstandard frame has no end")
            if not chunk:
                return 0
            self._plain = memoryview(self._feed(chunk))
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._plain))
        target[:size] = self._plain[:size]
        self._plain = self._plain[size:]
        return size

    def _feed(self, chunk: bytes) -> bytes:
        import zstandard

        plain: list[bytes] = []
        while chunk:
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            try:
                plain.append(self._frame.decompress(chunk))
            except zstandard.ZstdError as error:
                raise EOFError(str(error)) from error
            self._inside = not self._frame.eof
            chunk = self._frame.unused_data if self._frame.eof else b""
        return b"".join(plain)
