"""What a source of structures must offer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from bio_interp.cache import Progress


@runtime_checkable
class StructureSource(Protocol):
    """A plugin that brings structures of proteins (``bio_interp.structures``)."""

    api_version: int

    def find(self, accession: str, *, offline: bool = False) -> Sequence[str]:
        """Name the structures of a protein, best first; empty where there is none.

        What is here already is named without a network.

        Raises
        ------
        InputError
            `accession` is none.
        NotCachedError
            The network is needed and may not, or could not, be used.
        """
        ...

    def get(self, name: str, *, offline: bool = False, progress: Progress | None = None) -> Path:
        """Give the file of a structure, fetched where it is not here.

        Raises
        ------
        InputError
            `name` is no name of this source.
        NotFoundError
            The source has no such structure.
        NotCachedError
            The file is not here and may not, or could not, be fetched.
        """
        ...
