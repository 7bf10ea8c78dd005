"""The protein: a name and a sequence."""

from dataclasses import dataclass

from bio_interp.render import Markup, element

_A_LINE, _A_BLOCK = 60, 10


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

    def _repr_html_(self) -> str:
        facts = f" {len(self)} residues {self.description}"
        width = len(str(len(self)))
        lines = (
            f"{start + 1:>{width}} {_blocks(self.sequence[start : start + _A_LINE])}"
            for start in range(0, len(self), _A_LINE)
        )
        head = element("p", element("strong", self.accession), facts)
        return Markup(head + element("pre", "\n".join(lines)))


def _blocks(letters: str) -> str:
    return " ".join(letters[i : i + _A_BLOCK] for i in range(0, len(letters), _A_BLOCK))
