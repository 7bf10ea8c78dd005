"""Give calls their names, precisions and flags."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from jaxtyping import Int
from numpy import ndarray

from bio_interp.atlas._calls import Call
from bio_interp.errors import InputError
from bio_interp.linking import Caller, CallRule, LinkTable, RawCall, look_up
from bio_interp.sequences import Protein
from bio_interp.spans import runs

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

# strongest statement first: what a link may say of a call
TYPES = ("delineator", "locator", "family_marker")
LOW_COMPLEXITY_BITS = 2.2  # SEG's trigger complexity (Wootton & Federhen 1993)


class Pricer:
    """Turns raw calls into calls.

    Parameters
    ----------
    links
        Links, callers and calibration of the atlas.
    folder
        Of the atlas; ``exposure.parquet`` in it holds hashes of the sequences that the SAE, the
        links or the calibration have seen.
    """

    def __init__(self, links: LinkTable, folder: Path) -> None:
        self._links, self._folder = links, folder
        self.rules: Mapping[str, CallRule] = links.rules()
        self.caller = Caller(self.rules, links.sites())

    @cached_property
    def features(self) -> Int[ndarray, "features"]:
        """Features that take part in calls, ascending."""
        return np.unique(self._links.callers["feature"].to_numpy()).astype(np.int64)

    @cached_property
    def _names(self) -> dict[str, str]:
        return dict(self._links.concepts.select("concept", "name").iter_rows())

    @cached_property
    def _types(self) -> dict[str, str]:
        """Strongest link type of F1 0.5 or more on the select fold, else the one of highest F1."""
        rows = self._links.links.select("concept", "link_type", "select_f1").iter_rows()
        scores = {(concept, kind): f1 for concept, kind, f1 in rows}
        return {c: strongest({t: scores.get((c, t), 0.0) for t in TYPES}) for c in self.rules}

    @cached_property
    def _curves(self) -> dict[str, list[tuple[float, float, float, float, int]]]:
        return self._links.curves_by_concept()

    @cached_property
    def _seen(self) -> frozenset[int]:
        path = self._folder / "exposure.parquet"
        try:
            return frozenset(pl.read_parquet(path, glob=False)["sequence_hash"])
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InputError(
                "the hashes of the sequences that an atlas has seen",
                f"{path}: {str(error)[:200]}",
                "Fetch or build the atlas anew.",
            ) from error

    def price(
        self, protein: Protein, raw: Iterable[RawCall], min_precision: float
    ) -> tuple[list[Call], list[Call]]:
        """Price the calls of one protein: those that reach `min_precision`, and the weak ones.

        A group's call gives way to a member's on the same residues, a kind's to its subkind's
        (``uniprot:TRANSMEM`` to ``uniprot:TRANSMEM/Helical``).
        """
        exposure = self.exposure(protein.sequence)
        calls = [self._call(protein, call, exposure, min_precision) for call in raw]
        strong = [c for c in calls if "weak" not in c.flags]
        weak = [c for c in calls if "weak" in c.flags]
        return self._without_told(strong), self._without_told(weak)

    def unlinked(self, protein: Protein, codes: csc_matrix) -> list[Call]:
        """Report every run of the features that take part in no call."""
        exposure, linked = self.exposure(protein.sequence), set(self.features.tolist())
        found: list[Call] = []
        for feature in np.flatnonzero(np.diff(codes.indptr)):
            if feature in linked:
                continue
            stored = slice(codes.indptr[feature], codes.indptr[feature + 1])
            row = np.zeros(len(protein), dtype=codes.dtype)
            row[codes.indices[stored]] = codes.data[stored]
            for start, end in runs(row > 0, max_gap=5):
                peak = float(row[start - 1 : end].max())
                found.append(_bare(protein, int(feature), int(start), int(end), peak, exposure))
        return found

    def _call(self, protein: Protein, raw: RawCall, exposure: str, min_precision: float) -> Call:
        precision, low, high, n = look_up(self._curves[raw.concept], raw.strength)
        flags = ("weak",) if low < min_precision else ()
        if is_low_complexity(protein.sequence[raw.start - 1 : raw.end]):
            flags += ("low_complexity",)
        return Call(
            accession=protein.accession,
            start=raw.start,
            end=raw.end,
            concept=raw.concept,
            name=self._names[raw.concept],
            link_type=self._types[raw.concept],
            features=raw.features,
            peak=raw.peak,
            precision=precision,
            precision_low=low,
            precision_high=high,
            n=n,
            exposure=exposure,
            flags=flags,
            strength=raw.strength,
        )

    @cached_property
    def _tellers(self) -> dict[str, frozenset[str]]:
        """Concepts whose calls say more than a concept's own: members of a group, subkinds."""
        rows = self._links.concepts.select("concept", "members").iter_rows()
        members = {concept: frozenset[str](names or ()) for concept, names in rows}
        for concept in self.rules:
            parent, _, rest = concept.rpartition("/")
            while rest and parent:
                members[parent] = members.get(parent, frozenset[str]()) | {concept}
                parent, _, rest = parent.rpartition("/")
        return {concept: names for concept, names in members.items() if names}

    def _without_told(self, calls: list[Call]) -> list[Call]:
        by_concept: dict[str, list[Call]] = {}
        for call in calls:
            by_concept.setdefault(call.concept, []).append(call)
        return [
            call
            for call in calls
            if not any(
                other.start <= call.end and call.start <= other.end
                for teller in self._tellers.get(call.concept, ())
                for other in by_concept.get(teller, ())
            )
        ]

    def exposure(self, sequence: str) -> str:
        """Tell whether this very sequence was used to make the atlas: seen or not_in_training."""
        seen = sequence_hash(sequence) in self._seen
        return "seen" if seen else "not_in_training"


