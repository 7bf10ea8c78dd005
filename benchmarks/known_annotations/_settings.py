"""What the parts of this benchmark share: sizes, folders, and the models asked."""

import hashlib
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from _harness import ROOT, SHARED

SPLIT = ROOT / "examples/unirep/split.tsv.gz"
LONGEST = 1022  # residues; as in the atlases
_log = logging.getLogger("known_annotations")


@dataclass(frozen=True)
class ModelSizes:
    """Sizes for one model.

    Attributes
    ----------
    residues
        Of select, and again of test, that are drawn of each set at most.
    twin_residues, twin_rows
        Residues of fit proteins that the twin reads, and rows that its SAE is trained on.
    """

    residues: int
    twin_residues: int
    twin_rows: int


FULL = {
    "reference": ModelSizes(250_000, 1_000_000, 1_500_000),
    "unirep": ModelSizes(60_000, 350_000, 500_000),
}
QUICK = {
    "reference": ModelSizes(9_000, 8_000, 16_000),
    "unirep": ModelSizes(3_000, 2_000, 4_000),
}


@dataclass(frozen=True)
class Settings:
    """How a run is made.

    Attributes
    ----------
    work
        Folder where everything that takes long is kept, and found again.
    models
        Atlases whose SAEs are measured: ``reference``, ``unirep``.
    sets
        Names of the sets of labelled proteins; all of them where empty.
    quick
        Smaller work with the same code.
    finished
        Take what is finished in `work`, and measure nothing more.
    null
        Permutations of each claim.
    pool
        Proteins of a set that are searched for relatives at most.
    searched
        Share of the frozen split's sequences that they are searched in.
    """

    work: Path
    models: tuple[str, ...] = ("reference", "unirep")
    sets: tuple[str, ...] = ()
    quick: bool = False
    finished: bool = False
    null: int = 199
    pool: int = 6000
    searched: float = 1.0
    seed: int = 0
    shared: Path = field(default=SHARED)

    def sizes(self, model: str) -> ModelSizes:
        """Give the sizes for a model."""
        return (QUICK if self.quick else FULL)[model]


def drawn_at(text: str) -> str:
    """Give the hash that sorts what is drawn: no order of a file decides."""
    return hashlib.sha256(f"known annotations 1:{text}".encode()).hexdigest()


@contextmanager
def stage(name: str, seconds: dict[str, float]) -> Iterator[None]:
    """Log a stage, and note what it took."""
    _log.info("%s ...", name)
    start = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - start, 1)
    _log.info("%s: %.1f s", name, seconds[name])
