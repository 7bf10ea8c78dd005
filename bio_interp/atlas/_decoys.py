"""Sequences that hold no domain: what is called in them is called wrongly."""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from bio_interp.sequences import Protein

if TYPE_CHECKING:
    from bio_interp.atlas._atlas import Atlas

LETTERS = "ACDEFGHIKLMNPQRSTVWY"


def reversed_sequence(sequence: str, rng: Random) -> str:
    """Read the sequence backwards."""
    return sequence[::-1]


def shuffled(sequence: str, rng: Random) -> str:
    """Keep the composition."""
    letters = list(sequence)
    rng.shuffle(letters)
    return "".join(letters)


def dipeptide_shuffled(sequence: str, rng: Random) -> str:
    """Keep the counts of all pairs of neighbours (Altschul & Erickson 1985, MBE 2:526).

    A random Eulerian path through the graph of letters: each letter's last edge leads towards the
    last letter of the sequence, the other edges are shuffled.

    Examples
    --------
    >>> dipeptide_shuffled("AABB", Random(0))
    'AABB'
    """
    follows: dict[str, list[str]] = {}
    for left, right in pairwise(sequence):
        follows.setdefault(left, []).append(right)
    exits = _exits(follows, sequence[-1], rng)
    for letter, nexts in follows.items():
        last = exits.get(letter)
        if last is not None:
            nexts.remove(last)
        rng.shuffle(nexts)
        if last is not None:
            nexts.append(last)
    path = [sequence[0]]
    walk = {letter: iter(nexts) for letter, nexts in follows.items()}
    while (step := next(walk.get(path[-1], iter(())), None)) is not None:
        path.append(step)
    return "".join(path)


def low_complexity(sequence: str, rng: Random) -> str:
    """Write tandem repeats of 1 to 4 letters, in stretches of 10 to 40 residues."""
    text = ""
    while len(text) < len(sequence):
        unit = "".join(rng.choices(LETTERS, k=rng.randint(1, 4)))
        text += (unit * 40)[: rng.randint(10, 40)]
    return text[: len(sequence)]


DECOYS: dict[str, Callable[[str, Random], str]] = {
    "reversed": reversed_sequence,
    "shuffled": shuffled,
    "dipeptide_shuffled": dipeptide_shuffled,
    "low_complexity": low_complexity,
}


def decoys_of(proteins: Iterable[Protein], kind: str, seed: int = 0) -> Iterator[Protein]:
    """Make a decoy of each protein, of the same length."""
    rng = Random(f"{kind} {seed}")
    for protein in proteins:
        yield Protein(f"{kind}_{protein.accession}", DECOYS[kind](protein.sequence, rng))


def decoy_rates(
    atlas: "Atlas", proteins: Iterable[Protein], *, min_precision: float = 0.8
) -> dict[str, float]:
    """Count the calls per 1,000 decoys, by kind of decoy."""
    real = list(proteins)
    rates: dict[str, float] = {}
    for kind in DECOYS:
        results = atlas.annotate(decoys_of(real, kind), min_precision=min_precision)
        rates[kind] = round(1000 * sum(r.protein.calls for r in results) / len(real), 2)
    return rates


def _exits(follows: dict[str, list[str]], end: str, rng: Random) -> dict[str, str]:
    """Draw a last edge for every letter but the end, so that all of them lead to the end."""
    while True:
        exits = {a: rng.choice(nexts) for a, nexts in follows.items() if a != end}
        if all(_reaches(letter, exits, end) for letter in exits):
            return exits


def _reaches(letter: str, exits: dict[str, str], end: str) -> bool:
    for _ in range(len(exits) + 1):
        if letter == end:
            return True
        letter = exits[letter]
    return letter == end
