"""Small tables for the eyes: aligned text, and HTML for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bio_interp.render import element, table

GAP = "  "


def text_table(columns: Sequence[str], rows: Iterable[Sequence[object]], indent: int = 2) -> str:
    """Align cells in columns, numbers to the right; nothing is cut.

    Examples
    --------
    >>> print(text_table(("name", "f1"), [("kinase", 0.5), ("SH2", 0.25)], indent=0))
    name      f1
    kinase  0.50
    SH2     0.25
    """
    rows = list(rows)
    cells = [list(columns), *([as_cell(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [all(isinstance(row[i], int | float) for row in rows) for i in range(len(columns))]
    lines = [
        GAP.join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, right, strict=True)
        )
        for row in cells
    ]
    return "\n".join(" " * indent + line.rstrip() for line in lines)


def titled_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table for notebooks under a line of text; every cell is escaped."""
    return element("p", title) + table(columns, ([as_cell(c) for c in row] for row in rows))


def as_cell(value: object) -> str:
    """Write a value; fractions with two decimals, nothing as ``-``, never a line end."""
    if value is None or value == "" or value != value:
        return "-"
    if isinstance(value, float):
        return f"{value:.2f}"
    return " ".join(str(value).split())
