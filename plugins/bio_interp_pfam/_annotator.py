"""The plugin's door: what `bio_interp.annotations.Annotator` asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bio_interp.annotations import AnnotationTable
    from bio_interp.sequences import Protein


class PfamAnnotator:
    """Find Pfam families, or any HMMER3 profiles, in proteins; or read hits found before.

    - Every scanned protein is covered over its whole length, in the closed world: the truth is
      "agreement with these profiles at their gathering thresholds". A profile without gathering
      cutoffs takes hits up to an E-value of 1e-3, which is logged.
    - ``start`` and ``end`` are the alignment; ``env_start``, ``env_end``, ``bits`` and
      ``i_evalue`` are further columns.
    - Overlapping hits are resolved and families that hit the same places are grouped, see
      `pfam_table`.
    """

    api_version: int = 1
    resumable: bool = True  # takes the option `folder`

    def reads(self, path: Path) -> bool:
        """Tell whether `path` holds HMMER3 profiles, a table of hits, or a folder of a scan."""
        from bio_interp_pfam._sources import is_pfam

        return is_pfam(path)

    def annotate(
        self,
        files: Sequence[Path],
        proteins: Sequence[Protein] | None = None,
        *,
        options: Mapping[str, str] | None = None,
    ) -> AnnotationTable:
        """Scan `proteins` with profiles, or read tables of hits in them.

        Parameters
        ----------
        files
            HMMER3 profiles (``.hmm``, ``.h3m``, also ``.gz``) to scan with; or tables of hits: TSV
            with the columns of `HITS`, HMMER's ``--domtblout``, or a folder of `scan_to_table`;
            beside tables, lists of the accessions that were scanned, one a line, and profiles to
            scan the others with; beside any,
            InterPro's names as for `pfam_names`. Told by content.
        proteins
            The proteins to scan. With tables of hits: the proteins to annotate, which must be the
            sequences that were scanned. Without a list, all of them count as scanned. Only a
            folder of a scan does without `proteins`.
        options
            ``evalue`` (default 1e-3) for profiles without gathering cutoffs, ``threads`` (default
            0, all cores), ``kind`` (default ``pfam``): prefix of concepts, another one for
            profiles of your own, ``folder``: where finished blocks of a scan are kept, so that it
            goes on after an interruption.

        Raises
        ------
        AnnotationError
            A file or line cannot be read, or proteins are needed and absent.
        MissingExtraError
            pyhmmer is needed and not installed.
        """
        from bio_interp_pfam._sources import annotate

        return annotate(files, proteins, options or {})
