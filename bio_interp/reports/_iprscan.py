"""Write calls as InterProScan 5 writes its matches, so that what reads those reads these."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, TextIO

from bio_interp.errors import InputError
from bio_interp.reports._columns import as_text
from bio_interp.reports._xrefs import CrossReference

if TYPE_CHECKING:
    from bio_interp.atlas import Call, ProteinResult

ANALYSIS = "BioInterp"


class IprscanWriter:
    """Tab-separated matches in the 15 columns of InterProScan 5, with no header.

    Accession, MD5 of the sequence, length, analysis, signature (the concept), its description,
    start, end, score (``-``: a precision is no E-value), status (``T``), date of the run,
    InterPro accession, its description, GO terms, pathways (``-``). The format has no room for
    precisions, flags, or the licence of the atlas.

    Parameters
    ----------
    xrefs
        Cross-references by concept, for the InterPro and GO columns; None leaves these ``-``.
    today
        Date of the run; None is today.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        xrefs: Mapping[str, CrossReference] | None = None,
        today: date | None = None,
    ) -> None:
        self.stream, self.xrefs = stream, xrefs or {}
        self.today = (today or date.today()).strftime("%d-%m-%Y")

    def begin(self) -> None:
        """Write nothing: the format has neither comments nor column names."""

    def write(self, result: ProteinResult) -> None:
        """Write the matches of one protein."""
        if not result.calls:
            return
        protein = result.protein
        if len(result.sequence) != protein.length:
            raise InputError(
                "results with their sequences, whose MD5 InterProScan TSV gives",
                f"{protein.accession} without",
                "Annotate with an atlas, or fill ProteinResult.sequence.",
            )
        digest = hashlib.md5(result.sequence.encode(), usedforsecurity=False).hexdigest()
        first = (protein.accession, digest, protein.length)
        for call in result.calls:
            row = (*first, *self._match(call))
            self.stream.write("\t".join(as_text("", value) for value in row) + "\n")

    def end(self, *, complete: bool) -> None:
        """Write nothing: a table has no end mark."""

    def _match(self, call: Call) -> tuple[str | int, ...]:
        known = self.xrefs.get(call.concept, CrossReference())
        return (
            *(ANALYSIS, call.concept, call.name, call.start, call.end),
            *("-", "T", self.today),
            *(known.interpro, known.description, "|".join(known.go), "-"),
        )
