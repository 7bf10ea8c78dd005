"""A page with a structure, beside a report of calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bio_interp.atlas import view_results
from bio_interp.errors import MismatchError
from bio_interp.sequences import Protein
from bio_interp.structures import Structure, StructureView, map_structure, open_structure

if TYPE_CHECKING:
    from bio_interp.atlas import Atlas, ProteinResult


class StructurePage:
    """Keeps the results of the proteins that a structure shows, while a report is written.

    Parameters
    ----------
    structure
        As `bio_interp.structures.open_structure` takes it.
    report
        The report; the page is beside it, ``calls.3d.html`` of ``calls.tsv``.

    Raises
    ------
    StructureError, NotFoundError, NotCachedError
        The structure cannot be opened, or the script that draws is not on this machine.
    """

    def __init__(self, structure: Structure | Path | str, report: Path) -> None:
        StructureView(()).html()  # what drawing needs is missed now, and not after hours
        self.path = report.with_name(f"{report.stem}.3d.html")
        self.structure = open_structure(structure)
        self._kept: list[ProteinResult] = []

    def keep(self, results: Iterable[ProteinResult]) -> Iterator[ProteinResult]:
        """Hand results on, and keep those of proteins in the structure."""
        for result in results:
            protein = Protein(result.protein.accession, result.sequence)
            if result.sequence and map_structure(self.structure, [protein]).maps:
                self._kept.append(result)
            yield result

    def write(self, atlas: Atlas) -> list[str]:
        """Write the page, and give what there is to say of it, a line each.

        Raises
        ------
        MismatchError
            The structure shows none of the proteins.
        """
        if not self._kept:
            raise MismatchError(
                f"a protein that {self.structure.name} shows",
                "none in the report, which is written",
                "Give the structure of one of the proteins; `bio-interp view` says how far off "
                "the chains are.",
            )
        view = view_results(self._kept, self.structure, atlas=atlas)
        view.html(self.path)
        return [*view.notes, f"wrote {self.path}"]
