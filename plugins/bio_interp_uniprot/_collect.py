"""From entries to an AnnotationTable."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
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
from bio_interp.cache import read_record
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
from bio_interp_uniprot._positions import (
    check_accession,
    check_positions,
    is_of,
    last_position,
    structure_stretches,
)

_LOG = logging.getLogger("bio_interp_uniprot")
_OPTIONS = ("kinds", "release")


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
    table = _Table(asked_kinds(options.get("kinds")), options.get("release") or _release(files))
    wanted = None if proteins is None else {p.accession: p.sequence for p in proteins}
    seen: dict[str, Place] = {}
    for entry in (entry for path in files for entry in read_entries(Path(path))):
        check_accession(entry)
        sequence = "" if wanted is None else wanted.get(entry.accession)
        if sequence is None:
            continue
        if entry.accession in seen:
            first = seen[entry.accession]
            table.skip(entry, f"the entry of line {first.line} of {first.file} is kept")
        elif sequence and not is_of(entry, sequence):
            table.skip(entry, "it does not fit the sequence of the given protein")
        else:
            seen[entry.accession] = entry.place
            table.add(entry, entry.length or len(sequence))
    table.report()
    return table.build()


def _release(files: Sequence[Path]) -> str:
    """Name the releases that the files were fetched from; empty for a user's own files."""
    records = (read_record(Path(path)) for path in files)
    return ", ".join(sorted({record.release for record in records if record and record.release}))


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
        check_positions(entry)
        length = length or last_position(entry)
        looked = {concept_kind(kind) for kind in entry.kinds}
        kinds = [kind for kind in self._kinds if kind in looked]
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
