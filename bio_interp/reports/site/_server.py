"""Serve one folder on this machine alone: loopback, reading only, nothing outside of the folder."""

from __future__ import annotations

import errno
import socket
import sys
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from bio_interp.errors import InputError, NotFoundError

LOOPBACK = "127.0.0.1"
SITE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# a 3D view brings scripts of its own: they run apart from the site's and may ask for nothing
VIEW_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
)
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
}


class SiteServer(ThreadingHTTPServer):
    """Serves a folder that `write_site` wrote.

    It answers on 127.0.0.1, GET and HEAD alone, for files of the folder alone (no links that lead
    out of it, no lists of folders), and only requests that name this machine as their host: a page
    elsewhere cannot read it through a name of its own.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder.resolve()
        super().__init__((LOOPBACK, port), partial(_Handler, directory=str(self.folder)))

    @property
    def url(self) -> str:
        """Address of the first page."""
        return f"http://{LOOPBACK}:{self.server_port}/"

    def server_bind(self) -> None:
        """Bind without asking the network for this machine's name, as the base class would."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Let readers who leave early go without a word."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def open_site(folder: Path, port: int) -> SiteServer:
    """Open a server for a folder; ``serve_forever`` starts it.

    Parameters
    ----------
    folder
        Holds ``index.html``.
    port
        0 for any that is free.

    Raises
    ------
    NotFoundError
        There is no site in the folder.
    InputError
        The port is taken, or not to be had.
    """
    if not (folder / "index.html").is_file():
        raise NotFoundError(
            "a folder with index.html, as `bio-interp report` writes",
            str(folder),
            "Write one: bio-interp report ATLAS -o FOLDER",
        )
    try:
        return SiteServer(folder, port)
    except (OSError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise InputError(
            "a free port", f"{port}: {error}", "Name another with --port; 0 takes any."
        ) from error


class _Handler(SimpleHTTPRequestHandler):
    server: SiteServer  # type: ignore[assignment]
    server_version, sys_version = "bio-interp", ""

    def send_head(self) -> BytesIO | BinaryIO | None:
        """Answer with a file of the folder, or an error."""
        if not self._names_this_machine():
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return None
        file = self._file()
        if file is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        content = file.read_bytes()
        self.send_response(HTTPStatus.OK)
        kind = _TYPES.get(file.suffix, "application/octet-stream")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return BytesIO(content)

    def end_headers(self) -> None:
        """Add what keeps a page to itself."""
        # a request that cannot be read has no path
        view = getattr(self, "path", "").startswith("/views/")
        self.send_header("Content-Security-Policy", VIEW_POLICY if view else SITE_POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a request is no news."""

    def _names_this_machine(self) -> bool:
        host = self.headers.get("Host", "").lower()
        port = self.server.server_port
        return host in {f"{name}:{port}" for name in (LOOPBACK, "localhost")}

    def _file(self) -> Path | None:
        """Find the file that is asked for; None where it is none of the folder's."""
        try:
            asked = unquote(urlsplit(self.path).path, errors="strict").lstrip("/")
            root = self.server.folder
            file = (root / (asked or "index.html")).resolve()
            return file if file.is_relative_to(root) and file.is_file() else None
        # no text, a null byte, a name too long, a loop of links (in Python 3.12 and before)
        except (ValueError, OSError, RuntimeError):
            return None
