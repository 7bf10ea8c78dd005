"""Structures of proteins: from a folder, from the PDB through RCSB, from AlphaFold DB.

`FOLDER` looks into the folder ``BIO_INTERP_STRUCTURES``, else ``structures``; `RCSB` and
`ALPHAFOLD` keep what they fetch in the cache, with its hash and release, and use no network for
what is there. ``bio-interp data get rcsb:4HHB`` and ``alphafold:P69905`` fetch from the shell.
`ANNOTATOR` reads concepts off structures: helix and strand, buried, near a ligand, and more.
"""

from bio_interp_structures._alphafold import AlphaFoldSource
from bio_interp_structures._annotator import StructureAnnotator
from bio_interp_structures._folder import FolderSource
from bio_interp_structures._rcsb import RcsbSource

__all__ = [
    "ALPHAFOLD",
    "ANNOTATOR",
    "FOLDER",
    "RCSB",
    "AlphaFoldSource",
    "FolderSource",
    "RcsbSource",
    "StructureAnnotator",
]

ANNOTATOR = StructureAnnotator()
"""What the entry point ``structure`` of ``bio_interp.annotators`` loads."""

FOLDER = FolderSource()
"""What the entry point ``folder`` of ``bio_interp.structures`` loads."""

RCSB = RcsbSource()
"""What the entry point ``rcsb`` of ``bio_interp.structures`` loads."""

ALPHAFOLD = AlphaFoldSource()
"""What the entry point ``alphafold`` of ``bio_interp.structures`` loads."""
