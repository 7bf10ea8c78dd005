"""The table for people: calls on a terminal, protein by protein."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from bio_interp.reports._columns import RunHeader

if TYPE_CHECKING:
    from rich.table import Table

    from bio_interp.atlas import Call, ProteinResult

_WIDTHS = {"residues": 11, "concept": 22, "type": 13, "precision": 18, "features": 16}
_LEAST_NAME = 16


class TableWriter:
    """Calls under a line for each protein, columns lined up from one protein to the next.

    Rows are printed as they come; widths depend on the terminal only, so nothing is held back.
    Calls flagged ``weak`` carry a ``?`` after their precision.
    """

    def __init__(self, stream: TextIO, header: RunHeader, *, summary: bool = False) -> None:
        from rich.console import Console

        self.console = Console(file=stream, highlight=False)
        self.header, self.summary = header, summary
        self.proteins = self.with_calls = self.calls = 0

    def begin(self) -> None:
        """Print the names of the columns."""
        if not self.summary:
            table = self._table()
            table.add_row(*(f"[bold]{c}" for c in ("  residues", *_rest(), "features")))
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
                table.add_row(*(escape(cell) for cell in self._cells(call)))
            self.console.print(table)

    def end(self, *, complete: bool) -> None:
        """Print the sums and where the calls come from."""
        stopped = "" if complete else " (interrupted)"
        counts = f"{self.calls} calls in {self.with_calls} of {self.proteins} proteins{stopped}"
        for line in (counts, *self.header.lines()):
            self.console.print(line, style="dim", markup=False, soft_wrap=True)

    def _cells(self, call: Call) -> tuple[str, ...]:
        weak = "?" if "weak" in call.flags else ""
        features = " ".join(f"f{feature}" for feature in call.features)
        return (
            f"  {call.start}-{call.end}",
            call.concept,
            call.name,
            call.link_type,
            f"{call.precision:.2f}{weak} ({call.precision_low:.2f}-{call.precision_high:.2f})",
            features,
        )

    def _table(self) -> Table:
        from rich.table import Table

        fixed = sum(_WIDTHS.values()) + 2 * len(_WIDTHS)
        wide = {**_WIDTHS, "name": max(_LEAST_NAME, self.console.width - fixed - 2)}
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        for column in ("residues", *_rest(), "features"):
            table.add_column(width=wide[column], overflow="fold")
        return table


def _rest() -> tuple[str, ...]:
    return ("concept", "name", "type", "precision")
