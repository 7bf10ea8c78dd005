"""Align a chain with a protein: one placement, or none where several are as good."""

import math
from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bio_interp.errors import MismatchError
from bio_interp.structures._structure import Chain, Residue

if TYPE_CHECKING:
    from Bio.Align import PairwiseAligner

LARGEST = 400_000_000
"""Residues of the chain times those of the protein that are aligned, in 0.8 GB."""

_RIVAL = 0.95  # of the best score: another place that gets this is as good
_RUN, _LETTERS = 12, 5  # residues, and different letters, of a run that is no chance hit
_BOND = 4.5  # angstrom between CA of neighbours; 3.8 in trans, 2.9 in cis
_LIKE = str.maketrans("UOJ", "CKL")  # which BLOSUM62 does not have


class Placement(NamedTuple):
    """Where residues of a chain lie in a protein.

    Attributes
    ----------
    positions
        Of each residue of the chain, 1-based; None where it has no partner.
    letters
        The same by letters alone, short runs that nothing else holds in their place included.
    rival
        Position of the first residue in another placement that is as good; None where this one
        is the only one.
    """

    positions: list[int | None]
    letters: list[int | None]
    rival: int | None = None


def place(chain: Chain, sequence: str) -> Placement:
    """Align the sequence of a chain with that of a protein, locally.

    BLOSUM62; 12 for opening a gap, and 1 for each further residue of the chain in it, but next to
    nothing for those of the protein: domains are left out of constructs, and loops are not seen.
    A gap that could lie in several places is put where the chain is broken. Runs of fewer than 12
    residues that neither a bond nor the authors' numbers tie to their neighbours have no place.

    Raises
    ------
    MismatchError
        The two are too long to be aligned.
    """
    text = chain.sequence
    start = sequence.find(text)
    if start >= 0 and text:
        again = sequence.find(text, start + 1)
        letters: list[int | None] = [*range(start + 1, start + len(text) + 1)]
        return Placement(_sure(letters, chain), letters, again + 1 if again >= 0 else None)
    if len(text) * len(sequence) > LARGEST:
        raise MismatchError(
            "a chain and a protein that can be aligned",
            f"{len(text):,} and {len(sequence):,} residues",
            "Use a file with SIFTS or reference records, or cut the protein.",
        )
    query, target = text.translate(_LIKE), sequence.translate(_LIKE)
    alignments = _aligner().align(target, query)
    if not query or not target or alignments.score <= 0:
        return Placement([None] * len(text), [None] * len(text))
    candidates = [_blocks(alignment) for alignment in islice(alignments, 8)]
    letters = _positions(_slide(candidates[0], chain, sequence), len(text))
    return Placement(_sure(letters, chain), letters, _rival(candidates, query, target))


@cache
def _aligner() -> "PairwiseAligner":
    from Bio.Align import PairwiseAligner, substitution_matrices

    aligner = PairwiseAligner()
    aligner.mode = "local"
    aligner.substitution_matrix = substitution_matrices.load("BLOSUM62")
    aligner.open_gap_score, aligner.extend_gap_score = -12, -1
    names = (
        "extend_internal_deletion_score",
        "query_internal_extend_gap_score",
    )  # from 1.86; before
    setattr(aligner, next(name for name in names if name in dir(aligner)), -0.01)
    return aligner


_Block = tuple[int, int, int]  # 0-based start in the chain, in the protein, and length


def _blocks(alignment: Any) -> list[_Block]:
    target, query = alignment.aligned
    pairs = zip(np.asarray(target).tolist(), np.asarray(query).tolist(), strict=True)
    return [(q[0], t[0], t[1] - t[0]) for t, q in pairs]


def _positions(blocks: Sequence[_Block], length: int) -> list[int | None]:
    positions: list[int | None] = [None] * length
    for here, there, size in blocks:
        positions[here : here + size] = range(there + 1, there + size + 1)
    return positions


