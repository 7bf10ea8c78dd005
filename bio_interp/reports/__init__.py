"""Reports: calls written while proteins are annotated, in eight formats (`FORMATS`).

A table for people, TSV, JSON, GFF3, BED, InterProScan TSV, an HTML page, Parquet. One row, object
or feature is one call; `CALL_COLUMNS` says what its fields mean, ``annotate.schema.json`` in this
folder what the JSON looks like. ``start`` and ``end`` are 1-based and inclusive in all of them but
BED, which is 0-based and half-open. `write_suggestions` writes what `bio_interp.discovery.suggest`
found, in four of them.
"""

from bio_interp.reports._bed import BedWriter
from bio_interp.reports._citing import atlas_of_report, bibtex, citations
from bio_interp.reports._columns import CALL_COLUMNS, SUMMARY_COLUMNS, RunHeader, run_header
from bio_interp.reports._formats import FORMATS, FormatSpec, ReportOptions, choose_format
from bio_interp.reports._html import HtmlWriter, html_page
from bio_interp.reports._iprscan import IprscanWriter
from bio_interp.reports._machine import Finding, examine, memory_bytes
from bio_interp.reports._pareto import pareto_plots
from bio_interp.reports._parquet import ParquetWriter
from bio_interp.reports._partial import PartialFile
from bio_interp.reports._run import Totals, write_report
from bio_interp.reports._structure import StructurePage
from bio_interp.reports._suggestions import (
    SUGGESTION_FORMATS,
    SuggestionFormat,
    SuggestionReport,
    suggestion_format,
    write_suggestions,
)
from bio_interp.reports._table import TableWriter
from bio_interp.reports._writers import (
    SCHEMA_VERSION,
    Gff3Writer,
    JsonWriter,
    ReportWriter,
    TsvWriter,
)
from bio_interp.reports._xrefs import CrossReference, cross_references

__all__ = [
    "CALL_COLUMNS",
    "FORMATS",
    "SCHEMA_VERSION",
    "SUGGESTION_FORMATS",
    "SUMMARY_COLUMNS",
    "BedWriter",
    "CrossReference",
    "Finding",
    "FormatSpec",
    "Gff3Writer",
    "HtmlWriter",
    "IprscanWriter",
    "JsonWriter",
    "ParquetWriter",
    "PartialFile",
    "ReportOptions",
    "ReportWriter",
    "RunHeader",
    "StructurePage",
    "SuggestionFormat",
    "SuggestionReport",
    "TableWriter",
    "Totals",
    "TsvWriter",
    "atlas_of_report",
    "bibtex",
    "choose_format",
    "citations",
    "cross_references",
    "examine",
    "html_page",
    "memory_bytes",
    "pareto_plots",
    "run_header",
    "suggestion_format",
    "write_report",
    "write_suggestions",
]
