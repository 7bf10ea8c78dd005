"""What a database says of a protein, and whether it is silent where a call is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from bio_interp.annotations import (
    AnnotationTable,
    evidence_level,
    strongest_evidence,
)
from bio_interp.atlas import Call
from bio_interp.discovery._tellers import tellers
from bio_interp.errors import printable

Verdict = Literal["silent", "annotated", "not_looked", "unknown"]
"""What a database says where a call is.

``annotated``: the same or more. ``not_looked``: nobody looked for this kind on half of the call or
more. ``unknown``: half or more is masked for the concept or its kind. Else ``silent``.
"""
SHOWN = 8  # overlapping annotations of other concepts


@dataclass(frozen=True, slots=True)
class Known:
    """One annotation of a protein; `evidence` is an ECO code or ``""``."""

    start: int
    end: int
    concept: str
    evidence: str

    @property
    def text(self) -> str:
        """``concept:start-end``, harmless on a terminal."""
        concept = " ".join(printable(self.concept).split())
        return f"{concept}:{self.start}-{self.end}"

    def distance(self, call: Call) -> int:
        """Count the residues from here to a call: 1 next to it, 0 where they share one."""
        return max(0, self.start - call.end, call.start - self.end)

    def shared(self, call: Call) -> int:
        """Count the residues that lie in both."""
        return max(0, min(self.end, call.end) - max(self.start, call.start) + 1)


class Knowledge:
    """The annotations of a table, protein by protein.

    Parameters
    ----------
    table
        Annotations and coverage.
    concepts
        The concepts of the atlas whose calls are judged.
    margin
        A span call this close to an annotation that says the same is an echo of it: the model
        fires late or early. Sites have no margin.
    """

    def __init__(self, table: AnnotationTable, concepts: pl.DataFrame, margin: int) -> None:
        self._margin = margin
        self._rows = _ByProtein(
            table.rows.select("accession", "start", "end", "concept", "evidence")
        )
        self._coverage = _ByProtein(
            table.coverage.select("accession", "start", "end", "kind", "state")
        )
        self._kind = dict(table.concepts.select("concept", "kind").iter_rows())
        self._kind |= dict(concepts.select("concept", "kind").iter_rows())
        self._sites = frozenset(concepts.filter(pl.col("level") == "residue")["concept"])
        self._open = frozenset(concepts.filter(pl.col("world") == "open")["concept"])
        self._tellers = tellers(concepts, table)
        self.looked_kinds = frozenset(
            table.coverage.filter(pl.col("state") == "looked")["kind"].unique()
        )

    def __contains__(self, accession: str) -> bool:
        return accession in self._coverage or accession in self._rows

    def some_accession(self) -> str:
        """Name a protein of the table; empty where it has none."""
        return next(iter(self._coverage), "") or next(iter(self._rows), "")

    def last_residue(self, accession: str) -> int:
        """Find the last residue that the table speaks of."""
        spans = [*self._rows[accession], *self._coverage[accession]]
        return max((end for _, end, *_ in spans), default=0)

    def of(self, accession: str) -> list[Known]:
        """List the annotations of a protein."""
        return [
            Known(start, end, concept, evidence or "")
            for start, end, concept, evidence in self._rows[accession]
        ]

    def kind(self, concept: str) -> str:
        """Look up the kind of a concept; the concept itself where nobody says."""
        return self._kind.get(concept) or concept

    def is_open(self, concept: str) -> bool:
        """Tell whether absence of an annotation is weak evidence for this concept."""
        return concept in self._open

    def related(self, concept: str) -> frozenset[str]:
        """List the concepts whose annotation says what a call of `concept` would, or more."""
        return self._tellers[concept]

    def verdict(self, call: Call, known: list[Known]) -> Verdict:
        """Judge what the database says where a call is; `known` is what `of` gave."""
        margin = 0 if call.concept in self._sites else self._margin
        close = (k for k in known if k.distance(call) <= margin)
        if any(k.concept in self._tellers[call.concept] for k in close):
            return "annotated"
        kinds = {self.kind(call.concept)}
        length = call.end - call.start + 1
        if self._covered(call, kinds, "looked") <= length / 2:
            return "not_looked"
        masked = self._covered(call, kinds | self._tellers[call.concept], "unknown")
        return "unknown" if masked >= length / 2 else "silent"

    def nearest(self, call: Call, known: list[Known]) -> Known | None:
        """Find the nearest annotation of the call's kind, the most specific of those in a place."""
        kind = self.kind(call.concept)
        same = [k for k in known if self.kind(k.concept) == kind]
        return min(same, key=lambda k: (k.distance(call), -len(k.concept)), default=None)

    def overlapping(self, call: Call, known: list[Known]) -> list[Known]:
        """List annotations that share residues with a call: those that share most, `SHOWN` at most.

        An annotation of a kind is left out where one of its subkinds has the same place.
        """
        there = [k for k in known if k.shared(call)]
        places = {(k.start, k.end, k.concept) for k in there}
        told = {
            (start, end, concept.rpartition("/")[0])
            for start, end, concept in places
            if "/" in concept
        }
        kept = {(k.start, k.end, k.concept): k for k in there}
        own = [k for place, k in kept.items() if place not in told]
        return sorted(own, key=lambda k: (-k.shared(call), k.start, k.concept))[:SHOWN]

    def evidence(self, call: Call, known: list[Known]) -> str:
        """Give the strongest level of evidence for the concept elsewhere in the protein.

        Empty where the protein has it nowhere.
        """
        codes = [k.evidence for k in known if k.concept in self._tellers[call.concept]]
        return evidence_level(strongest_evidence(codes)) if codes else ""

    def _covered(self, call: Call, kinds: set[str] | frozenset[str], state: str) -> int:
        """Count the residues of a call that coverage rows of a state and some kinds hold."""
        on = np.zeros(call.end - call.start + 1, dtype=bool)
        for start, end, kind, known_state in self._coverage[call.accession]:
            if known_state == state and kind in kinds:
                on[max(0, start - call.start) : max(0, end - call.start + 1)] = True
        return int(on.sum())


class _ByProtein:
    """Rows of a frame by their column ``accession``; the other columns come as tuples."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame.sort("accession", "start", "end")
        counts = Counter[str](dict(frame["accession"].value_counts().iter_rows()))
        self._place: dict[str, tuple[int, int]] = {}
        first = 0
        for accession in sorted(counts):
            self._place[accession] = first, counts[accession]
            first += counts[accession]

    def __contains__(self, accession: str) -> bool:
        return accession in self._place

    def __iter__(self) -> Iterator[str]:
        return iter(self._place)

    def __getitem__(self, accession: str) -> list[tuple[Any, ...]]:
        first, count = self._place.get(accession, (0, 0))
        return self._frame.slice(first, count).drop("accession").rows()
