"""What an atlas says of a protein."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

Status = Literal["ok", "no_known_concept", "out_of_domain", "too_short", "windowed"]


@dataclass(frozen=True, slots=True)
class Call:
    """One annotation of a protein.

    Attributes
    ----------
    accession
        The protein.
    start, end
        The firing residues, 1-based and inclusive. They are evidence, not a predicted extent.
    concept, name
        What is called: an id such as ``pfam:PF00069``, and its name. ``feature:12`` is a feature
        without a link (only with ``all_features``).
    link_type
        ``family_marker``, ``locator`` or ``delineator``; ``unlinked`` for a bare feature.
    features
        Features behind the call, the strongest first.
    peak
        Largest activation of the strongest feature.
    precision, precision_low, precision_high
        Share of such calls that were right on homology clusters kept for calibration, and its
        95 % interval. NaN for a bare feature.
    n
        Calibration calls of this concept and strength behind the precision; 0 means that it
        rests on the other concepts of its class alone.
    exposure
        Whether the SAE, links or calibration have seen this very sequence; see the model card
        for what the language model has seen.
    flags
        ``weak`` (lower bound below the one asked for), ``low_complexity``.
    """

    accession: str
    start: int
    end: int
    concept: str
    name: str
    link_type: str
    features: tuple[int, ...]
    peak: float
    precision: float
    precision_low: float
    precision_high: float
    n: int
    exposure: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProteinStatus:
    """How a protein fared.

    Attributes
    ----------
    status
        ``ok``; ``no_known_concept`` (nothing to report at the precision asked for);
        ``out_of_domain`` (the SAE rebuilds its activations worse than 99 % of the calibration
        proteins: read its calls with care); ``too_short`` (not read); ``windowed`` (read in
        overlapping windows).
    """

    accession: str
    length: int
    status: Status
    calls: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class ProteinResult:
    """A protein's status and calls, the calls by region and then by precision."""

    protein: ProteinStatus
    calls: tuple[Call, ...]


class Annotations(Iterator[ProteinResult]):
    """Results of proteins as they come, in input order; read once."""

    def __init__(self, results: Iterable[ProteinResult]) -> None:
        self._results = iter(results)

    def __next__(self) -> ProteinResult:
        return next(self._results)

    def frame(self) -> pl.DataFrame:
        """Read what is left and return the calls as a table, one row a call."""
        import polars as pl

        rows = [[getattr(c, f.name) for f in fields(Call)] for r in self for c in r.calls]
        text, whole, real = pl.String, pl.Int64, pl.Float64
        schema = {
            f.name: {"str": text, "int": whole, "float": real}.get(str(f.type), pl.List(text))
            for f in fields(Call)
        }
        schema["features"] = pl.List(pl.Int64)
        for row in rows:
            row[6], row[13] = list(row[6]), list(row[13])
        return pl.DataFrame(rows, schema=schema, orient="row")
