"""One reading of proteins through SAEs: the edits that it gives a model."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from torch import Tensor

from bio_interp.errors import MismatchError
from bio_interp.models._edits import Edit, Place
from bio_interp.models._protocol import LanguageModel
from bio_interp.models._rebuild import Rebuild

SpliceKey = str | tuple[str, str]
"""A site; for a transcoder the site it reads and the site it writes."""

Step = Callable[[Tensor, Place], Tensor]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class SiteEdit:
    """A `PlacedEdit` of one site: all that happens there, in order.

    Attributes
    ----------
    steps
        Each takes rows and where they come from.
    index
        Place in the input of the one protein that is read; None where a call reads all of them.
    """

    steps: tuple[Step, ...]
    index: int | None

    def __call__(self, rows: Tensor) -> Tensor:
        """Edit rows of a model that does not say where they come from."""
        return self.at(Place(0, 0, len(rows)))(rows)

    def at(self, place: Place) -> Edit:
        """Give the edit for the rows of one place."""
        if self.index is not None:
            place = replace(place, index=self.index)

        def edit(rows: Tensor) -> Tensor:
            for step in self.steps:
                rows = step(rows, place)
            return rows

        return edit


@dataclass(frozen=True, slots=True)
class SpliceRun:
    """What is spliced into a model, as it was when a reading began.

    Attributes
    ----------
    rebuilds
        What is done at each key.
    seen
        Where the features of a traced protein are put; empty where nothing is traced.
    reads
        Rows that a transcoder has read and not written yet: by protein, then key and offset.
    """

    model: LanguageModel
    rebuilds: Mapping[SpliceKey, Rebuild]
    seen: Mapping[SpliceKey, list[Tensor]]
    reads: dict[int, dict[tuple[SpliceKey, int], Tensor]] = field(default_factory=dict)

    def is_one_by_one(self) -> bool:
        """Tell whether proteins must be read one at a time, to know which of them is edited."""
        if getattr(self.model, "places_edits", False):
            return False
        placed = any(rebuild.is_placed for rebuild in self.rebuilds.values())
        one_by_one = placed or bool(self.seen) or any(isinstance(k, tuple) for k in self.rebuilds)
        if one_by_one and self.model.info.window is not None:
            raise MismatchError(
                "a model that says where the rows of an edit come from",
                f"{self.model.info.name}, which reads in windows and does not",
                "Let it apply edits with edit_rows, and set places_edits.",
            )
        return one_by_one

    def edits(self, index: int | None = None) -> dict[str, Edit]:
        """Give the edit of each site; with `index` for a call that reads that protein alone."""
        steps: dict[str, list[Step]] = {}
        # what is read at a site is what was written there
        for key, rebuild in self.rebuilds.items():
            steps.setdefault(_write_site(key), []).append(self._writing(key, rebuild))
        for key in self.rebuilds:
            if isinstance(key, tuple):
                steps.setdefault(key[0], []).append(self._reading(key))
        return {site: SiteEdit(tuple(each), index) for site, each in steps.items()}

    def forgetting(self, results: Iterator[Result]) -> Iterator[Result]:
        """Let go of what transcoders have read of a protein when it is done."""
        for index, result in enumerate(results):
            self.reads.pop(index, None)
            yield result

    def _reading(self, key: SpliceKey) -> Step:
        def read(rows: Tensor, place: Place) -> Tensor:
            # a copy, since the model may go on in place
            self.reads.setdefault(place.index, {})[key, place.offset] = rows.clone()
            return rows

        return read

    def _writing(self, key: SpliceKey, rebuild: Rebuild) -> Step:
        def write(rows: Tensor, place: Place) -> Tensor:
            read = rows
            if isinstance(key, tuple):
                read = self._taken(key, place)
            return rebuild.rows(read, rows, place, self.seen.get(key))

        return write

    def _taken(self, key: tuple[str, str], place: Place) -> Tensor:
        try:
            return self.reads.get(place.index, {}).pop((key, place.offset))
        except KeyError:
            raise MismatchError(
                "a transcoder to read before it writes",
                f"one that reads {key[0]} and writes {key[1]}, which comes first",
                "Name the pair as (site it reads, site it writes).",
            ) from None


def _write_site(key: SpliceKey) -> str:
    return key[1] if isinstance(key, tuple) else key
