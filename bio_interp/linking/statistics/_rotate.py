"""Spans turned along their protein and laid onto another one, none of them cut.

A protein is a circle here. What must keep its place relative to each other is a *unit*: the spans
of one concept, or, where only part of a protein was looked at for a class of concepts, all of that
class together with where was looked. A unit is opened at a cut, drawn evenly among all cuts that
run through no positive span, and laid onto the other protein from there. If that one is shorter,
the residues missing are taken out at the cut, which must then have as many free ones; if it is
longer, the residues it has more are shared between both ends at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from bio_interp.linking._intervals import Intervals
from bio_interp.linking._labels import Labels


@dataclass(frozen=True)
class Units:
    """What is turned as one piece, and the gaps between its positive spans.

    Attributes
    ----------
    protein
        Protein of each unit.
    positives, unknowns, looked
        Unit of each such span of the labels; -1 for looked spans that hold a whole protein.
    whole
        Where a class was looked for in the whole protein.
    gap_unit, gap_start, gap_length
        Stretches without a positive, in order of units; starts count from the protein's first
        residue, and a gap may run over the end. A unit without positives has none.
    """

    protein: Int[ndarray, "units"]
    positives: Int[ndarray, "positives"]
    unknowns: Int[ndarray, "unknowns"]
    looked: Int[ndarray, "looked"]
    whole: Bool[ndarray, "proteins classes"]
    gap_unit: Int[ndarray, "gaps"]
    gap_start: Int[ndarray, "gaps"]
    gap_length: Int[ndarray, "gaps"]

    def room(self, lengths: Int[ndarray, "proteins"]) -> Int[ndarray, "proteins"]:
        """Say by how many residues each protein can shrink with all its positives left whole."""
        largest = lengths[self.protein]
        largest[np.unique(self.gap_unit)] = 0
        np.maximum.at(largest, self.gap_unit, self.gap_length)
        room = lengths.copy()
        np.minimum.at(room, self.protein, largest)
        return room


def units_of(labels: Labels) -> Units:
    """Find the units of labels."""
    lengths, concepts = np.diff(labels.offsets), labels.concepts.height
    looked, whole, partly = _coverage(labels, lengths)
    keys = concepts + whole.shape[1]  # concepts alone, then classes

    def key(spans: Intervals) -> Int[ndarray, "spans"]:
        cls = labels.coverage_class[spans.label]
        tied = (cls >= 0) & partly[spans.protein, cls]
        return spans.protein * keys + np.where(tied, concepts + cls, spans.label)

    whole_span = whole[looked.protein, looked.label]
    parts = (
        key(labels.positives),
        key(labels.unknowns),
        (looked.protein * keys + concepts + looked.label)[~whole_span],
    )
    found, unit = np.unique(np.concatenate(parts), return_inverse=True)
    positives, unknowns, rest = np.split(unit, np.cumsum([len(p) for p in parts[:2]]))
    of_looked = np.full(len(looked), -1)
    of_looked[~whole_span] = rest
    protein = found // keys
    gaps = _gaps(labels, positives, lengths[protein])
    return Units(protein, positives, unknowns, of_looked, whole, *gaps)


def _coverage(
    labels: Labels, lengths: Int[ndarray, "proteins"]
) -> tuple[Intervals, Bool[ndarray, "proteins classes"], Bool[ndarray, "proteins classes"]]:
    """List looked spans; tell whether all or only part of each protein was looked at, by class."""
    looked = labels.looked
    # one class more that nobody looked for, so that class -1 means it
    classes = max(int(labels.coverage_class.max(initial=-1)), int(looked.label.max(initial=-1))) + 2
    held = np.bincount(
        looked.protein * classes + looked.label,
        weights=looked.end - looked.start,
        minlength=len(lengths) * classes,
    ).reshape(len(lengths), classes)
    whole = held == lengths[:, None]
    return looked, whole, (held > 0) & ~whole


def _gaps(
    labels: Labels, unit: Int[ndarray, "positives"], lengths: Int[ndarray, "units"]
) -> tuple[Int[ndarray, "gaps"], Int[ndarray, "gaps"], Int[ndarray, "gaps"]]:
    """List the gaps behind each block of overlapping positives of a unit."""
    spans = labels.positives
    blocks = Intervals(spans.start, spans.end, unit, spans.protein).merged()
    order = np.lexsort((blocks.start, blocks.label))
    start, end = ((x - labels.offsets[blocks.protein])[order] for x in (blocks.start, blocks.end))
    of = blocks.label[order]
    if not len(of):
        return of, end, end
    last = np.append(of[1:] != of[:-1], True)
    first = np.flatnonzero(np.append(True, last[:-1]))
    following = np.append(start[1:], 0)
    following[last] = start[first] + lengths[of[last]]  # once around
    return of, end, following - end


@dataclass(frozen=True)
class Turn:
    """Where each unit is opened and laid.

    Attributes
    ----------
    units
        The units.
    begin
        Residue of its protein that becomes the first, by unit, past what is taken out.
    length, kept
        Residues of its protein, and of those that are kept.
    to
        Index on the axis of the first residue that is laid.
    target
        Protein that each protein's spans go to.
    """

    units: Units
    begin: Int[ndarray, "units"]
    length: Int[ndarray, "units"]
    kept: Int[ndarray, "units"]
    to: Int[ndarray, "units"]
    target: Int[ndarray, "proteins"]

    def lay(self, spans: Intervals, unit: Int[ndarray, "spans"], labels: Labels) -> Intervals:
        """Turn spans; those that run over the end come back in two, what was taken out is gone."""
        length, kept = self.length[unit], self.kept[unit]
        start = (spans.start - labels.offsets[spans.protein] - self.begin[unit]) % length
        end = start + spans.end - spans.start
        protein = self.target[spans.protein]
        pieces = [
            Intervals(start + self.to[unit], first + self.to[unit], spans.label, protein)
            for start, first in (
                (start, np.minimum(end, kept)),
                (np.zeros_like(start), np.minimum(end - length, kept)),
            )
        ]
        both = [p.where(p.end > p.start) for p in pieces]
        return joined(both)


def draw_turn(
    units: Units,
    target: Int[ndarray, "proteins"],
    labels: Labels,
    rng: np.random.Generator,
) -> Turn:
    """Draw a cut for every unit, evenly among those that run through no positive."""
    lengths = np.diff(labels.offsets)
    more = (lengths[target] - lengths)[units.protein]
    out = np.maximum(-more, 0)
    length = lengths[units.protein]
    cut = _draw_cuts(units, length, out, rng.random(len(length)))
    ahead = (rng.random(len(length)) * (np.maximum(more, 0) + 1)).astype(np.int64)
    to = labels.offsets[target[units.protein]] + ahead
    return Turn(units, cut + out, length, length - out, to, target)


def _draw_cuts(
    units: Units,
    length: Int[ndarray, "units"],
    out: Int[ndarray, "units"],
    chance: Float[ndarray, "units"],
) -> Int[ndarray, "units"]:
    cut = (chance * length).astype(np.int64)
    ways = np.maximum(units.gap_length - out[units.gap_unit] + 1, 0)
    of_unit = np.bincount(units.gap_unit, weights=ways, minlength=len(length)).astype(np.int64)
    bound = of_unit > 0
    before = np.cumsum(of_unit) - of_unit
    drawn = (before + (chance * of_unit).astype(np.int64))[bound]
    upto = np.cumsum(ways)
    gap = np.searchsorted(upto, drawn, side="right")
    cut[bound] = units.gap_start[gap] + drawn - (upto - ways)[gap]
    return cut


def joined(parts: list[Intervals]) -> Intervals:
    """Put stretches together, sorted by start."""
    start, end, label, protein = (
        np.concatenate([getattr(p, name) for p in parts])
        for name in ("start", "end", "label", "protein")
    )
    order = np.argsort(start, kind="stable")
    return Intervals(start[order], end[order], label[order], protein[order])
