"""The door of the annotator: what `bio_interp.annotations.Annotator` asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bio_interp.annotations import AnnotationTable
    from bio_interp.sequences import Protein


class StructureAnnotator:
    """Read concepts off structures of proteins.

    - ``dssp:helix`` and ``dssp:strand``, or ``psea:...`` where P-SEA assigned them;
      ``structure:buried``, ``structure:exposed``, ``structure:disulfide``; what is near:
      ``structure:ligand`` and ``structure:ligand/HEM``, ``structure:metal`` and
      ``structure:metal/ZN``, ``structure:nucleic``, ``structure:interface``; ``structure:site`` and
      ``structure:near_site``; ``structure:plddt/very_high`` and the other bands.
    - Only residues that a structure shows, and that belong to a protein by `map_structure`, are
      covered; all others are unknown. What is near is looked for only in structures that have such
      a partner, and is open world: a partner that is not in the file is no evidence. The rest is
      closed world.
    - Where chains or structures show one residue, most decide on its state (secondary structure,
      accessibility, pLDDT; a draw is unknown), and one is enough for a partner, site or disulfide.
    - Of predictions, residues of low pLDDT say nothing but their pLDDT.
    - ``evidence`` is ECO:0007829 for experiments, ECO:0008006 for predictions. A further column,
      ``structures``, names those that bear a row out.
    """

    api_version: int = 1

    def reads(self, path: Path) -> bool:
        """Tell, from its first bytes, whether `path` is PDB, mmCIF or BinaryCIF."""
        from bio_interp.structures import is_structure

        return is_structure(path)

    def annotate(
        self,
        files: Sequence[Path],
        proteins: Sequence[Protein] | None = None,
        *,
        options: Mapping[str, str] | None = None,
    ) -> AnnotationTable:
        """Read the structures in `files` and put what they show onto `proteins`.

        Parameters
        ----------
        files
            PDB, mmCIF or BinaryCIF, plain, gzip or zstd.
        proteins
            What chains are mapped to; chains that are none of them are logged. Where not given,
            each chain is a protein of its own: accession ``4HHB_A``, positions in the sequence of
            its entity.
        options
            ``secondary`` (``auto``, ``dssp``, ``psea``, ``none``), see
            `bio_interp.structures.secondary_structure`; ``buried``: relative accessibility below
            which a residue is buried (default 0.25); ``ligand``, ``metal``, ``nucleic``,
            ``interface``, ``site``: angstrom within which these are near (5, but 3 for metals);
            ``plddt``: below which a prediction says nothing (default 70).

        Raises
        ------
        AnnotationError
            There is no file, or an option is unknown or no number.
        StructureError
            A file cannot be read; the message names it.
        MissingExtraError
            Biotite, or the program that ``secondary`` names, is not installed.
        """
        from bio_interp_structures._collect import collect

        return collect(files, proteins, options or {})
