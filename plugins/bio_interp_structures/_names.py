"""Names that may go into addresses and paths, and no others."""

import re

from bio_interp.errors import InputError

# https://www.uniprot.org/help/accession_numbers, and isoforms
_ACCESSION = re.compile(
    r"(?:[OPQ][0-9][A-Z0-9]{3}[0-9]|[A-NR-Z][0-9](?:[A-Z][A-Z0-9]{2}[0-9]){1,2})(?:-[0-9]{1,3})?"
)
_ENTRY = re.compile(r"[1-9][A-Z0-9]{3}|PDB_[0-9]{4}[1-9][A-Z0-9]{3}")


def checked_accession(text: str) -> str:
    """Give an accession of UniProt in upper case.

    Raises
    ------
    InputError
        It is none.
    """
    name = text.strip().upper()
    if not _ACCESSION.fullmatch(name):
        raise InputError(
            "an accession of UniProt, such as P69905", repr(text), "Look it up on uniprot.org."
        )
    return name


def checked_entry(text: str) -> str:
    """Give an identifier of the PDB in upper case.

    Raises
    ------
    InputError
        It is none.
    """
    name = text.strip().upper()
    if not _ENTRY.fullmatch(name):
        raise InputError(
            "an identifier of the PDB, such as 4HHB", repr(text), "Look it up on rcsb.org."
        )
    return name
