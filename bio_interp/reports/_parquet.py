"""Write calls as Parquet: the table for polars, pandas, DuckDB, Spark and R."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TextIO

from bio_interp.reports._columns import (
    CALL_COLUMNS,
    SUMMARY_COLUMNS,
    RunHeader,
    call_values,
    choose_columns,
    summary_values,
)

if TYPE_CHECKING:
    import polars as pl

    from bio_interp.atlas import ProteinResult

_ROWS = 10_000  # rows kept in memory; more wait on disk
_WHOLE = ("start", "end", "n", "length", "calls")
_REAL = ("peak", "precision", "precision_low", "precision_high")
_LISTS = ("features", "flags")


class ParquetWriter:
    """Parquet with the columns of TSV; positions are integers, ``features`` and ``flags`` lists.

    A precision that is not known is null. The metadata key ``bio_interp`` holds, as JSON, what the
    header lines of TSV say, and whether the run was ``complete``. Parquet ends with its table of
    contents, so rows wait in a temporary folder until `end`.

    Parameters
    ----------
    stream
        Text stream whose ``buffer`` takes the bytes.
    columns, summary
        As for `TsvWriter`.
    """

    def __init__(
        self,
        stream: TextIO,
        header: RunHeader,
        *,
        columns: Sequence[str] | None = None,
        summary: bool = False,
    ) -> None:
        self.stream, self.header, self.summary = stream, header, summary
        self.columns = choose_columns(columns, list(SUMMARY_COLUMNS if summary else CALL_COLUMNS))
        self.rows: list[list[Any]] = []
        self.folder: TemporaryDirectory[str] | None = None
        self.pieces: list[Path] = []

    def begin(self) -> None:
        """Write nothing yet."""

    def write(self, result: ProteinResult) -> None:
        """Keep the rows of one protein, in memory or on disk."""
        if self.summary:
            rows = [summary_values(result.protein)]
        else:
            rows = [call_values(call, self.header.atlas) for call in result.calls]
        self.rows += [[_finite(row[column]) for column in self.columns] for row in rows]
        if len(self.rows) >= _ROWS:
            self._to_disk()

    def end(self, *, complete: bool) -> None:
        """Write the file, with all rows that there are."""
        import polars as pl

        self._to_disk()
        metadata = {"bio_interp": json.dumps({**self.header.facts(), "complete": complete})}
        whole = self._folder() / "whole"
        pl.scan_parquet(self.pieces).sink_parquet(whole, metadata=metadata)
        self.stream.flush()
        with whole.open("rb") as file:
            shutil.copyfileobj(file, self.stream.buffer)
        self.stream.buffer.flush()
        if self.folder:
            self.folder.cleanup()

    def _to_disk(self) -> None:
        # also without rows: the first piece brings the columns
        if self.rows or not self.pieces:
            path = self._folder() / f"{len(self.pieces):06d}.parquet"
            self._frame().write_parquet(path)
            self.pieces.append(path)
            self.rows = []

    def _frame(self) -> pl.DataFrame:
        import polars as pl

        kinds = {
            **dict.fromkeys(_WHOLE, pl.Int64),
            **dict.fromkeys(_REAL, pl.Float64),
            **dict.fromkeys(_LISTS, pl.List(pl.String)),
        }
        schema = {column: kinds.get(column, pl.String) for column in self.columns}
        return pl.DataFrame(self.rows, schema=schema, orient="row")

    def _folder(self) -> Path:
        if self.folder is None:
            self.folder = TemporaryDirectory(prefix="bio_interp-")
        return Path(self.folder.name)


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
