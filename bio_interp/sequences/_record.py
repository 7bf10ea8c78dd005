"""One raw record of a sequence file, and the checks that make it a protein."""

from dataclasses import dataclass

from bio_interp.errors import SequenceError
from bio_interp.sequences._plain import LONGEST
from bio_interp.sequences._protein import Protein

_NUCLEOTIDES, _NUCLEOTIDE_LIMIT = "ACGTUN", 30


@dataclass(slots=True)
class Record:
    """A record as it stands in a file.

    Attributes
    ----------
    name
        What messages call the source.
    line
        Line of the header, from 1; 0 where there is no file.
    parts
        The lines of the sequence, the first of them at line `first` (0 where there is no file).
    """

    accession: str
    description: str
    name: str
    line: int
    first: int
    parts: list[str]

    def protein(self) -> Protein:
        """Make the protein: upper case, without whitespace and stops at its end.

        Raises
        ------
        SequenceError
            No sequence, a gap, a stop inside, a character that is no residue, or nucleotides.
        """
        sequence = "".join(self.parts)
        if not (sequence.isascii() and sequence.isalpha()):
            sequence = "".join(sequence.split()).rstrip("*")
            self._check(sequence)
        sequence = sequence.upper()
        if not sequence.strip(_NUCLEOTIDES) and _is_nucleic(sequence):
            raise SequenceError(
                "a protein",
                f"{self._where()}, which looks like DNA or RNA ({sequence[:20]}...)",
                "Translate it first.",
            )
        return Protein(self.accession, sequence, self.description, self.line)

    def _check(self, sequence: str) -> None:
        if not sequence:
            raise SequenceError(
                "a sequence of one residue or more",
                f"{self._where()}, which has none",
                "Give the record its sequence, or remove it.",
            )
        for index, letter in enumerate(sequence):
            if not (letter.isascii() and letter.isalpha()):
                raise self._illegal(letter, index)

    def _illegal(self, letter: str, index: int) -> SequenceError:
        got = f"{letter!r} at position {index + 1} of {self._where()}{self._line_of(index)}"
        if letter in "-.":
            todo = "Remove the gaps of the alignment first; positions are those of the protein."
            return SequenceError("a sequence without gaps", got, todo)
        if letter == "*":
            todo = "Split the record at the stop codon, or write X for it if it is read through."
            return SequenceError("a stop ('*') at the end of a sequence only", got, todo)
        return SequenceError(
            "residues as the 20 amino acid letters or U, O, B, Z, X, J",
            got,
            "Correct or remove that character.",
        )

    def _where(self) -> str:
        place = f"line {self.line} of {self.name}" if self.line else self.name
        return f"{self.accession} ({place})"

    def _line_of(self, index: int) -> str:
        """Say the line that holds a residue, where that is known."""
        if not self.first:
            return ""
        seen = 0
        for number, part in enumerate(self.parts, self.first):
            seen += len("".join(part.split()))
            if index < seen:
                return f", on line {number}"
        return ""


def too_large(where: str) -> SequenceError:
    """Say that a record is so long that memory may not hold it."""
    return SequenceError(
        f"records of at most {LONGEST:,} characters",
        f"{where}, which is longer",
        "Check what the file is: no protein is that long.",
    )


def _is_nucleic(sequence: str) -> bool:
    bases = set(sequence.replace("U", "T"))
    return len(sequence) >= _NUCLEOTIDE_LIMIT and bases.issuperset("ACGT")
