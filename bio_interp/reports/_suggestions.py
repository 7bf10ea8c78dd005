"""Write ranked suggestions for a curator: a table, TSV, JSON or Parquet."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from bio_interp.atlas import text_table
from bio_interp.errors import InputError, printable
from bio_interp.provenance import atomic_path
from bio_interp.reports._columns import RunHeader, as_text

if TYPE_CHECKING:
    import polars as pl

SuggestionFormat = Literal["table", "tsv", "json", "parquet"]
SUGGESTION_FORMATS: tuple[SuggestionFormat, ...] = get_args(SuggestionFormat)
_SUFFIXES: dict[str, SuggestionFormat] = {
    ".tsv": "tsv",
    ".txt": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_TABLE = ("rank", "accession", "start", "end", "name", "precision", "nearest", "flags")


@dataclass(frozen=True, slots=True)
class SuggestionReport:
    """Ranked suggestions, and where they come from.

    Attributes
    ----------
    table
        Columns of `bio_interp.discovery.SUGGESTIONS`, the best first.
    header
        Atlas, versions and licence.
    counts
        What became of the proteins and calls: `bio_interp.discovery.Tally.to_dict`.
    """

    table: pl.DataFrame
    header: RunHeader
    counts: Mapping[str, int] = field(default_factory=dict[str, int])

    def lines(self) -> list[str]:
        """Say where the suggestions come from, in lines of text without a comment sign."""
        counted = ", ".join(f"{name} {count}" for name, count in self.counts.items())
        return [*self.header.lines(), *([f"counts: {counted}"] if counted else [])]

    def text(self, form: SuggestionFormat) -> str:
        """Write it as a ``table`` for people, ``tsv`` or ``json``."""
        if form == "json":
            return self._json()
        if form == "table":
            columns = ["concept" if c == "name" else c for c in _TABLE]
            rows = [[as_text(c, row[c]) for c in _TABLE] for row in self._rows()]
            return text_table(columns, rows) + "\n" if rows else "no suggestions\n"
        lines = [f"# {printable(line)}" for line in self.lines()]
        lines.append("\t".join(self.table.columns))
        lines += ["\t".join(as_text(c, v) for c, v in row.items()) for row in self._rows()]
        return "\n".join(lines) + "\n"

    def parquet(self, path: Path) -> None:
        """Write it as Parquet; the metadata key ``bio_interp`` holds header and counts as JSON."""
        facts = json.dumps({**self.header.facts(), "counts": dict(self.counts)})
        self.table.write_parquet(path, metadata={"bio_interp": facts})

    def _rows(self) -> list[dict[str, Any]]:
        return self.table.to_dicts()

    def _json(self) -> str:
        content = {
            "schema_version": 1,
            **self.header.facts(),
            "counts": dict(self.counts),
            "suggestions": self._rows(),
        }
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def suggestion_format(out: Path | None, form: SuggestionFormat | None) -> SuggestionFormat:
    """Choose a format: the one asked for, else by suffix, else a table on a terminal and TSV.

    Raises
    ------
    InputError
        The suffix says none, or Parquet would go to standard output.

    Examples
    --------
    >>> suggestion_format(Path("out.pq"), None)
    'parquet'
    """
    if out is None:
        if form == "parquet":
            raise InputError("a file for Parquet, which is no text", "no -o", "Name one with -o.")
        return form or ("table" if sys.stdout.isatty() else "tsv")
    chosen = form or _SUFFIXES.get(out.suffix.lower())
    if chosen is None:
        raise InputError(
            f"-o to end in {', '.join(_SUFFIXES)}, or a format with -f",
            str(out),
            f"Add -f and one of {', '.join(SUGGESTION_FORMATS)}.",
        )
    if out.is_dir() or not out.resolve().parent.is_dir():
        raise InputError(
            "-o to name a file in a folder that exists", str(out), "Make the folder first."
        )
    return chosen


def write_suggestions(
    report: SuggestionReport, out: Path | None, form: SuggestionFormat | None = None
) -> None:
    """Write suggestions to a file, whole or not at all, or to standard output.

    Parameters
    ----------
    out
        The file; None is standard output.
    form
        See `suggestion_format`.
    """
    chosen = suggestion_format(out, form)
    if out is None:
        sys.stdout.write(report.text(chosen))
        return
    with atomic_path(out) as path:
        if chosen == "parquet":
            report.parquet(path)
        else:
            path.write_text(report.text(chosen), encoding="utf-8", newline="\n")
