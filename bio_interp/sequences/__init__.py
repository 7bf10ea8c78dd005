"""Proteins from FASTA and UniProt files; homology clusters and the frozen split.

========== ===================== =========================================================
object     columns or attributes meaning
========== ===================== =========================================================
`Protein`  accession, sequence   one protein: upper-case letters, no gaps, no stops
           description, line     rest of its header; line in its file, from 1 (0: no file)
`Split`    accession             key of a row
           cluster               smallest accession of its homology cluster
           fold                  ``fit``, ``select``, ``calibrate`` or ``test``
========== ===================== =========================================================
"""

from bio_interp.sequences._cluster import find_mmseqs, make_split
from bio_interp.sequences._plain import bounded_lines, open_plain
from bio_interp.sequences._protein import Protein
from bio_interp.sequences._read import as_proteins, read_proteins
from bio_interp.sequences._split import FOLDS, Fold, Split, deal

__all__ = [
    "FOLDS",
    "Fold",
    "Protein",
    "Split",
    "as_proteins",
    "bounded_lines",
    "deal",
    "find_mmseqs",
    "make_split",
    "open_plain",
    "read_proteins",
]
