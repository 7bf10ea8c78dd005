"""The table for people: calls on a terminal, protein by protein."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from bio_interp.reports._columns import RunHeader

if TYPE_CHECKING:
    from rich.table import Table

    from bio_interp.atlas import Call, ProteinResult

_WIDTHS = {"residues": 12, "concept": 16, "name": 16, "type": 13, "precision": 18, "features": 12}
_GAP = 2
_FIRST_TO_GO = ("features", "type")  # columns left out where the terminal is narrow


class TableWriter:
    """Calls under a line for each protein, columns lined up from one protein to the next.

    Rows are printed as they come; widths depend on the terminal only, so nothing is held back.
    Calls flagged ``weak`` carry a ``?`` after their precision.
    """

    def __init__(self, stream: TextIO, header: RunHeader, *, summary: bool = False) -> None:
        from rich.console import Console

        self.console = Console(file=stream, highlight=False)
        self.widths = _fit(self.console.width)
        if sum(self.widths.values()) + _GAP * len(self.widths) > self.console.width:
            self.console.width = sum(self.widths.values()) + _GAP * len(self.widths)
        self.header, self.summary = header, summary
        self.proteins = self.with_calls = self.calls = 0

    def begin(self) -> None:
        """Print the names of the columns."""
        if not self.summary:
            table = self._table()
            table.add_row(*(f"[bold]{'  ' if c == 'residues' else ''}{c}" for c in self.widths))
            self.console.print(table)

    def write(self, result: ProteinResult) -> None:
        """Print one protein."""
        from rich.markup import escape

        status = result.protein
        self.proteins += 1
        self.calls += len(result.calls)
        self.with_calls += bool(result.calls)
        head = f"[bold]{escape(status.accession)}[/]  {status.length} residues  {status.status}"
        note = f"  [dim]{escape(status.note)}[/]" if status.note else ""
        self.console.print(head + note, soft_wrap=True)
        if result.calls and not self.summary:
            table = self._table()
            for call in result.calls:
                cells = _cells(call)
                table.add_row(*(escape(cells[column]) for column in self.widths))
            self.console.print(table)

    def end(self, *, complete: bool) -> None:
        """Print the sums and where the calls come from."""
        stopped = "" if complete else " (interrupted)"
        counts = f"{self.calls} calls in {self.with_calls} of {self.proteins} proteins{stopped}"
        for line in (counts, *self.header.lines()):
            self.console.print(line, style="dim", markup=False, soft_wrap=True)

    def _table(self) -> Table:
        from rich.table import Table

        table = Table(box=None, show_header=False, padding=(0, _GAP, 0, 0), pad_edge=False)
        for width in self.widths.values():
            table.add_column(width=width, overflow="fold")
        return table


def _fit(width: int) -> dict[str, int]:
    """Choose columns and widths; the name takes what is left over."""
    widths = dict(_WIDTHS)
    for column in _FIRST_TO_GO:
        if sum(widths.values()) + _GAP * len(widths) > width:
            del widths[column]
    widths["name"] += max(0, width - sum(widths.values()) - _GAP * len(widths))
    return widths


def _cells(call: Call) -> dict[str, str]:
    weak = "?" if "weak" in call.flags else ""
    interval = f"({call.precision_low:.2f}-{call.precision_high:.2f})"
    return {
        "residues": f"  {call.start}-{call.end}",
        "concept": call.concept,
        "name": call.name,
        "type": call.link_type,
        "precision": f"{call.precision:.2f}{weak} {interval}",
        "features": " ".join(f"f{feature}" for feature in call.features),
    }
