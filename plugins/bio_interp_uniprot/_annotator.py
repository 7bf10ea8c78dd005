"""The plugin's door: what `bio_interp.annotations.Annotator` asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bio_interp.annotations import AnnotationTable
    from bio_interp.cache import DataSet, Progress
    from bio_interp.sequences import Protein


class UniProtAnnotator:
    """Read the feature tables of UniProtKB.

    - CHAIN, PEPTIDE, CONFLICT, VARIANT, VAR_SEQ, MUTAGEN, UNSURE, NON_TER, NON_CONS, NON_STD and
      INIT_MET are no concepts unless ``kinds`` asks. METAL, NP_BIND and CA_BIND are BINDING, with
      the ligand's name of today (``Zinc`` is ``Zn(2+)``).
    - A disulfide bond or cross-link of two positions is two rows of one residue with one ``pair``
      number, not a range. The row of a sub-concept has a ``pair`` number of its own.
    - ``<1`` and ``>35`` (the feature goes on beyond this fragment) are kept at that residue, and so
      is an unsure ``?12``. A feature with an unknown end (``?``) is left out; the residues that it
      may cover are ``"unknown"`` in the coverage. So are features of other isoforms left out.
      Each is logged at level INFO and their number at WARNING.
    - ``evidence`` is the strongest ECO code of the feature.
    - A kind was looked for in all of a protein, in the open world (absence is weak evidence), but
      HELIX, STRAND and TURN only where the protein has any of them, over gaps of up to 20 residues,
      in the closed world.
    - Where a file gives neither sequence nor length, the last residue of any feature (or of
      ``proteins``) ends the coverage. Tables cover the kinds of their columns (TSV) or rows (CSV).
    - Of entries with one accession the first is kept, the others are logged.
    """

    api_version: int = 1

    def reads(self, path: Path) -> bool:
        """Tell, from its first bytes, whether `path` is a file of UniProtKB or a feature table."""
        from bio_interp_uniprot._files import is_uniprot

        return is_uniprot(path)

    def annotate(
        self,
        files: Sequence[Path],
        proteins: Sequence[Protein] | None = None,
        *,
        options: Mapping[str, str] | None = None,
    ) -> AnnotationTable:
        """Read annotations from `files`, of all proteins in them or only of `proteins`.

        Parameters
        ----------
        files
            Flat, XML, REST JSON, GFF3, TSV (feature columns) or CSV (``protein_id, feature, start,
            end``) files; plain, gzip or zstd; told by content.
        proteins
            Keep these accessions only. An entry whose sequence in the file is another one is left
            out and logged.
        options
            ``kinds``: ``all`` or a comma list of kinds (``DOMAIN,BINDING``); ``release``: the
            UniProt release to note for each concept, where not that which the files were fetched
            from.

        Raises
        ------
        AnnotationError
            A file or record cannot be read, or a position lies outside of its sequence; the message
            names the file, line and record.
        """
        from bio_interp_uniprot._collect import collect

        return collect(files, proteins, options or {})

    def data_sets(self) -> Sequence[DataSet]:
        """List what `get_data` fetches: queries, all of Swiss-Prot, InterPro's names."""
        from bio_interp_uniprot import _data

        return _data.data_sets()

    def data_path(self, name: str) -> Path:
        """Give the place in the cache of a data set."""
        from bio_interp_uniprot import _data

        return _data.data_path(name)

    def get_data(
        self, name: str, *, offline: bool = False, progress: Progress | None = None
    ) -> Path:
        """Fetch a data set, such as ``uniprot:gene:BRCA2``, unless it is here.

        Raises
        ------
        NotFoundError
            No entry fits the query.
        NotCachedError
            It is not here and may not, or could not, be fetched whole.
        """
        from bio_interp_uniprot import _data

        return _data.get_data(name, offline=offline, progress=progress)
