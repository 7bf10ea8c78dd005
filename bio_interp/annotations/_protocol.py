"""What an annotation source must offer."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from bio_interp.annotations._table import AnnotationTable
from bio_interp.sequences import Protein


@runtime_checkable
class Annotator(Protocol):
    """A plugin that turns files or sequences into annotations (``bio_interp.annotators``)."""

    api_version: int

    def reads(self, path: Path) -> bool:
        """Tell, from its first bytes, whether `path` is a file that this source reads."""
        ...

    def annotate(
        self,
        files: Sequence[Path],
        proteins: Sequence[Protein] | None = None,
        *,
        options: Mapping[str, str] | None = None,
    ) -> AnnotationTable:
        """Read annotations from `files`, or find them in `proteins` with the models in `files`.

        Raises
        ------
        AnnotationError
            A record cannot be read; the message names the file, line and record.
        """
        ...
