"""Make the bad files that the program is given: 500 and more, the same for the same seed.

``python benchmarks/bad_input/make_corpus.py FOLDER [SEED]`` writes them to look at. A new kind of
file is a function that adds cases to a `Maker`, in a module whose ``MAKERS`` are listed here.
"""

import random
import sys
from pathlib import Path

import _annotations
import _folders
import _proteins
import _uniprot
from _atlas import make_atlas
from _cases import Case, Maker

MAKERS = [*_proteins.MAKERS, *_uniprot.MAKERS, *_annotations.MAKERS, *_folders.MAKERS]


def make_corpus(folder: Path, seed: int = 0, *, share: float = 1.0) -> list[Case]:
    """Write the files and list the cases; `share` takes an even part of each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    maker = Maker(folder, make_atlas(folder / "good"), random.Random(seed))
    for make, count in MAKERS:
        make(maker, count)
    if share >= 1:
        return maker.cases
    step = round(1 / share)
    return [case for number, case in enumerate(maker.cases) if number % step == seed % step]


if __name__ == "__main__":
    made = make_corpus(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    print(f"{len(made)} cases in {sys.argv[1]}")
