"""The protein: a name and a sequence."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Protein:
    """One protein as read from a file.

    Attributes
    ----------
    accession
        The identifier: ``P12345`` of ``sp|P12345|NAME_HUMAN``, else the first word of the header.
    sequence
        Upper-case one-letter codes: the 20 amino acids and ``U O B Z X J``.
    description
        The rest of the header.
    line
        Line of the record in its file, from 1; 0 where the protein did not come from a file.
    """

    accession: str
    sequence: str
    description: str = ""
    line: int = 0

    def __len__(self) -> int:
        return len(self.sequence)
