"""Mutations as the field writes them: ``A42G``, ``p.Ala42Gly``, several together, ``WT``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bio_interp.errors import InputError, MismatchError

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
_THREE = dict(
    Ala="A", Arg="R", Asn="N", Asp="D", Cys="C", Gln="Q", Glu="E", Gly="G", His="H", Ile="I",
    Leu="L", Lys="K", Met="M", Phe="F", Pro="P", Ser="S", Thr="T", Trp="W", Tyr="Y", Val="V",
    Sec="U", Pyl="O", Asx="B", Glx="Z", Xaa="X", Xle="J",
)  # fmt: skip
_ONE = re.compile(r"([A-Z])([0-9]{1,9})([A-Z]|=)")
_LONG = re.compile(r"([A-Z][a-z]{2})([0-9]{1,9})([A-Z][a-z]{2}|=)")
_REFUSED = (
    (re.compile(r"(?i)fs"), "a frameshift"),
    (re.compile(r"(?i)delins"), "a deletion and insertion"),
    (re.compile(r"(?i)del|-$"), "a deletion"),
    (re.compile(r"(?i)ins"), "an insertion"),
    (re.compile(r"(?i)dup"), "a duplication"),
    (re.compile(r"(?i)ext"), "an extension"),
    (re.compile(r"\*|Ter"), "a stop"),
)


@dataclass(frozen=True, slots=True, order=True)
class Mutation:
    """One substitution; `position` is 1-based, `wild_type` and `mutant` are one letter each.

    Examples
    --------
    >>> str(Mutation(42, "A", "G"))
    'A42G'
    """

    position: int
    wild_type: str
    mutant: str

    def __str__(self) -> str:
        return f"{self.wild_type}{self.position}{self.mutant}"


@dataclass(frozen=True, slots=True)
class Variant:
    """Substitutions that come together, by position; no substitution is the wild type.

    Examples
    --------
    >>> str(Variant((Mutation(2, "K", "R"), Mutation(4, "L", "V")))), str(Variant())
    ('K2R:L4V', 'WT')
    """

    mutations: tuple[Mutation, ...] = ()

    def __str__(self) -> str:
        return ":".join(map(str, self.mutations)) or "WT"

    @property
    def indices(self) -> tuple[int, ...]:
        """0-based places of the substitutions, ascending."""
        return tuple(mutation.position - 1 for mutation in self.mutations)

    def apply(self, sequence: str) -> str:
        """Write the sequence of the mutant.

        Raises
        ------
        MismatchError
            The sequence is too short, or has another residue where one is replaced.
        """
        letters = list(sequence)
        for mutation in self.mutations:
            _check_residue(mutation, sequence, str(self))
            letters[mutation.position - 1] = mutation.mutant
        return "".join(letters)


def parse_variant(text: str, sequence: str) -> Variant:
    """Read a variant, and check that its wild-type residues are those of the sequence.

    Parameters
    ----------
    text
        ``A42G``, ``Ala42Gly``, ``p.Ala42Gly`` or ``p.(Ala42Gly)``; several with ``:``, ``,`` or
        ``;`` between them, also as ``p.[Ala42Gly;Ser65Thr]``; ``WT``. ``A42A`` and ``p.Ala42=``
        change nothing. Positions are 1-based.
    sequence
        Of the wild type.

    Raises
    ------
    InputError
        No such notation; a deletion, insertion, frameshift or stop; two substitutions of one
        residue.
    MismatchError
        The sequence has another residue there, or ends before.

    Examples
    --------
    >>> str(parse_variant("p.Lys2Arg", "MKVL")), str(parse_variant("L4V, K2R", "MKVL"))
    ('K2R', 'K2R:L4V')
    """
    if text.strip().upper() == "WT":
        return Variant()
    bare = text.strip().removeprefix("p.").strip("[]()")
    parts = [part.strip() for part in re.split("[:,;]", bare)]
    mutations = tuple(sorted(_read(part, text) for part in parts))
    positions = [mutation.position for mutation in mutations]
    for position in positions:
        if positions.count(position) > 1:
            raise InputError(
                "one substitution a residue", f"position {position} twice in {text!r}", "Keep one."
            )
    for mutation in mutations:
        _check_residue(mutation, sequence, text)
    return Variant(mutations)


def as_variants(given: str | Variant | Iterable[str | Variant], sequence: str) -> list[Variant]:
    """Take variants as text or parsed, one or many; check each against the sequence."""
    if isinstance(given, str | Variant):
        given = [given]
    found: list[Variant] = []
    for each in given:
        if isinstance(each, Variant):
            each.apply(sequence)  # refuses one of another protein
        found.append(each if isinstance(each, Variant) else parse_variant(each, sequence))
    return found


def all_substitutions(sequence: str) -> Iterator[Variant]:
    """Give every single substitution by one of the 20 amino acids, by position and letter.

    Examples
    --------
    >>> found = list(all_substitutions("MK"))
    >>> len(found), str(found[0]), str(found[-1])
    (38, 'M1A', 'K2Y')
    """
    for position, letter in enumerate(sequence, 1):
        for mutant in LETTERS:
            if mutant != letter:
                yield Variant((Mutation(position, letter, mutant),))


def _read(part: str, text: str) -> Mutation:
    bare = part.removeprefix("p.").strip("()")
    if match := _ONE.fullmatch(bare):
        wild_type, mutant = match[1], match[3]
    elif match := _LONG.fullmatch(bare):
        wild_type, mutant = _THREE.get(match[1], ""), _THREE.get(match[3], match[3])
    else:
        raise _refused(part, text)
    mutant = wild_type if mutant == "=" else mutant
    if not wild_type or (mutant not in LETTERS and mutant != wild_type):
        raise _refused(part, text)
    return Mutation(int(match[2]), wild_type, mutant)


def _refused(part: str, text: str) -> InputError:
    kinds = (kind for pattern, kind in _REFUSED if pattern.search(part))
    kind = next(kinds, "not the notation of one")
    where = "" if part == text else f" in {text[:60]!r}"
    return InputError(
        "substitutions by one of the 20 amino acids, such as A42G, p.Ala42Gly or A42G:S65T",
        f"{part[:60]!r}{where}, which is {kind}",
        "Write a substitution, or leave it out: the residues of both proteins must pair up.",
    )


def _check_residue(mutation: Mutation, sequence: str, text: str) -> None:
    position, wanted = mutation.position, mutation.wild_type
    if not 1 <= position <= len(sequence):
        got = f"{mutation}, outside the {len(sequence)} residues of the sequence"
    elif sequence[position - 1] != wanted:
        got = f"{sequence[position - 1]} at position {position} of the sequence"
    else:
        return
    raise MismatchError(
        f"{wanted} at position {position}, as {text[:60]!r} says",
        got,
        "Positions count from 1 in the sequence given; check its numbering and isoform.",
    )