def strongest(scores: Mapping[str, float]) -> str:
    """Choose the first link type of F1 0.5 or more, else the one of highest F1.

    Examples
    --------
    >>> strongest({"delineator": 0.2, "locator": 0.6, "family_marker": 0.9})
    'locator'
    """
    good = [kind for kind, f1 in scores.items() if f1 >= 0.5]
    return good[0] if good else max(scores, key=lambda kind: scores[kind])


def ranked(calls: list[Call]) -> list[Call]:
    """Order calls by region along the protein, and within a region by precision.

    A region is a chain of calls that overlap.
    """
    regions: list[list[Call]] = []
    end = -1
    for call in sorted(calls, key=lambda c: (c.start, c.end)):
        if call.start > end:
            regions.append([])
        regions[-1].append(call)
        end = max(end, call.end)
    return [c for region in regions for c in sorted(region, key=lambda c: (-c.precision, c.start))]


def is_low_complexity(stretch: str) -> bool:
    """Tell whether a stretch of 12 residues or more has an entropy under 2.2 bits a residue.

    Examples
    --------
    >>> is_low_complexity("QQQQQQPQQQQQQQ"), is_low_complexity("MKVLITGAGSGIG")
    (True, False)
    """
    if len(stretch) < 12:
        return False
    shares = [count / len(stretch) for count in Counter(stretch).values()]
    return -sum(p * log2(p) for p in shares) < LOW_COMPLEXITY_BITS


def sequence_hash(sequence: str) -> int:
    """Hash a sequence to 63 bits (SHA-256, first 8 bytes)."""
    return int.from_bytes(hashlib.sha256(sequence.encode()).digest()[:8], "big") >> 1


def _bare(protein: Protein, feature: int, start: int, end: int, peak: float, exposure: str) -> Call:
    nan = float("nan")
    return Call(
        accession=protein.accession,
        start=start,
        end=end,
        concept=f"feature:{feature}",
        name=f"feature {feature}, no known concept",
        link_type="unlinked",
        features=(feature,),
        peak=peak,
        precision=nan,
        precision_low=nan,
        precision_high=nan,
        n=0,
        exposure=exposure,
        flags=("weak",),
    )
