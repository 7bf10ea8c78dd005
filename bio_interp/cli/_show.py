"""Rows on standard output, and progress on standard error."""

import json
import shutil
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import polars as pl

TableFormat = Literal["table", "tsv", "json"]
_PATIENCE = 2.0  # seconds before a bar is drawn
_STEP = 0.2


class _Found(Protocol):
    def to_dict(self) -> dict[str, Any]: ...

    def notes(self) -> Sequence[str]: ...


def show_rows(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows: a table on a terminal, TSV in a pipe."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            sys.stdout.write("\t".join(" ".join(str(cell).split()) for cell in row) + "\n")
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    Console(highlight=False).print(table)


def show_frame(frame: "pl.DataFrame", notes: Sequence[str]) -> None:
    """Print a table as TSV under notes that begin with ``#``; nothing is ``-``."""
    for note in notes:
        sys.stdout.write(f"# {' '.join(note.split())}\n")
    for row in (frame.columns, *frame.iter_rows()):
        sys.stdout.write("\t".join(map(_plain, row)) + "\n")


def _plain(value: object) -> str:
    if value is None or value == "" or value != value:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else " ".join(str(value).split())


def show_json(content: Any) -> None:
    """Print one JSON value, indented."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    sys.stdout.write(f"{text}\n")


def usual_form() -> Literal["table", "tsv"]:
    """Choose the form where none is asked for: a table on a terminal, TSV in a pipe."""
    return "table" if sys.stdout.isatty() else "tsv"


def show_found(found: "_Found", frame: "pl.DataFrame", form: TableFormat | None) -> None:
    """Print what a search found: `frame` is what TSV has of it.

    A table for people on a terminal and TSV in a pipe, where no form is asked for.
    """
    form = form or usual_form()
    if form == "json":
        show_json(found.to_dict())
    elif form == "tsv":
        show_frame(frame, found.notes())
    else:
        sys.stdout.write(f"{found!r}\n")


def terminal_width() -> int:
    """Columns of the terminal (or of COLUMNS); 80 in a pipe."""
    return max(shutil.get_terminal_size((80, 24)).columns, 20)


def wants_blocks() -> bool:
    """Whether the output is a terminal that can draw Unicode blocks."""
    return sys.stdout.isatty() and (sys.stdout.encoding or "").lower().startswith("utf")


@contextmanager
def counter(unit: str, *, draw: bool) -> Generator[Callable[[int], None], None, None]:
    """Give a function that shows a count on stderr once the work has taken two seconds."""
    start = shown = time.monotonic()
    drawn = False

    def tick(done: int) -> None:
        nonlocal shown, drawn
        now = time.monotonic()
        if draw and now - start > _PATIENCE and now - shown > _STEP:
            shown, drawn = now, True
            sys.stderr.write(f"\r{done:,} {unit}, {done / (now - start):.1f}/s\x1b[K")
            sys.stderr.flush()

    try:
        yield tick
    finally:
        if drawn:
            sys.stderr.write("\r\x1b[K")
