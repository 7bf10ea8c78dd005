"""Map the residues of a chain to the positions of a protein."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bio_interp.errors import MismatchError
from bio_interp.sequences import Protein
from bio_interp.structures._align import place
from bio_interp.structures._structure import Chain, Difference, How, Residue

MIN_IDENTITY = 0.9
"""Share of mapped residues that must have the letter of the protein."""

MIN_COVERAGE = 0.5
"""Share of the resolved residues of a chain that an alignment must map."""

SHORTEST = 8
"""Residues that an alignment must map: fewer occur in other proteins by chance."""

_NO_LETTER = ("X", "B", "Z", "J")  # not known, or one of two


@dataclass(frozen=True, slots=True)
class ChainMap:
    """Where the residues of one chain lie in one protein.

    Attributes
    ----------
    chain, label, accession
        Names of the chain as `Chain` has them, and of the protein.
    positions
        Of each of `Chain.residues`, 1-based in the protein; None where it has no place there.
    how
        Which record said so, or ``alignment``.
    identity
        Share of mapped residues with the protein's letter, those without a known letter left out;
        NaN where the protein's sequence was not given.
    coverage
        Share of the resolved residues that have a position.
    differences
        Residues with another letter than the protein, and those recorded as tags or deletions.
    note
        Why a record of the file was not used; ``""`` where nothing is to be said.
    """

    chain: str
    accession: str
    positions: tuple[int | None, ...]
    how: How
    identity: float
    coverage: float
    differences: tuple[Difference, ...] = ()
    note: str = ""
    label: str = ""


def map_chain(
    chain: Chain,
    protein: Protein,
    *,
    min_identity: float = MIN_IDENTITY,
    min_coverage: float = MIN_COVERAGE,
) -> ChainMap:
    r"""Map a chain to a protein: by SIFTS, else the file's references, else by alignment.

    A record is used where it names the accession of the protein and the letters bear it out: all
    agree, but for differences that the file lists, or an alignment makes no more of them agree.
    An alignment must be the only one that is so good.

    Parameters
    ----------
    min_identity
        Share of mapped residues that must have the letter of the protein or be listed as
        different.
    min_coverage
        Share of resolved residues that an alignment must map. A record may map fewer: chains of
        two proteins have one for each.

    Raises
    ------
    MismatchError
        The chain is no protein, belongs to another one by these limits, or fits several places
        equally well.

    Examples
    --------
    >>> from bio_interp.structures import read_structure
    >>> atom = "ATOM  {:5}  CA  {} A{:4}    {:8.3f}   0.000   0.000  1.00 20.00           C"
    >>> names = "MSE LYS VAL LEU TRP ALA ALA LEU".split()
    >>> lines = [atom.format(i, name, 100 + i, 3.8 * i) for i, name in enumerate(names)]
    >>> chain = read_structure("\n".join([*lines, "END"]).encode()).chain("A")
    >>> found = map_chain(chain, Protein("P1", "GGGMKVLWAALLVTFLAG"))
    >>> found.how, found.positions, found.identity
    ('alignment', (4, 5, 6, 7, 8, 9, 10, 11), 1.0)
    """
    if chain.kind != "protein" or not chain.residues:
        what = chain.kind if chain.residues else "empty"
        raise MismatchError(
            f"a protein chain to map to {protein.accession}",
            f"chain {chain.name!r}, which is {what}",
            "Name another chain.",
        )
    recorded, note = _recorded(chain, protein)
    if recorded:
        return _checked(recorded, chain, protein, min_identity, 0.0)
    aligned = _aligned(chain, protein, note)
    return _checked(aligned, chain, protein, min_identity, min_coverage)


def recorded_maps(chain: Chain) -> tuple[ChainMap, ...]:
    """Map a chain to all proteins that its file names, by records alone.

    Nothing checks these against a sequence: use `map_chain` where there is one.
    """
    found: dict[str, ChainMap] = {}
    for reference in chain.references:
        if reference.database in PROTEIN_DATABASES and reference.accession not in found:
            positions, how = _by_record(chain, reference.accession)
            if how and any(positions):
                listed = _listed(chain, positions)
                share = _coverage(chain, positions)
                found[reference.accession] = ChainMap(
                    chain.name,
                    reference.accession,
                    tuple(positions),
                    how,
                    math.nan,
                    share,
                    listed,
                    label=chain.label,
                )
    return tuple(found.values())


PROTEIN_DATABASES = frozenset({"UNP", "SWS", "TREMBL", "UNIPROT"})
"""What PDB files call UniProt."""


def _by_record(chain: Chain, accession: str) -> tuple[list[int | None], How | None]:
    """Take the positions that the best record of an accession gives; none where there is none."""
    positions: list[int | None] = [None] * len(chain)
    of = [r for r in chain.references if r.accession == accession]
    ways: tuple[How, ...] = ("sifts", "struct_ref", "dbref")
    how: How | None = next((way for way in ways if any(r.how == way for r in of)), None)
    for reference in of:
        # a segment with insertions or deletions does not say where they are
        if reference.how == how and reference.is_even and reference.start >= 1:
            for label in range(reference.start, min(reference.end, len(chain)) + 1):
                positions[label - 1] = reference.first + label - reference.start
    for change in chain.differences:
        if change.label_seq and change.kind in ("expression tag", "cloning artifact"):
            positions[change.label_seq - 1] = None
    return positions, how


def _recorded(chain: Chain, protein: Protein) -> tuple[ChainMap | None, str]:
    """Map by record where it can be trusted; say why not where it cannot."""
    positions, how = _by_record(chain, protein.accession)
    if how is None:
        return None, ""
    if not any(positions):
        return None, f"{how} has insertions or deletions that it does not place"
    if any(p is not None and not 1 <= p <= len(protein) for p in positions):
        return None, f"{how} has positions outside of {len(protein)} residues"
    made = _made(chain, protein, positions, how, "")
    unlisted = [d for d in made.differences if d.kind == "unrecorded"]
    if not unlisted:
        return made, ""
    other = place(chain, protein.sequence)
    places = [i for i, p in enumerate(positions) if p is not None]
    here = _agreeing(chain, protein, positions, places)
    there = 0 if other.rival else _agreeing(chain, protein, other.letters, places)
    if there <= here:
        return made, ""
    return None, f"{how} contradicts {len(unlisted)} letters of the protein"


def _agreeing(
    chain: Chain, protein: Protein, positions: Sequence[int | None], places: Sequence[int]
) -> int:
    letters = ((chain.residues[i].letter, positions[i]) for i in places)
    return sum(p is not None and protein.sequence[p - 1] == letter for letter, p in letters)


def _aligned(chain: Chain, protein: Protein, note: str) -> ChainMap:
    found = place(chain, protein.sequence)
    if found.rival is not None:
        first = next(p for p in found.positions if p is not None)
        raise MismatchError(
            f"one place of chain {chain.name!r} in {protein.accession}",
            f"several that are as good, from {first} and from {found.rival}",
            "Use a file with SIFTS or reference records, or cut the protein.",
        )
    return _made(chain, protein, found.positions, "alignment", note)


def _made(
    chain: Chain, protein: Protein, positions: Sequence[int | None], how: How, note: str
) -> ChainMap:
    listed = {d.label_seq: d for d in _listed(chain, positions)}
    differences: list[Difference] = [d for label, d in listed.items() if label is None]
    known = same = 0
    for residue, position in zip(chain.residues, positions, strict=True):
        recorded = listed.get(residue.label_seq)
        if position is None:
            differences.extend([recorded] if recorded else [])
            continue
        expected = protein.sequence[position - 1]
        if residue.letter in _NO_LETTER or expected in _NO_LETTER:
            continue
        known += 1
        same += residue.letter == expected
        if residue.letter != expected:
            differences.append(_changed(residue, expected, position, recorded))
    identity = same / known if known else 0.0
    share = _coverage(chain, positions)
    name = protein.accession
    return ChainMap(
        chain.name,
        name,
        tuple(positions),
        how,
        identity,
        share,
        tuple(differences),
        note,
        chain.label,
    )


def _changed(
    residue: Residue, expected: str, position: int, recorded: Difference | None
) -> Difference:
    """Describe a residue with another letter, in the words of a record that expects it."""
    explained = recorded is not None and recorded.expected in ("", expected)
    return Difference(
        residue.label_seq,
        residue.author,
        residue.insertion,
        residue.letter,
        expected,
        position,
        recorded.kind if recorded and explained else "unrecorded",
    )


def _listed(chain: Chain, positions: Sequence[int | None]) -> tuple[Difference, ...]:
    """Take the recorded differences that speak of mapped residues, tags and deletions."""
    mapped = {p for p in positions if p is not None}
    return tuple(
        change
        for change in chain.differences
        if change.position is None or not mapped or min(mapped) <= change.position <= max(mapped)
    )


def _coverage(chain: Chain, positions: Sequence[int | None]) -> float:
    resolved = [p for r, p in zip(chain.residues, positions, strict=True) if r.resolved]
    return sum(p is not None for p in resolved) / len(resolved) if resolved else 0.0


def _checked(
    found: ChainMap, chain: Chain, protein: Protein, min_identity: float, min_coverage: float
) -> ChainMap:
    mapped = sum(p is not None for p in found.positions)
    other = sum(d.kind == "unrecorded" and d.position is not None for d in found.differences)
    explained = 1 - other / mapped if mapped else 0.0
    enough = found.how != "alignment" or mapped >= min(SHORTEST, len(protein))
    identity = found.identity if found.how == "alignment" else explained
    if enough and identity >= min_identity and found.coverage >= min_coverage:
        return found
    note = f" ({found.note})" if found.note else ""
    raise MismatchError(
        f"chain {chain.name!r} to be {protein.accession}: identity of at least {min_identity:g}, "
        f"coverage of at least {min_coverage:g}, {SHORTEST} residues",
        f"identity {found.identity:.3f}, coverage {found.coverage:.3f}, {mapped} residues "
        f"by {found.how}{note}",
        "Give the protein that the chain is, or lower the limits if it is a relative.",
    )
