"""What a data set is, and what a plugin offers that can fetch some."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from bio_interp.cache._web import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """One named data set: how much it is, and who owns it.

    Attributes
    ----------
    name
        What ``bio-interp data get`` calls it. A name such as ``uniprot:QUERY`` stands for many:
        what follows the colon is the user's.
    megabytes
        Size of the download; None where it is not known before.
    """

    name: str
    megabytes: int | None
    licence: str
    citation: str

    def covers(self, name: str) -> bool:
        """Tell whether `name` is this data set, or one of those that it stands for.

        Examples
        --------
        >>> found = DataSet(name="uniprot:QUERY", megabytes=None, licence="", citation="")
        >>> found.covers("uniprot:gene:BRCA2"), found.covers("uniprot:"), found.covers("unirep")
        (True, False, False)
        """
        head, colon, _ = self.name.partition(":")
        if not colon:
            return name == head
        return name.startswith(f"{head}:") and bool(name.removeprefix(f"{head}:").strip())


@runtime_checkable
class DataSource(Protocol):
    """What a plugin of any kind may offer besides: data sets that it knows how to fetch.

    A plugin object that has these three methods is asked by ``bio-interp data list`` and ``get``.
    """

    def data_sets(self) -> Sequence[DataSet]:
        """List them."""
        ...

    def data_path(self, name: str) -> Path:
        """Give the place where a data set lies, or would lie once it is fetched."""
        ...

    def get_data(
        self, name: str, *, offline: bool = False, progress: Progress | None = None
    ) -> Path:
        """Fetch a data set, unless it is here, and give its place."""
        ...
