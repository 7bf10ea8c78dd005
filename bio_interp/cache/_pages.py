"""Fetch a long answer that a server gives in pages, into one file."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from bio_interp.cache._fetch import describe, find_kept, known_headers
from bio_interp.cache._part import Part, open_part
from bio_interp.cache._record import FetchRecord
from bio_interp.cache._web import (
    Hiccup,
    Progress,
    Refused,
    Wanted,
    ask,
    check_whole,
    open_client,
    persist,
)
from bio_interp.errors import NotFoundError

if TYPE_CHECKING:
    import httpx

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer.

    Attributes
    ----------
    records
        As they are written to the file, in order.
    total
        Number of records on all pages together, as the server says.
    next
        Address of the next page; None on the last one.
    head
        Line above the first record, the same on every page; ``""`` for none.
    between, tail
        What is written between two records, and after the last one.
    """

    records: Sequence[str]
    total: int
    next: str | None
    head: str = ""
    between: str = "\n"
    tail: str = "\n"


def fetch_pages(
    url: str,
    path: Path,
    read: "Callable[[httpx.Response], Page]",
    *,
    what: str = "",
    release_header: str = "",
    facts: Mapping[str, Any] | None = None,
    offline: bool = False,
    progress: Progress | None = None,
) -> FetchRecord:
    """Fetch all pages of an answer into one file, as `fetch` does a file.

    The number of records must be the one that the server announced, and all pages must be of one
    release. An interrupted run goes on with the page after the last one that was kept.

    Parameters
    ----------
    url
        Of the first page.
    read
        Reads a page; a `ValueError` or `KeyError` of it counts as a broken answer.
    what, release_header, facts, offline, progress
        As for `fetch`; the record's facts also say the number of ``records``.

    Raises
    ------
    NotFoundError
        The answer has no records.
    NotCachedError
        The file is not here and may not, or could not, be fetched whole, or not be written.
    """
    wanted = Wanted(what or path.name, url, path, "copy it from a machine that has it")
    if kept := find_kept(wanted, None):
        return kept
    wanted.check_online(offline)
    with wanted.explained(), open_part(path) as part:
        if kept := find_kept(wanted, None):
            return kept
        with open_client() as client:
            _Walk(client, part, wanted, read, release_header, progress).run()
        part.append(part.state["tail"].encode())
        noted = {**(facts or {}), "records": part.state["records"]}
        record = replace(describe(part, wanted), facts=noted)
        part.finish(record)
    return record


@dataclass(frozen=True, slots=True)
class _Walk:
    """From page to page."""

    client: "httpx.Client"
    part: Part
    wanted: Wanted
    read: "Callable[[httpx.Response], Page]"
    release_header: str
    progress: Progress | None

    def run(self) -> None:
        """Take all pages; start anew, once, where pages do not belong together any more."""
        state = self.part.state
        if state.get("url") != self.wanted.url or state.get("bytes", -1) > self.part.size:
            self._restart()
        try:
            self._finish()
        except Refused as error:
            if not (error.stale and self.part.state["records"]):
                raise
            _LOG.warning("%s; starting anew", error.got)
            self._restart()
            self._finish()

    def _restart(self) -> None:
        self.part.restart()
        url = self.wanted.url
        self.part.state = {"url": url, "next": url, "records": 0, "bytes": 0}

    def _spoilt(self, got: str) -> NoReturn:
        self.part.restart()  # another run must not go on with this
        raise Refused(got)

    def _finish(self) -> None:
        self.part.cut(self.part.state["bytes"])
        while self.part.state["next"]:
            page, headers = persist(self._ask, lambda: 0)
            self._add(page, headers)
        records, total = self.part.state["records"], self.part.state["total"]
        if records != total:
            self._spoilt(f"{records:,} records of the {total:,} announced")

    def _ask(self) -> tuple[Page, dict[str, str]]:
        with ask(self.client, self.part.state["next"], {}) as answer:
            content = answer.read()
            check_whole(answer, len(content))
            try:
                return self.read(answer), known_headers(answer, self.release_header)
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                start = content[:60].decode(errors="replace")
                got = f"a page that cannot be read ({type(error).__name__}: {error}): {start!r}"
                raise Hiccup(got) from error

    def _add(self, page: Page, headers: dict[str, str]) -> None:
        state = self.part.state
        if not page.total:
            raise NotFoundError(
                f"{self.wanted.what} from {self.wanted.url}",
                "an answer without any records",
                "Check the query; nothing fits it.",
            )
        first = not state["records"]
        belongs = {"total": page.total, "head": page.head, "release": headers.get("release")}
        if not first and any(state[name] != value for name, value in belongs.items()):
            before = {name: state[name] for name in belongs}
            raise Refused(f"pages that do not belong together: {before}, {belongs}", stale=True)
        if not page.records:
            self._spoilt(f"an empty page after {state['records']:,} of {page.total:,} records")
        head = f"{page.head}\n" if first and page.head else ""
        lead = head if first else page.between
        self.part.append((lead + page.between.join(page.records)).encode())
        records = state["records"] + len(page.records)
        if records > page.total:
            self._spoilt(f"{records:,} records or more, of {page.total:,} announced")
        size = self.part.size
        place = {"next": page.next, "records": records, "bytes": size, "tail": page.tail}
        headers |= {"etag": ""}  # that of one page says nothing of all
        self.part.note({"url": self.wanted.url, **place, **belongs, "headers": headers})
        if self.progress:
            self.progress(size)
