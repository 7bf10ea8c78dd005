"""PROSITE patterns as concepts; profiles (MATRIX entries) are not searched."""

from bio_interp_prosite._annotator import PrositeAnnotator
from bio_interp_prosite._pattern import Pattern, parse_pattern
from bio_interp_prosite._records import PrositeEntry, read_entries

ANNOTATOR = PrositeAnnotator()

__all__ = [
    "ANNOTATOR",
    "Pattern",
    "PrositeAnnotator",
    "PrositeEntry",
    "parse_pattern",
    "read_entries",
]
