"""UniProtKB's feature tables as annotations: flat, XML, JSON, GFF3, TSV and CSV files.

Every kind of feature is read. Concepts are ``uniprot:KIND`` and, where the note or ligand says
more, ``uniprot:KIND/HEAD``: ``uniprot:BINDING/ATP``, ``uniprot:MOD_RES/Phosphoserine``.
See `UniProtAnnotator` for the rules. `fetch_query` fetches entries by query, `fetch_interpro` the
names of InterPro.
"""

from typing import TYPE_CHECKING, Any

from bio_interp_uniprot._annotator import UniProtAnnotator

if TYPE_CHECKING:
    from bio_interp_uniprot._interpro import fetch_interpro
    from bio_interp_uniprot._rest import fetch_query

__all__ = ["ANNOTATOR", "UniProtAnnotator", "fetch_interpro", "fetch_query"]

ANNOTATOR = UniProtAnnotator()
"""What the entry point ``uniprot`` of ``bio_interp.annotators`` loads."""


def __getattr__(name: str) -> Any:
    # listing plugins imports this module, which stays small
    if name == "fetch_query":
        from bio_interp_uniprot._rest import fetch_query

        return fetch_query
    if name == "fetch_interpro":
        from bio_interp_uniprot._interpro import fetch_interpro

        return fetch_interpro
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
