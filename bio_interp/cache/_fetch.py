"""Fetch one file, whole or not at all."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bio_interp.cache._part import Part, open_part
from bio_interp.cache._record import FetchRecord, read_record
from bio_interp.cache._web import (
    Hiccup,
    Progress,
    Wanted,
    ask,
    check_whole,
    is_encoded,
    open_client,
    persist,
)
from bio_interp.errors import MismatchError
from bio_interp.provenance import sha256_file

if TYPE_CHECKING:
    import httpx

_LOG = logging.getLogger(__name__)


def fetch(
    url: str,
    path: Path,
    *,
    what: str = "",
    sha256: str | None = None,
    release: str = "",
    release_header: str = "",
    facts: Mapping[str, Any] | None = None,
    offline: bool = False,
    progress: Progress | None = None,
) -> FetchRecord:
    """Fetch `url` and keep it as `path`, with a record of where it came from beside it.

    A file that is there already is not fetched again. `path` is whole or absent; what came of an
    interrupted download waits beside it as ``.NAME.part``, and the next call goes on with it if
    the server can. Processes that want the same file at once fetch it once.

    Parameters
    ----------
    what
        Words for the file, for messages; its name where not given.
    sha256
        The hash it must have.
    release
        Release of the database, where it is known beforehand.
    release_header
        Header in which the server names it, where it does.
    facts
        To be kept in the record.
    offline
        Never use the network; ``BIO_INTERP_OFFLINE`` says the same.
    progress
        Is told how many bytes there are.

    Raises
    ------
    NotCachedError
        The file is not here and may not, or could not, be fetched, or not be written.
    MismatchError
        What came, or what is here, does not have the hash `sha256`.
    """
    wanted = Wanted(what or path.name, url, path)
    if kept := find_kept(wanted, sha256):
        return kept
    wanted.check_online(offline)
    with wanted.explained(), open_part(path) as part:
        if kept := find_kept(wanted, sha256):  # by another process, while this one waited
            return kept
        with open_client() as client:
            persist(lambda: _attempt(client, part, url, release_header, progress), part.count)
        record = describe(part, wanted)
        record = replace(record, release=release or record.release, facts=dict(facts or {}))
        if sha256 and record.sha256 != sha256:
            part.restart()
            raise MismatchError(
                f"{wanted.what} from {url} with sha256 {sha256}",
                f"sha256 {record.sha256} ({record.bytes:,} bytes)",
                f"Nothing was kept as {path}. Try again; if it stays so, the file has changed at "
                "its source.",
            )
        part.finish(record)
    return record


def find_kept(wanted: Wanted, sha256: str | None) -> FetchRecord | None:
    """Give the record of a file that is here already; None where it is to be fetched."""
    path = wanted.path
    if not path.is_file():
        return None
    size = path.stat().st_size
    record = read_record(path)
    if record and (record.url != wanted.url or record.bytes != size):
        return None
    record = record or FetchRecord(path=path, url="", sha256=sha256_file(path), bytes=size)
    if sha256 and record.sha256 != sha256:
        raise MismatchError(
            f"{wanted.what} with sha256 {sha256}",
            f"sha256 {record.sha256} of {path}",
            f"Delete it and run the command again, which fetches {wanted.url}.",
        )
    return record


def describe(part: Part, wanted: Wanted) -> FetchRecord:
    """Make the record of a download that is complete."""
    headers: dict[str, Any] = part.state["headers"]
    if headers.get("release") == "":
        _LOG.warning("%s: the server named no release of its data", wanted.url)
    return FetchRecord(
        path=wanted.path,
        url=wanted.url,
        sha256=sha256_file(part.path),
        bytes=part.size,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        **headers,
    )


def known_headers(answer: "httpx.Response", release_header: str) -> dict[str, str]:
    """Take from the headers what a record keeps; ``release`` is absent where none is asked for."""
    found = {
        "etag": answer.headers.get("ETag", ""),
        "last_modified": answer.headers.get("Last-Modified", ""),
    }
    if release_header:
        found["release"] = answer.headers.get(release_header, "")
    return found


def _attempt(
    client: "httpx.Client", part: Part, url: str, release_header: str, progress: Progress | None
) -> None:
    headers = {"Accept-Encoding": "identity"}  # a range of a compressed body is no range of it
    validator = _validator(part.state) if part.state.get("url") == url else ""
    if part.size and validator:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": validator}
    with ask(client, url, headers, allow=(416,)) as answer:
        content_range = answer.headers.get("Content-Range", "")
        if answer.status_code == 416:
            if "Range" in headers and content_range == f"bytes */{part.size}":
                return  # it was complete, and only its name was missing
            part.restart()
            raise Hiccup("HTTP 416 for the rest of the file")
        if answer.status_code != 206:
            part.restart()
        elif not content_range.startswith(f"bytes {part.size}-"):
            part.restart()
            raise Hiccup(f"another part of the file than asked for ({content_range!r})")
        kept = known_headers(answer, release_header)
        part.note({"url": url, "headers": kept, "encoded": is_encoded(answer)})
        start = part.size
        for chunk in answer.iter_bytes():
            part.append(chunk)
            if progress:
                progress(part.size)
        check_whole(answer, part.size - start)


def _validator(state: Mapping[str, Any]) -> str:
    """Give what ``If-Range`` may hold (RFC 9110, section 13.1.5): no weak tag."""
    headers: dict[str, str] = {} if state.get("encoded") else state.get("headers", {})
    etag = headers.get("etag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("last_modified", "")
