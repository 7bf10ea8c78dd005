"""Concepts as residue spans, with evidence, and where each kind was looked for.

See `AnnotationTable` for the columns. Labels have three states: a residue is *positive* where a row
covers it, *negative* where its kind was looked for and no row covers it, and *unknown* elsewhere.
"""

from bio_interp.annotations._protocol import Annotator
from bio_interp.annotations._table import CONCEPTS, COVERAGE, ROWS, AnnotationTable

__all__ = ["CONCEPTS", "COVERAGE", "ROWS", "AnnotationTable", "Annotator"]
