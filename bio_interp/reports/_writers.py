"""Write calls as TSV, JSON or GFF3, protein by protein, in memory that does not grow."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TextIO, cast

from bio_interp.reports._columns import (
    CALL_COLUMNS,
    SUMMARY_COLUMNS,
    RunHeader,
    as_text,
    call_values,
    choose_columns,
    summary_values,
)

if TYPE_CHECKING:
    from bio_interp.atlas import ProteinResult

SCHEMA_VERSION = 1
_BATCH = 1 << 20  # bytes of the proteins' list that JSON keeps in memory


class ReportWriter(Protocol):
    """Writes results to a stream, one protein at a time."""

    def begin(self) -> None:
        """Write what comes before the first protein."""
        ...

    def write(self, result: ProteinResult) -> None:
        """Write one protein."""
        ...

    def end(self, *, complete: bool) -> None:
        """Write what comes after the last protein; `complete` is False when interrupted."""
        ...


class TsvWriter:
    """Tab-separated calls, or one row a protein; ``#`` lines first, then the column names."""

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

    def begin(self) -> None:
        """Write the header lines and the column names."""
        for line in self.header.lines():
            self.stream.write(f"# {line}\n")
        self.stream.write("\t".join(self.columns) + "\n")

    def write(self, result: ProteinResult) -> None:
        """Write the rows of one protein."""
        if self.summary:
            self._row(summary_values(result.protein))
        else:
            for call in result.calls:
                self._row(call_values(call, self.header.atlas))

    def end(self, *, complete: bool) -> None:
        """Write nothing: a table has no end mark."""

    def _row(self, values: dict[str, Any]) -> None:
        self.stream.write("\t".join(as_text(c, values[c]) for c in self.columns) + "\n")


class JsonWriter:
    """One JSON object as in ``annotate.schema.json``: the run, ``calls``, ``proteins``."""

    def __init__(self, stream: TextIO, header: RunHeader) -> None:
        self.stream, self.header = stream, header
        self.any_call = self.any_protein = False

    def begin(self) -> None:
        """Open the object and the list of calls."""
        # the proteins come after the calls, so their list waits on disk once it is long
        self.proteins = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - closed by `end`
            _BATCH, mode="w+", encoding="utf-8"
        )
        header = {"schema_version": SCHEMA_VERSION, **self.header.facts()}
        self.stream.write(_dump(header)[:-1] + ',\n"calls": [')

    def write(self, result: ProteinResult) -> None:
        """Write the calls of one protein and keep its summary for the end."""
        for call in result.calls:
            self.stream.write(",\n" if self.any_call else "\n")
            self.stream.write(_dump(call_values(call, self.header.atlas)))
            self.any_call = True
        self.proteins.write(",\n" if self.any_protein else "\n")
        self.proteins.write(_dump(summary_values(result.protein)))
        self.any_protein = True

    def end(self, *, complete: bool) -> None:
        """Close the calls, write the proteins, say whether all of them are there."""
        self.stream.write('\n],\n"proteins": [')
        self.proteins.seek(0)
        while block := self.proteins.read(_BATCH):
            self.stream.write(block)
        self.proteins.close()
        self.stream.write(f'\n],\n"complete": {json.dumps(complete)}}}\n')


class Gff3Writer:
    """GFF3, 1-based inclusive, with a ``##sequence-region`` for every protein.

    The concept is ``predicted_concept=``: a prediction is not a database's own cross-reference.
    Specification: Sequence Ontology, GFF3 1.26.
    """

    def __init__(self, stream: TextIO, header: RunHeader) -> None:
        self.stream, self.header = stream, header

    def begin(self) -> None:
        """Write the version and where the calls come from."""
        self.stream.write("##gff-version 3\n")
        for line in self.header.lines():
            self.stream.write(f"# {line}\n")

    def write(self, result: ProteinResult) -> None:
        """Write the region of one protein and its calls."""
        status, atlas = result.protein, self.header.atlas
        seqid = _escape_seqid(status.accession)
        self.stream.write(f"##sequence-region {seqid} 1 {status.length}\n")
        for number, call in enumerate(result.calls, start=1):
            values = call_values(call, atlas)
            attributes = {
                "ID": [f"{atlas}.{status.accession}.{number}"],
                "Name": [call.name],
                "predicted_concept": [call.concept],
                **{key: values[key] for key in _GFF_KEYS},
                "atlas": [atlas],
            }
            text = ";".join(_attribute(k, v) for k, v in attributes.items() if v)
            score = as_text("peak", call.peak)
            place = f"{call.start}\t{call.end}\t{'.' if score == '-' else score}"
            self.stream.write(f"{seqid}\tbio_interp\tpolypeptide_region\t{place}\t.\t.\t{text}\n")

    def end(self, *, complete: bool) -> None:
        """Write nothing: GFF3 has no end mark."""


_GFF_KEYS = (
    *("link_type", "features", "precision", "precision_low", "precision_high"),
    *("n", "exposure", "flags"),
)


def _attribute(key: str, value: Any) -> str:
    items = cast("list[str]", value) if isinstance(value, list) else [as_text(key, value)]
    return f"{key}=" + ",".join(map(_escape, items))


def _escape(text: str) -> str:
    # column 9: the five signs with a meaning there, and all that a reader may split lines at
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029%;=&,]", _percent, text)


def _escape_seqid(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9.:^*$@!+_?|-]", _percent, text)


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def _dump(values: dict[str, Any]) -> str:
    finite = {
        k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()
    }
    return json.dumps(finite, ensure_ascii=False, allow_nan=False)
