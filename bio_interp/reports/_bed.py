"""Write calls as BED9: the one format here whose positions are 0-based and half-open."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, TextIO

from bio_interp.render import concept_color, rgb
from bio_interp.reports._columns import RunHeader

if TYPE_CHECKING:
    from bio_interp.atlas import Call, ProteinResult


class BedWriter:
    """BED9, sorted within each protein; ``#`` lines first.

    ``name`` is the concept, ``score`` its precision in thousandths (0 where it has none), the
    colour that of the concept in every report. Nine columns and not more: readers take a tenth for
    a number of blocks. Specification: GA4GH BED 1.0.
    """

    def __init__(self, stream: TextIO, header: RunHeader) -> None:
        self.stream, self.header = stream, header

    def begin(self) -> None:
        """Write where the calls come from; a track line would make it no BED file."""
        for line in self.header.lines():
            self.stream.write(f"# {line}\n")

    def write(self, result: ProteinResult) -> None:
        """Write the calls of one protein."""
        chrom = _chrom(result.protein.accession)
        for call in sorted(result.calls, key=lambda c: (c.start, c.end)):
            self.stream.write("\t".join((chrom, *_fields(call))) + "\n")

    def end(self, *, complete: bool) -> None:
        """Write nothing: BED has no end mark."""


def _fields(call: Call) -> list[str]:
    start, end = str(call.start - 1), str(call.end)  # half-open: the end stays
    score = 0 if math.isnan(call.precision) else round(1000 * call.precision)
    color = ",".join(map(str, rgb(concept_color(call.concept))))
    return [start, end, _word(call.concept), str(score), ".", start, end, color]


def _word(text: str) -> str:
    """Escape what is not printable ASCII, or splits columns for readers that split at spaces.

    Examples
    --------
    >>> _word("uniprot:DOMAIN/Protein kinase")
    'uniprot:DOMAIN/Protein%20kinase'
    """
    return re.sub(r"[^!-$&-~]", _percent, text) or "."


def _chrom(accession: str) -> str:
    """Escape an accession; also its first letter where the line would read as a header.

    Examples
    --------
    >>> _chrom("P12345-2"), _chrom("track7"), _chrom("#1")
    ('P12345-2', '%74rack7', '%231')
    """
    word = _word(accession)
    if re.match(r"#|track|browser", word, flags=re.IGNORECASE):
        return f"%{ord(word[0]):02X}{word[1:]}"
    return word


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace"))