def _sure(positions: list[int | None], chain: Chain) -> list[int | None]:
    """Leave out short runs that nothing but a few letters holds in their place."""
    mapped = [(i, p) for i, p in enumerate(positions) if p is not None]
    runs: list[list[tuple[int, int]]] = []
    for pair in mapped:
        if runs and _joined(chain, runs[-1][-1], pair):
            runs[-1].append(pair)
        else:
            runs.append([pair])
    main = max(range(len(runs)), key=lambda number: len(runs[number]))
    first, last = runs[main], runs[main]  # outwards: each must fit to the one kept before
    kept = list(runs[main])
    for run in runs[main + 1 :]:
        if _is_long(chain, run) or _joined(chain, last[-1], run[0]):
            last = run
            kept += run
    for run in reversed(runs[:main]):
        if _is_long(chain, run) or _joined(chain, run[-1], first[0]):
            first = run
            kept += run
    made: list[int | None] = [None] * len(positions)
    for index, position in kept:
        made[index] = position
    return made


def _is_long(chain: Chain, run: Sequence[tuple[int, int]]) -> bool:
    letters = {chain.residues[index].letter for index, _ in run}
    return len(run) >= _RUN and len(letters) >= _LETTERS


def _joined(chain: Chain, left: tuple[int, int], right: tuple[int, int]) -> bool:
    """Tell whether a step in the protein is that of the authors' numbers, or of a bond."""
    (here, before), (there, after) = left, right
    one, two = chain.residues[here], chain.residues[there]
    numbered = one.author is not None and two.author is not None
    numbered = numbered and not one.insertion + two.insertion
    if numbered and (two.author or 0) - (one.author or 0) == after - before:
        return True
    neighbours = there - here == after - before == 1
    return neighbours and (chain.has_sequence or not _distance(one, two) > _BOND)


def _distance(one: Residue, two: Residue) -> float:
    return math.dist(one.coordinates, two.coordinates)


def _rival(candidates: Sequence[Sequence[_Block]], query: str, target: str) -> int | None:
    """Find another placement that is as good: beside the best one, or overlapping it."""
    blocks = candidates[0]
    for other in candidates[1:]:
        # one that moves most of the chain is another place, one that moves a gap is not
        best = _positions(blocks, len(query))
        moved = sum(a != b for a, b in zip(best, _positions(other, len(query)), strict=True))
        if 2 * moved > sum(size for _, _, size in blocks):
            return other[0][1] + 1
    first, last = blocks[0][1], blocks[-1][1] + blocks[-1][2]
    size = last - first
    score = _aligner().score
    best = score(target[first:last], query)
    for side, shift in ((target[:first], 0), (target[last:], last)):
        if 2 * len(side) >= size and score(side, query) >= _RIVAL * best:
            (rival,) = islice(_aligner().align(side, query), 1)
            return shift + _blocks(rival)[0][1] + 1
    return None


def _slide(blocks: Sequence[_Block], chain: Chain, sequence: str) -> list[_Block]:
    """Put each gap where the chain is broken, as far as letters allow."""
    made = list(blocks)
    text = chain.sequence
    for number in range(len(made) - 1):
        (here, there, size), (after, beyond, rest) = made[number], made[number + 1]
        if here + size != after:
            continue  # residues of the chain have no partner; letters say which
        low, high = 0, 0
        while size + low > 1 and text[after + low - 1] == sequence[beyond + low - 1]:
            low -= 1
        while rest - high > 1 and text[after + high] == sequence[there + size + high]:
            high += 1
        gap = beyond - there - size
        shift = max(
            range(low, high + 1), key=lambda s, a=after, g=gap: (_break(chain, a + s, g), -abs(s))
        )
        made[number] = here, there, size + shift
        made[number + 1] = after + shift, beyond + shift, rest - shift
    return made


def _break(chain: Chain, index: int, gap: int) -> int:
    """Say how well a gap fits before a residue: by numbers (3), by distance (2), or not (0)."""
    left, right = chain.residues[index - 1], chain.residues[index]
    numbered = left.author is not None and right.author is not None
    if numbered and (right.author or 0) - (left.author or 0) == gap + 1:
        return 3
    distance = _distance(left, right)
    if distance > _BOND:
        return 2
    return 1 if math.isnan(distance) else 0
