"""One suggestion, and the table of many for a curator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from bio_interp.atlas import Call

SUGGESTIONS: dict[str, Any] = {
    "rank": pl.Int64,
    "accession": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "concept": pl.String,
    "name": pl.String,
    "precision": pl.Float64,
    "precision_low": pl.Float64,
    "precision_high": pl.Float64,
    "n": pl.Int64,
    "strength": pl.Float64,
    "link_type": pl.String,
    "features": pl.List(pl.String),
    "peak": pl.Float64,
    "nearest": pl.String,
    "nearest_distance": pl.Int64,
    "overlapping": pl.List(pl.String),
    "evidence_elsewhere": pl.String,
    "examples": pl.List(pl.String),
    "exposure": pl.String,
    "flags": pl.List(pl.String),
    "protein_name": pl.String,
}
"""Columns of a table of suggestions, with their types; see `Suggestion` for the meanings."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A call where the database is silent, with what a curator wants beside it.

    Attributes
    ----------
    call
        The call; its ``flags`` may also be ``open_world`` (the database never claims to list all of
        these) and ``out_of_domain`` (the SAE rebuilds this protein badly).
    features
        Addresses of the features behind it, the strongest first.
    nearest, nearest_distance
        The nearest annotation of the same kind in the protein, ``concept:start-end``, and how many
        residues away (1: next to it); empty and None where it has none.
    overlapping
        Annotations of other concepts on these residues, at most 8, those that share most first.
    evidence_elsewhere
        Strongest level of evidence (`bio_interp.annotations.EVIDENCE_LEVELS`) with which the
        protein bears the concept elsewhere; empty where it does not.
    examples
        Where the features fire most and the concept is known: ``accession:position``.
    protein_name
        What the header of the protein says behind its accession.
    """

    call: Call
    features: tuple[str, ...]
    nearest: str
    nearest_distance: int | None
    overlapping: tuple[str, ...]
    evidence_elsewhere: str
    examples: tuple[str, ...]
    protein_name: str

    def to_dict(self) -> dict[str, Any]:
        """Give the values of `SUGGESTIONS`, but for the rank."""
        call = self.call
        own = ("nearest", "nearest_distance", "evidence_elsewhere", "protein_name")
        lists = ("features", "overlapping", "examples")
        values = {c: getattr(call, c) for c in SUGGESTIONS if hasattr(call, c)}
        values |= {c: getattr(self, c) for c in own}
        values |= {c: list(getattr(self, c)) for c in lists}
        return values | {"flags": list(call.flags)}


def ranked_table(suggestions: Iterable[Suggestion]) -> pl.DataFrame:
    """Rank suggestions: by the lower bound of precision, then by precision, then by strength.

    Strength ranks the calls of one concept; over concepts it only breaks ties. What is still equal
    goes by peak and by place, so that the order depends on nothing else.
    """
    rows = [s.to_dict() for s in suggestions]
    schema = {name: kind for name, kind in SUGGESTIONS.items() if name != "rank"}
    keys = ("precision_low", "precision", "strength", "peak", "accession", "start", "concept")
    return (
        pl.DataFrame(rows, schema=schema)
        .sort(keys, descending=[True] * 4 + [False] * 3)
        .with_row_index("rank", offset=1)
        .select(pl.col(name).cast(kind) for name, kind in SUGGESTIONS.items())
    )
