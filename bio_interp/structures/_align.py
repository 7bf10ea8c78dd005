"""Align a chain with a protein: one placement, or none where several are as good."""

from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bio_interp.errors import MismatchError
from bio_interp.structures._structure import Chain

if TYPE_CHECKING:
    from Bio.Align import PairwiseAligner

LARGEST = 400_000_000
"""Residues of the chain times those of the protein that are aligned: 0.4 GB."""

_RIVAL = 0.95  # of the best score: another place that gets this is as good
_FAR = 30  # residues of the protein between two islands of an alignment
_ISLAND, _LETTERS = 12, 5  # residues, and different letters, of an island that is no chance hit
_BOND = 4.5  # angstrom between CA of neighbours; 3.8 in trans, 2.9 in cis
_LIKE = str.maketrans("UOJ", "CKL")  # which BLOSUM62 does not have


class Placement(NamedTuple):
    """Where residues of a chain lie in a protein.

    Attributes
    ----------
    positions
        Of each residue of the chain, 1-based; None where it has no partner.
    rival
        Position of the first residue in another placement that is as good; None where this one
        is the only one.
    """

    positions: list[int | None]
    rival: int | None


def place(chain: Chain, sequence: str) -> Placement:
    """Align the sequence of a chain with that of a protein, locally.

    BLOSUM62; 12 for opening a gap, and 1 for each further residue of the chain in it, but next to
    nothing for those of the protein: domains are left out of constructs, and loops are not seen.
    Short runs far from all others are dropped, unless the authors' numbers put them there. A gap
    that could lie in several places is put where the chain is broken.

    Raises
    ------
    MismatchError
        The two are too long to be aligned.
    """
    text = chain.sequence
    start = sequence.find(text)
    if start >= 0 and text:
        again = sequence.find(text, start + 1)
        found = list(range(start + 1, start + len(text) + 1))
        return Placement([*found], again + 1 if again >= 0 else None)
    if len(text) * len(sequence) > LARGEST:
        raise MismatchError(
            "a chain and a protein that can be aligned",
            f"{len(text):,} and {len(sequence):,} residues",
            "Use a file with SIFTS or reference records, or cut the protein.",
        )
    query, target = text.translate(_LIKE), sequence.translate(_LIKE)
    alignments = _aligner().align(target, query)
    if not query or not target or alignments.score <= 0:
        return Placement([None] * len(text), None)
    candidates = [_blocks(alignment) for alignment in islice(alignments, 8)]
    blocks = _islands(_slide(candidates[0], chain, sequence), chain)
    return Placement(_positions(blocks, len(text)), _rival(candidates, query, target))


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


def _islands(blocks: Sequence[_Block], chain: Chain) -> list[_Block]:
    """Drop short runs far from the longest island, which tags find by chance."""
    islands: list[list[_Block]] = []
    for block in blocks:
        before = islands[-1][-1] if islands else None
        if before and block[1] - before[1] - before[2] <= _FAR:
            islands[-1].append(block)
        else:
            islands.append([block])
    main = max(range(len(islands)), key=lambda i: _size(islands[i]))
    kept = [main]
    for step in (-1, 1):  # outwards, as each must fit to the one before
        number = main + step
        while 0 <= number < len(islands):
            ends = sorted((kept[-1] if step > 0 else kept[0], number))
            if _is_sure(islands[number], islands[ends[0]][-1], islands[ends[1]][0], chain):
                kept = sorted([*kept, number])
            number += step
    return [block for number in kept for block in islands[number]]


def _size(island: Sequence[_Block]) -> int:
    return sum(size for _, _, size in island)


def _is_sure(island: Sequence[_Block], left: _Block, right: _Block, chain: Chain) -> bool:
    letters = {
        chain.residues[i].letter for here, _, size in island for i in range(here, here + size)
    }
    if _size(island) >= _ISLAND and len(letters) >= _LETTERS:
        return True
    before, after = chain.residues[left[0] + left[2] - 1].author, chain.residues[right[0]].author
    jump = right[1] - left[1] - left[2] + 1
    return before is not None and after is not None and after - before == jump


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
    distance = float(np.linalg.norm(np.subtract(left.coordinates, right.coordinates)))
    if distance > _BOND:
        return 2
    return 1 if np.isnan(distance) else 0
