"""UniProtKB's feature tables as annotations: flat, XML, JSON, GFF3, TSV and CSV files.

Every kind of feature is read. Concepts are ``uniprot:KIND`` and, where the note or ligand says
more, ``uniprot:KIND/HEAD``: ``uniprot:BINDING/ATP``, ``uniprot:MOD_RES/Phosphoserine``.
See `UniProtAnnotator` for the rules.
"""

from bio_interp_uniprot._annotator import UniProtAnnotator

__all__ = ["ANNOTATOR", "UniProtAnnotator"]

ANNOTATOR = UniProtAnnotator()
"""What the entry point ``uniprot`` of ``bio_interp.annotators`` loads."""
