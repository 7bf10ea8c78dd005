"""Files as plain bytes and lines, whatever their compression, in bounded memory."""

import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from bio_interp.errors import InputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONGEST = 1 << 26
"""Characters that a line or a record may have: 2,000 times titin."""

_CHUNK = 1 << 16
# a zstandard block of 4 bytes may hold 128 KiB, so a small piece bounds what one call gives
_PIECE = 1 << 10
_GZIP = b"\x1f\x8b"
_ZSTD = (b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18")  # a frame; a skippable one (pzstd)


@contextmanager
def open_plain(path: Path) -> Generator[BinaryIO]:
    r"""Open a file for its bytes: plain, gzip or zstandard, told by content and not by suffix.

    A bomb is unpacked piece by piece as it is read. Opening raises `OSError`; reading raises
    `OSError` or `EOFError` where compressed data are damaged or end too early, so that a cut file
    is never taken for a whole one.

    Examples
    --------
    >>> path = getfixture("tmp_path") / "packed"
    >>> _ = path.write_bytes(gzip.compress(b"ID   RGD; PATTERN.\n"))
    >>> with open_plain(path) as file:
    ...     file.read()
    b'ID   RGD; PATTERN.\n'
    """
    with path.open("rb") as raw, unpacked(raw) as plain:
        yield plain


def unpacked(raw: io.BufferedReader) -> BinaryIO:
    """Read gzip or zstandard data as what they hold, and anything else as it is."""
    magic = raw.peek(8)[:8]
    if magic.startswith(_GZIP):
        return cast(BinaryIO, io.BufferedReader(_GzipMembers(raw), _CHUNK))
    if magic.startswith(_ZSTD):
        return cast(BinaryIO, io.BufferedReader(_ZstdFrames(raw), _CHUNK))
    return raw


def bounded_lines(text: io.TextIOBase, name: str) -> Iterator[str]:
    """Iterate over lines as `for line in text` does, but refuse one that memory may not hold.

    Raises
    ------
    InputError
        A line is longer than `LONGEST`; the message names it.
    """
    for number, line in enumerate(iter(partial(text.readline, LONGEST), ""), 1):
        if len(line) == LONGEST and not line.endswith("\n"):
            raise InputError(
                f"lines of at most {LONGEST:,} characters",
                f"a longer one, line {number} of {name}",
                "Check what the file is: no sequence or annotation is that long.",
            )
        yield line


class _GzipMembers(io.RawIOBase):
    """Decompress gzip members; damage is an `OSError` or `EOFError`, never a `zlib.error`."""

    def __init__(self, raw: io.BufferedReader) -> None:
        self._file = gzip.GzipFile(fileobj=raw)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        try:
            return self._file.readinto(buffer)
        except zlib.error as error:
            raise EOFError(str(error)) from error


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
            piece = self._raw.read(_PIECE)
            if not piece and self._inside:
                raise EOFError("the last zstandard frame has no end")
            if not piece:
                return 0
            self._plain = memoryview(self._feed(piece))
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._plain))
        target[:size] = self._plain[:size]
        self._plain = self._plain[size:]
        return size

    def _feed(self, piece: bytes) -> bytes:
        import zstandard

        plain: list[bytes] = []
        while piece:
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            try:
                plain.append(self._frame.decompress(piece))
            except zstandard.ZstdError as error:
                raise EOFError(str(error)) from error
            self._inside = not self._frame.eof
            piece = self._frame.unused_data if self._frame.eof else b""
        return b"".join(plain)
