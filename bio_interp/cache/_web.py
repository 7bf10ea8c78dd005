"""Ask a server, patiently: what every download shares."""

import logging
import os
import random
import time
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bio_interp.errors import NotCachedError
from bio_interp.provenance import versions

if TYPE_CHECKING:
    import httpx

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")

Progress = Callable[[int], None]
"""Is told, now and then, how many bytes there are."""

TRIES = 7  # without any progress between them
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0  # seconds
_LONGEST_ASKED = 600.0  # a server that asks for more than this is told goodbye
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
_SHOWN = 200  # characters of an answer that are quoted in an error


class Hiccup(Exception):
    """Something that may go better in a moment."""

    def __init__(self, got: str, after: float | None = None) -> None:
        super().__init__(got)
        self.got, self.after = got, after


class Refused(Exception):
    """Something that will not go better; `stale` where starting anew may help."""

    def __init__(self, got: str, *, stale: bool = False) -> None:
        super().__init__(got)
        self.got, self.stale = got, stale


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is being fetched, for the messages of errors.

    `otherwise` says how else the file could come to its place.
    """

    what: str
    url: str
    path: Path
    otherwise: str = "fetch it by other means and put it there"

    def check_online(self, offline: bool) -> None:
        """Raise `NotCachedError` where the network may not be used."""
        if is_offline(offline):
            there = "a file from elsewhere" if self.path.is_file() else "no such file"
            raise NotCachedError(
                f"{self.what} at {self.path}",
                f"{there}, and the network may not be used (offline)",
                f"Allow downloads, or {self.otherwise}; its address is {self.url}.",
            )

    @contextmanager
    def explained(self) -> Generator[None]:
        """Turn what goes wrong on the way or on the disk into an error that names the file."""
        try:
            yield
        except Refused as error:
            todo = f"Try again later, or {self.otherwise}."
            raise self._error(error.got, todo) from error
        except OSError as error:
            todo = (
                "Free some space or set BIO_INTERP_CACHE to a folder that can be written, "
                "then run the command again; it goes on where it was."
            )
            raise self._error(f"{type(error).__name__}: {error}", todo) from error

    def _error(self, got: str, todo: str) -> NotCachedError:
        return NotCachedError(f"{self.what} from {self.url}, to be kept as {self.path}", got, todo)


@dataclass(frozen=True, slots=True)
class _Route:
    transport: "httpx.BaseTransport | None" = None
    wait: Callable[[float], None] = time.sleep


_NETWORK = _Route()
_ROUTE: ContextVar[_Route] = ContextVar("route", default=_NETWORK)


@contextmanager
def route_through(
    transport: "httpx.BaseTransport", wait: Callable[[float], None] = time.sleep
) -> Generator[None]:
    """Let every download in the block ask `transport` in place of the network.

    Parameters
    ----------
    transport
        For tests, such as ``httpx.MockTransport``; or one of a special network.
    wait
        Is called with the seconds to wait before another try.

    Examples
    --------
    >>> import httpx
    >>> from bio_interp.cache import fetch
    >>> folder = getfixture("tmp_path")
    >>> with route_through(httpx.MockTransport(lambda request: httpx.Response(200, text="hello"))):
    ...     record = fetch("https://example.org/greeting", folder / "greeting.txt")
    >>> record.path.read_text(), record.bytes
    ('hello', 5)
    """
    token = _ROUTE.set(_Route(transport, wait))
    try:
        yield
    finally:
        _ROUTE.reset(token)


def is_offline(asked: bool = False) -> bool:
    """Tell whether the network may not be used: asked so, or ``BIO_INTERP_OFFLINE`` says so.

    The variable counts where it is set to anything but ``""``, ``0``, ``no`` or ``false``.
    """
    value = os.environ.get("BIO_INTERP_OFFLINE", "").strip().lower()
    return asked or value not in ("", "0", "no", "false")


def open_client() -> "httpx.Client":
    """Give a client of the present route, to be closed."""
    import httpx

    version = versions(["bio-interp"]).get("bio-interp", "0")
    return httpx.Client(
        transport=_ROUTE.get().transport,
        follow_redirects=True,
        timeout=httpx.Timeout(60, connect=30),
        headers={"User-Agent": f"bio_interp/{version}"},
    )


@contextmanager
def ask(
    client: "httpx.Client", url: str, headers: Mapping[str, str], *, allow: Collection[int] = ()
) -> "Generator[httpx.Response]":
    """Ask for `url`; give an answer whose body is read by the caller.

    Raises
    ------
    Hiccup
        The network failed, here or while the body was read, or the server is busy.
    Refused
        The server will not give it; a status in `allow` is given to the caller.
    """
    import httpx

    try:
        with client.stream("GET", url, headers=dict(headers)) as answer:
            status = f"HTTP {answer.status_code} {answer.reason_phrase}".rstrip()
            if answer.status_code in _TEMPORARY:
                raise Hiccup(status, _asked_wait(answer.headers.get("Retry-After", "")))
            if not answer.is_success and answer.status_code not in allow:
                text = " ".join(answer.read().decode(errors="replace").split())
                raise Refused(f"{status}: {text[:_SHOWN]}" if text else status, stale=True)
            yield answer
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.TooManyRedirects) as error:
        raise Refused(f"{type(error).__name__}: {error}") from error
    except httpx.RequestError as error:
        raise Hiccup(f"{type(error).__name__}: {error}".rstrip(": ")) from error


def check_whole(answer: "httpx.Response", size: int) -> None:
    """Raise `Hiccup` where another number of bytes came than the server had announced.

    `size` is that of the body as it was read; of a compressed one, what was sent is counted.
    """
    announced = answer.headers.get("Content-Length", "")
    came = answer.num_bytes_downloaded if is_encoded(answer) else size
    if announced.isdigit() and came != int(announced):
        raise Hiccup(f"{came:,} of {int(announced):,} bytes")


def is_encoded(answer: "httpx.Response") -> bool:
    """Tell whether the body was compressed on the way."""
    return answer.headers.get("Content-Encoding", "identity").lower() != "identity"


def persist(attempt: Callable[[], _T], size: Callable[[], int]) -> _T:
    """Try until it works, or until `TRIES` tries brought `size` no further.

    Waits double, with jitter, so that many machines do not come back together; what the server
    asks for (``Retry-After``) comes first.

    Raises
    ------
    Refused
        It did not work.
    """
    tries, best = 0, size()
    while True:
        try:
            return attempt()
        except Hiccup as hiccup:
            tries = 1 if size() > best else tries + 1
            best = max(best, size())
            if tries >= TRIES:
                raise Refused(f"{hiccup.got} ({tries} tries)") from hiccup
            seconds = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (tries - 1)) * random.uniform(0.5, 1)
            if (hiccup.after or 0) > _LONGEST_ASKED:
                raise Refused(f"{hiccup.got}, to be asked again in {hiccup.after:.0f} s") from None
            seconds = max(seconds, hiccup.after or 0)
            _LOG.info("%s; trying again in %.0f s", hiccup.got, seconds)
            _ROUTE.get().wait(seconds)


def _asked_wait(value: str) -> float | None:
    """Read ``Retry-After``: seconds, or a date (RFC 9110, section 10.2.3)."""
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
