"""Concepts as residue spans, with evidence, and where each kind was looked for.

See `AnnotationTable` for the columns. Labels have three states: a residue is *positive* where a row
covers it, *negative* where its kind was looked for and no row covers it, and *unknown* elsewhere.
"""

from bio_interp.annotations._collect import collect, is_table, read_annotations
from bio_interp.annotations._evidence import (
    ECO_LEVELS,
    EVIDENCE_LEVELS,
    EvidenceLevel,
    evidence_level,
    strongest_evidence,
)
from bio_interp.annotations._filter import at_least, evidence_levels, filter_evidence
from bio_interp.annotations._overlaps import (
    equivalent_concepts,
    group_concepts,
    resolve_overlaps,
    unknown_over,
)
from bio_interp.annotations._protocol import Annotator
from bio_interp.annotations._table import CONCEPTS, COVERAGE, ROWS, AnnotationTable

__all__ = [
    "CONCEPTS",
    "COVERAGE",
    "ECO_LEVELS",
    "EVIDENCE_LEVELS",
    "ROWS",
    "AnnotationTable",
    "Annotator",
    "EvidenceLevel",
    "at_least",
    "collect",
    "equivalent_concepts",
    "evidence_level",
    "evidence_levels",
    "filter_evidence",
    "group_concepts",
    "is_table",
    "read_annotations",
    "resolve_overlaps",
    "strongest_evidence",
    "unknown_over",
]
