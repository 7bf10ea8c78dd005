"""Reports: calls written as a table, TSV, JSON or GFF3 while proteins are annotated.

One row (TSV), object (JSON) or feature (GFF3) is one call; `CALL_COLUMNS` says what its fields
mean, ``annotate.schema.json`` in this folder what the JSON looks like. ``start`` and ``end`` are
1-based and inclusive in all of them.
"""

from bio_interp.reports._citing import citations
from bio_interp.reports._columns import CALL_COLUMNS, SUMMARY_COLUMNS, RunHeader, run_header
from bio_interp.reports._machine import Finding, examine
from bio_interp.reports._partial import PartialFile
from bio_interp.reports._run import ReportOptions, Totals, choose_format, write_report
from bio_interp.reports._table import TableWriter
from bio_interp.reports._writers import (
    SCHEMA_VERSION,
    Gff3Writer,
    JsonWriter,
    ReportWriter,
    TsvWriter,
)

__all__ = [
    "CALL_COLUMNS",
    "SCHEMA_VERSION",
    "SUMMARY_COLUMNS",
    "Finding",
    "Gff3Writer",
    "JsonWriter",
    "PartialFile",
    "ReportOptions",
    "ReportWriter",
    "RunHeader",
    "TableWriter",
    "Totals",
    "TsvWriter",
    "choose_format",
    "citations",
    "examine",
    "run_header",
    "write_report",
]
