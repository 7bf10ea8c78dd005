"""PROSITE's pattern language: parse a pattern, find all its matches.

The grammar is that of the PROSITE user manual (https://prosite.expasy.org/prosuser.html, section
"PA line"): elements joined by ``-``, each an amino acid, ``x``, ``[..]`` (one of) or ``{..}`` (none
of), with ``(n)`` or ``(n,m)`` repeats; ``<`` and ``>`` bind to the ends of the protein, also inside
the brackets of the first and last element; a point ends the pattern. ``*`` after an element, any
number of it, is ScanProsite's extension: ``<{C}*>`` is a protein without cysteine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from bio_interp.errors import AnnotationError
from bio_interp_prosite._search import Step, ends

_RESIDUES = frozenset("ACDEFGHIKLMNPQRSTVWYUO")
_AMBIGUOUS = {"B": frozenset("DN"), "Z": frozenset("EQ"), "J": frozenset("IL"), "X": _RESIDUES}
_MOST = 10_000  # repeats of one element; PROSITE's own stay below 100
_ENDLESS = 1 << 31  # of an element with *
_WAYS = 10_000  # ways to lay out a pattern; `re` may try all of them at every residue
_ELEMENT = re.compile(
    r"(?:(?P<one>[A-Za-z])|\[(?P<any>[^\[\]{}]+)\]|\{(?P<none>[^\[\]{}]+)\})"
    r"(?:\((?P<low>[0-9]{1,6})(?:,(?P<high>[0-9]{1,6}))?\)|(?P<star>\*))?"
)


@dataclass(frozen=True, slots=True)
class _Element:
    """Residues that may stand here, how often, and whether an end of the protein may instead."""

    allowed: frozenset[str]
    low: int
    high: int
    end: str = ""

    def regex(self) -> str:
        letters = "".join(sorted(_matching(self.allowed)))
        if self.high == _ENDLESS:
            return f"[{letters}]*"
        one = f"[{letters}]" + (f"{{{self.low},{self.high}}}" if self.high > 1 else "")
        optional = "?" if (self.low, self.high) == (0, 1) else ""
        anchor = {"<": r"\A", ">": r"\Z"}.get(self.end)
        return f"(?:{one}|{anchor})" if anchor else one + optional

    def step(self) -> Step:
        return Step(_matching(self.allowed), self.low, self.high, self.end)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A parsed PROSITE pattern; `find` gives its matches.

    `re` searches it where it can be laid out in few ways, else the slower `steps`, whose time grows
    with the length of the protein only.
    """

    text: str
    regex: re.Pattern[str] | None
    steps: tuple[Step, ...]
    from_start: bool
    to_end: bool

    def find(self, sequence: str) -> list[tuple[int, int]]:
        """Find all matches as ``(start, end)``, 1-based and inclusive, in order of start.

        As in PROSITE's ``ps_scan``, matches may overlap, variable elements are as long as they can
        be from left to right, and a match inside another one is left out. An ambiguous residue
        (B, Z, J, X) matches where each residue that it may be does.

        Examples
        --------
        >>> parse_pattern("C-x(1,2)-C.").find("ACACCA")
        [(2, 5)]
        >>> parse_pattern("N-{P}-[ST]-{P}.").find("ANNTSANPSA")
        [(2, 5), (3, 6)]
        """
        found: list[tuple[int, int]] = []
        last = 0
        for start, end in self._all(sequence):
            if end > max(start, last):
                found.append((start + 1, end))
                last = end
        return found

    def _all(self, sequence: str) -> Iterator[tuple[int, int]]:
        """Give the match that starts at each index, where one does; the end is excluded."""
        if self.regex:
            return (match.span(1) for match in self.regex.finditer(sequence))
        return ends(sequence, self.steps, from_start=self.from_start, to_end=self.to_end)


def parse_pattern(text: str, accession: str = "pattern") -> Pattern:
    """Parse a pattern such as ``[AC]-x-V-x(4)-{ED}``.

    Parameters
    ----------
    text
        The pattern; spaces are ignored, the final point is optional.
    accession
        Named in errors.

    Raises
    ------
    AnnotationError
        The pattern is malformed; the message names `accession`, the pattern and the element.
    """
    bare = "".join(text.split()).removesuffix(".")
    from_start, to_end = bare.startswith("<"), bare.endswith(">")
    inner = bare.removeprefix("<").removesuffix(">")
    parts = inner.removeprefix("-" if from_start else "").split("-")
    elements = [
        _element(part, accession, text, first=i == 0, last=i == len(parts) - 1)
        for i, part in enumerate(parts)
    ]
    whole = from_start and to_end and any(e.high == _ENDLESS for e in elements)
    if not (whole or sum(0 if e.end else e.low for e in elements)):
        raise _malformed(accession, text, "it matches no residue at all")
    regex = None
    if prod(e.high - e.low + 1 for e in elements) <= _WAYS:
        body = "".join(element.regex() for element in elements)
        anchored = (r"\A" if from_start else "") + body + (r"\Z" if to_end else "")
        # a lookahead consumes nothing, so that the next match may overlap this one
        regex = re.compile(f"(?=({anchored}))")
    steps = tuple(element.step() for element in elements)
    return Pattern(text, regex, steps, from_start, to_end)


def _element(part: str, accession: str, text: str, *, first: bool, last: bool) -> _Element:
    match = _ELEMENT.fullmatch(part)
    if match is None:
        raise _malformed(accession, text, f"element {part!r}")
    low = 0 if match["star"] else int(match["low"] or 1)
    high = _ENDLESS if match["star"] else int(match["high"] or low)
    if not (high and low <= high and (match["star"] or high <= _MOST)):
        raise _malformed(accession, text, f"the repeat of {part!r}")
    letters, end = match["one"] or match["any"] or match["none"], ""
    if match["any"]:
        end = "".join(c for c in letters if c in "<>")
        letters = letters.translate({ord("<"): None, ord(">"): None})
        placed = (end == "<" and first) or (end == ">" and last)
        if end and not (placed and letters and high == 1):
            raise _malformed(accession, text, f"{end!r} in {part!r}")
    allowed = _residues(letters)
    if not letters or allowed is None:
        raise _malformed(accession, text, f"a letter of {part!r}")
    allowed = _RESIDUES - allowed if match["none"] else allowed
    if not allowed:
        raise _malformed(accession, text, f"{part!r}, which leaves no residue")
    return _Element(allowed, low, high, end)


def _residues(letters: str) -> frozenset[str] | None:
    """Spell out the residues that pattern letters stand for; None where one is no letter of ours.

    Lower case is for ``x`` alone.
    """
    named = [letter if letter != "x" else "X" for letter in letters]
    if any(letter not in _RESIDUES and letter not in _AMBIGUOUS for letter in named):
        return None
    return frozenset().union(*(_AMBIGUOUS.get(letter, frozenset(letter)) for letter in named))


def _matching(allowed: frozenset[str]) -> frozenset[str]:
    """Add the ambiguous letters of a sequence that can only stand for `allowed` residues."""
    return allowed | {letter for letter, means in _AMBIGUOUS.items() if means <= allowed}


def _malformed(accession: str, text: str, what: str) -> AnnotationError:
    return AnnotationError(
        "a pattern in PROSITE's syntax, such as [AC]-x-V-x(4)-{ED}.",
        f"{_short(repr(text))} of {accession}: {_short(what)}",
        "Correct that pattern, or leave the entry out.",
    )


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}..."
