"""The columns of a report: names, meaning, and how values are written as text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from bio_interp import __version__
from bio_interp.errors import NotFoundError

if TYPE_CHECKING:
    from bio_interp.atlas import AtlasInfo, Call, ProteinStatus

CALL_COLUMNS = {
    "accession": "protein, as in the input",
    "start": "first residue that fires, from 1",
    "end": "last residue that fires, inclusive",
    "concept": "what the call predicts, such as pfam:PF00069",
    "name": "the concept in words",
    "link_type": "family_marker, locator or delineator; unlinked for a bare feature",
    "features": "addresses of the SAE features behind the call, strongest first",
    "peak": "largest activation",
    "precision": "share of such calls that were right on calibration clusters",
    "precision_low": "lower end of its 95 % interval",
    "precision_high": "upper end of its 95 % interval",
    "n": "calibration calls behind the precision",
    "exposure": "whether the model or the SAE may have seen such proteins",
    "flags": "weak (lower bound under the one asked for), low_complexity, window_edge (reaches a "
    "seam of the windows that a long protein was read in)",
}
SUMMARY_COLUMNS = {
    "accession": "protein, as in the input",
    "length": "residues",
    "status": "ok, no_known_concept, out_of_domain, too_short or windowed",
    "calls": "number of calls printed",
    "note": "what the status means here",
}


@dataclass(frozen=True, slots=True)
class RunHeader:
    """Where the calls of a report come from.

    Attributes
    ----------
    version
        Of bio_interp.
    atlas, atlas_version, model, licence
        As the atlas says them.
    min_precision
        Calls whose lower bound is smaller were left out, or are flagged ``weak``.
    notes
        More lines for people, such as the calls per 1,000 decoys.
    command
        What was typed; only the HTML page shows it.
    """

    version: str
    atlas: str
    atlas_version: str
    model: str
    licence: str
    min_precision: float
    notes: tuple[str, ...] = ()
    command: str = ""

    def facts(self) -> dict[str, Any]:
        """Say it as values for JSON; see ``annotate.schema.json``."""
        return {
            "bio_interp": self.version,
            "atlas": {
                "name": self.atlas,
                "version": self.atlas_version,
                "model": self.model,
                "licence": self.licence,
            },
            "min_precision": self.min_precision,
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """Say it in lines of text, without a comment sign."""
        first = (
            f"bio_interp {self.version} atlas={self.atlas} atlas_version={self.atlas_version} "
            f"model={self.model} min_precision={self.min_precision:g} licence={self.licence}"
        )
        return [" ".join(line.split()) for line in (first, *self.notes)]


def run_header(info: AtlasInfo, min_precision: float, *, command: str = "") -> RunHeader:
    """Say where the calls of an atlas come from."""
    return RunHeader(
        version=__version__,
        atlas=info.name,
        atlas_version=info.version,
        model=info.model,
        licence=info.licence,
        min_precision=min_precision,
        notes=(*_decoys(info), *info.notes),
        command=command,
    )


def _decoys(info: AtlasInfo) -> list[str]:
    if not info.decoys:
        return []
    rates = ", ".join(f"{kind} {rate:g}" for kind, rate in info.decoys.items())
    return [f"calls per 1,000 decoy proteins at the default precision: {rates}"]


def choose_columns(asked: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """Check the columns asked for; all of them where none are.

    Raises
    ------
    NotFoundError
        A column is not known; the message lists those that are.

    Examples
    --------
    >>> choose_columns(["start", "end"], ["accession", "start", "end"])
    ['start', 'end']
    """
    for column in asked or ():
        if column not in known:
            raise NotFoundError(
                f"columns of {', '.join(known)}", repr(column), "Check the names of --columns."
            )
    return list(asked or known)


def call_values(call: Call, atlas: str) -> dict[str, Any]:
    """Take the values of a call by column; features become addresses such as ``unirep/f12``."""
    values = {column: getattr(call, column) for column in CALL_COLUMNS}
    values["features"] = [f"{atlas}/f{feature}" for feature in call.features]
    values["flags"] = list(call.flags)
    return values


def summary_values(status: ProteinStatus) -> dict[str, Any]:
    """Take the values of a protein's status by column."""
    return {column: getattr(status, column) for column in SUMMARY_COLUMNS}


_FORMATS: dict[str, Callable[[float], str]] = {
    "peak": "{:.4g}".format,
    "precision": "{:.3f}".format,
    "precision_low": "{:.3f}".format,
    "precision_high": "{:.3f}".format,
    "strength": "{:.3f}".format,
}


def as_text(column: str, value: Any) -> str:
    r"""Write one value for a table; lists are joined by commas, nothing is ``-``.

    Tabs and line ends inside a value become spaces, so that a row stays a row.

    Examples
    --------
    >>> as_text("precision", 0.93461), as_text("flags", []), as_text("name", "a\tb")
    ('0.935', '-', 'a b')
    """
    if isinstance(value, (list, tuple)):
        value = ",".join(map(str, cast("list[object]", value)))
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return "-"
    text = _FORMATS[column](value) if column in _FORMATS else str(value)
    return " ".join(text.split())
