"""From entries to an AnnotationTable."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from bio_interp.annotations import (
    CONCEPTS,
    COVERAGE,
    ROWS,
    AnnotationTable,
    strongest_evidence,
)
from bio_interp.errors import AnnotationError
from bio_interp.sequences import Protein

from bio_interp_uniprot._entry import Entry, Feature, Place
from bio_interp_uniprot._files import read_entries
from bio_interp_uniprot._kinds import (
    PAIR_KINDS,
    RESIDUE_KINDS,
    STRUCTURE_KINDS,
    asked_kinds,
    concept_kind,
    title,
)
from bio_interp_uniprot._notes import sub_concepts

_LOG = logging.getLogger("bio_interp_uniprot")
_OPTIONS = ("kinds", "release")
_STRUCTURE_GAP = 20  # residues: a loop between two elements of one structure


def collect(
    files: Sequence[Path], proteins: Sequence[Protein] | None, options: Mapping[str, str]
) -> AnnotationTable:
    """Read `files` into one table; see `UniProtAnnotator.annotate`."""
    unknown = [name for name in options if name not in _OPTIONS]
    if unknown:
        raise AnnotationError(
            f"options of the uniprot plugin ({', '.join(_OPTIONS)})",
            repr(unknown[0]),
            "Check the spelling.",
        )
    table = _Table(asked_kinds(options.get("kinds")), options.get("release", ""))
    wanted = None if proteins is None else {p.accession: p.sequence for p in proteins}
    seen: dict[str, Place] = {}
    for entry in (entry for path in files for entry in read_entries(Path(path))):
        sequence = "" if wanted is None else wanted.get(entry.accession)
        if sequence is None:
            continue
        if entry.accession in seen:
            first = seen[entry.accession]
            table.skip(entry, f"the entry of line {first.line} of {first.file} is kept")
        elif sequence and entry.sequence and sequence != entry.sequence:
            table.skip(entry, "its sequence is not that of the given protein")
        else:
            seen[entry.accession] = entry.place
            table.add(entry, max(entry.length, len(sequence)))
    table.report()
    return table.build()


@dataclass
class _Concept:
    name: str
    kind: str
    singles: int = 0
    rows: int = 0
    xrefs: set[str] = field(default_factory=set[str])


class _Table:
    """Columns that grow entry by entry."""

    def __init__(self, kinds: tuple[str, ...], release: str) -> None:
        self._kinds, self._release = kinds, release
        self._rows: dict[str, list[Any]] = {name: [] for name in ROWS}
        self._coverage: dict[str, list[Any]] = {name: [] for name in COVERAGE}
        self._concepts: dict[str, _Concept] = {}
        self._skipped: Counter[str] = Counter()
        self._pairs = 0

    def skip(self, entry: Entry, reason: str, feature: Feature | None = None) -> None:
        what = f"feature {feature} of {entry.accession}" if feature else f"entry {entry.accession}"
        line = feature.line if feature else entry.place.line
        self._skipped["features" if feature else "entries"] += 1
        _LOG.info("left out: %s, line %d of %s: %s", what, line, entry.place.file, reason)

    def report(self) -> None:
        for what, count in self._skipped.items():
            _LOG.warning("left out %d %s of UniProt files; level INFO names each", count, what)

    def add(self, entry: Entry, length: int) -> None:
        for feature in entry.features:
            _check(entry, feature, length)
        ends = (f.end.value or f.start.value or 0 for f in entry.features if not f.isoform)
        length = length or max(ends, default=0)
        kinds = tuple(k for k in self._kinds if k in {concept_kind(x) for x in entry.kinds})
        for kind in kinds:
            if kind not in STRUCTURE_KINDS:
                self._cover(entry, kind, 1, length, "looked")
        for start, end in structure_stretches(entry.features):
            for kind in kinds:
                if kind in STRUCTURE_KINDS:
                    self._cover(entry, kind, start, end, "looked")
        for feature in entry.features:
            if concept_kind(feature.kind) in self._kinds:
                self._feature(entry, feature, length)

    def _feature(self, entry: Entry, feature: Feature, length: int) -> None:
        start, end = feature.start.value, feature.end.value
        if feature.isoform:
            self.skip(entry, "its positions are those of another isoform", feature)
        elif start is None or end is None:
            self.skip(entry, "its position is unknown", feature)
            self._cover(entry, concept_kind(feature.kind), start or 1, end or length, "unknown")
        else:
            kind = concept_kind(feature.kind)
            concept = f"uniprot:{kind}"
            self._row(entry, feature, concept, _Concept(title(kind), concept))
            for head, xref in sub_concepts(feature):
                new = _Concept(f"{title(kind)}: {head}", concept)
                self._row(entry, feature, f"{concept}/{head}", new)
                if xref:
                    self._concepts[f"{concept}/{head}"].xrefs.add(xref)

    def _row(self, entry: Entry, feature: Feature, concept: str, new: _Concept) -> None:
        start, end = feature.start.value, feature.end.value
        known = self._concepts.setdefault(concept, new)
        known.rows += 1
        known.singles += start == end
        pair = None
        spans = [(start, end)]
        if feature.kind in PAIR_KINDS and start != end:
            spans, pair = [(start, start), (end, end)], self._pairs
            self._pairs += 1
        evidence = strongest_evidence(feature.evidence)
        for first, last in spans:
            values = (entry.accession, first, last, concept, evidence, entry.source, pair)
            for name, value in zip(ROWS, values, strict=True):
                self._rows[name].append(value)

    def _cover(self, entry: Entry, kind: str, start: int, end: int, state: str) -> None:
        if start <= end:
            values = (entry.accession, start, end, f"uniprot:{kind}", state, entry.source)
            for name, value in zip(COVERAGE, values, strict=True):
                self._coverage[name].append(value)

    def build(self) -> AnnotationTable:
        concepts = [
            {
                "concept": concept,
                "name": known.name,
                "kind": known.kind,
                "level": _level(known),
                "world": "closed" if known.kind[8:] in STRUCTURE_KINDS else "open",
                "source": "uniprot",
                "release": self._release,
                "members": [],
                "xrefs": sorted(known.xrefs),
            }
            for concept, known in sorted(self._concepts.items())
        ]
        return AnnotationTable(
            pl.DataFrame(self._rows, schema=ROWS),
            pl.DataFrame(self._coverage, schema=COVERAGE).unique(maintain_order=True),
            pl.DataFrame(concepts, schema=CONCEPTS),
        )


def _level(known: _Concept) -> str:
    """BINDING holds sites (old METAL) and stretches (old NP_BIND): the commoner decides."""
    kind = known.kind.removeprefix("uniprot:")
    single = kind in RESIDUE_KINDS or (kind == "BINDING" and 2 * known.singles >= known.rows)
    return "residue" if single else "span"


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


def _check(entry: Entry, feature: Feature, length: int) -> None:
    """Fail where a position lies outside of the sequence or the ends are the wrong way round."""
    if feature.isoform:
        return
    place = Place(entry.place.file, feature.line)
    start, end = feature.start.value, feature.end.value
    if length and max(start or 1, end or 1) > length:
        place.fail(
            f"positions from 1 to {length} in {entry.accession}, the length of its sequence",
            f"{feature}",
            "The sequence and the features are of different releases: fetch both again.",
        )
    if start and end and start > end:
        place.fail(f"a start before the end in {entry.accession}", f"{feature}", "Swap them.")
