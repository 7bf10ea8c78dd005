"""Proteins from FASTA and UniProt files; homology clusters and the frozen split."""

from bio_interp.sequences._protein import Protein

__all__ = ["Protein"]
