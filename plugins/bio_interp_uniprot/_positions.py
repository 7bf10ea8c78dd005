"""What every entry must hold, within which sequence it lies, and what a structure resolves."""

from collections.abc import Iterable

from bio_interp_uniprot._entry import Entry, Feature, Place
from bio_interp_uniprot._kinds import STRUCTURE_KINDS

_STRUCTURE_GAP = 20  # residues: a loop between two elements of one structure


def structure_stretches(features: Iterable[Feature]) -> list[tuple[int, int]]:
    """Find the stretches that a structure resolves, as (start, end).

    They are the residues of HELIX, STRAND and TURN and gaps of up to 20 residues between them. What
    lies before the first, after the last and in longer gaps may be disordered, absent from the
    construct, or a domain without a structure: unknown.
    """
    elements = sorted(
        (f.start.value, f.end.value)
        for f in features
        if f.kind in STRUCTURE_KINDS and f.start.value and f.end.value and not f.isoform
    )
    found: list[tuple[int, int]] = []
    for start, end in elements:
        if found and start - found[-1][1] - 1 <= _STRUCTURE_GAP:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def last_position(entry: Entry) -> int:
    """Find the last residue that any feature names; 0 where none does."""
    ends = (f.end.value or f.start.value or 0 for f in entry.features if not f.isoform)
    return max(ends, default=0)


def is_of(entry: Entry, sequence: str) -> bool:
    """Tell whether an entry may be about `sequence`: the same one, length, or no feature beyond."""
    if entry.sequence:
        return entry.sequence == sequence
    return (entry.length or max(len(sequence), last_position(entry))) == len(sequence)


def check_accession(entry: Entry) -> None:
    """Fail where an accession is empty or cannot be printed.

    Raises
    ------
    AnnotationError
        The message names the line.
    """
    accession = entry.accession
    if not accession.strip() or not accession.isprintable():
        entry.place.fail(
            "an entry with an accession", repr(accession[:60]), "Correct or remove the entry."
        )


def check_positions(entry: Entry) -> None:
    """Fail where a feature lies outside of its sequence or has its ends the wrong way round.

    Raises
    ------
    AnnotationError
        The message names the entry, line and feature.
    """
    for feature in entry.features:
        if feature.isoform:
            continue
        place = Place(entry.place.file, feature.line)
        start, end = feature.start.value, feature.end.value
        if entry.length and max(start or 1, end or 1) > entry.length:
            place.fail(
                f"positions from 1 to {entry.length} in {entry.accession}, as long as it is",
                f"{feature}",
                "The sequence and the features are of different releases: fetch both again.",
            )
        if start and end and start > end:
            place.fail(f"a start before the end in {entry.accession}", f"{feature}", "Swap them.")
