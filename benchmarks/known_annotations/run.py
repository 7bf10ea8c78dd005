"""SAE features against known annotations, with every baseline beside them.

Each model (the reference model, UniRep-1900) reads proteins with known secondary structure,
membrane topology, conservation, cleavage sites, disorder, accessibility and curated UniProt
features, and UniRep-1900 proteins of Pfam families, in clusters that its SAE was not trained on.
Features and thresholds are chosen on select and reported on test, once. Beside the SAE of the atlas
stand the neurons, principal components, random directions, words of letters, permuted labels, and
the SAE of the twin: the same network with each weight tensor permuted within itself.
"""

import argparse
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from _harness import finish, record
from _pfam import pfam
from _residue_sets import load_model, residue_sets
from _sets import SETS
from _settings import FULL, Settings, stage
from _twin import twin

from bio_interp.errors import NotCachedError
from bio_interp.provenance import write_json
from bio_interp.sequences import find_mmseqs

PARTS: dict[str, Callable[[Settings], dict[str, Any]]] = {
    "pfam": pfam,
    "residue_sets": residue_sets,
    "twin": twin,
}
PACKAGES = ("bio-interp", "torch", "numpy", "polars", "scikit-learn")


def main() -> None:
    options = asked()
    torch.set_num_threads(options.threads)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("known_annotations").setLevel(logging.INFO)
    logging.getLogger("bio_interp.benchmarking").setLevel(logging.INFO)
    with tempfile.TemporaryDirectory(prefix="known_annotations_") as folder:
        settings, missing = with_what_is_here(settings_of(options, options.work or Path(folder)))
        done = {"settings": said(settings), "missing": missing}
        if settings.models:
            keep_apart(settings)
            done |= run(settings, options.parts)
    result = record("known_annotations", options, done, packages=PACKAGES)
    # where the work is kept is the reader's own affair
    result["command"] = result["command"].replace(str(options.work), "FOLDER")
    finish(result, options)


def run(settings: Settings, parts: Sequence[str]) -> dict[str, Any]:
    """Run parts one after the other; what each took is beside them."""
    seconds, figures = dict[str, float](), dict[str, Any]()
    for name in parts:
        with stage(name, seconds):
            figures[name] = PARTS[name](settings)
    return {"seconds": seconds, **figures}


def said(settings: Settings) -> dict[str, Any]:
    """Say how the run was made."""
    return {
        "models": list(settings.models),
        "sets": list(settings.sets or SETS),
        "sizes": {m: vars(settings.sizes(m)) for m in settings.models},
        **{key: getattr(settings, key) for key in ("null", "pool", "searched", "seed")},
    }


def with_what_is_here(settings: Settings) -> tuple[Settings, list[str]]:
    """Leave out models without weights, and all where the data or MMseqs2 are absent."""
    missing = list[str]()
    if not (settings.shared / "flip_secondary_structure").is_dir():
        missing.append("the labelled sets (BIO_INTERP_SHARED_DATA)")
    if not find_mmseqs():
        missing.append("MMseqs2")
    here = list[str]()
    for name in () if missing else settings.models:
        try:
            load_model(name)
            here.append(name)
        except NotCachedError as error:
            missing.append(f"{name}: {error}")
    return replace(settings, models=tuple(here)), missing


def keep_apart(settings: Settings) -> None:
    """Refuse a work folder of other sizes: what is finished there would be taken for ours."""
    sizes = {m: vars(settings.sizes(m)) for m in FULL}
    own = {"sizes": sizes, "null": settings.null, "pool": settings.pool, "seed": settings.seed}
    settings.work.mkdir(parents=True, exist_ok=True)
    path = settings.work / "settings.json"
    if not path.is_file():
        write_json(path, own)
    elif json.loads(path.read_text()) != own:
        raise SystemExit(f"{settings.work} is of a run of other sizes: name another --work")


def asked(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the options of all benchmarks, and those of this one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="same code, smaller work")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help="keep finished work here, and go on from it")
    parser.add_argument("--finished", action="store_true", help="take what --work has, no more")
    parser.add_argument("--models", type=names(FULL), help="reference,unirep")
    parser.add_argument("--parts", type=names(PARTS), default=tuple(PARTS), help=",".join(PARTS))
    parser.add_argument("--sets", type=names(SETS), default=(), help=",".join(SETS))
    return parser.parse_args(argv)


def names(known: dict[str, Any]) -> Callable[[str], tuple[str, ...]]:
    """Make a reader of known names with commas between them."""

    def read(text: str) -> tuple[str, ...]:
        found = tuple(text.split(","))
        if wrong := [name for name in found if name not in known]:
            raise argparse.ArgumentTypeError(f"{wrong[0]!r} is none of {', '.join(known)}")
        return found

    return read


def settings_of(options: argparse.Namespace, work: Path) -> Settings:
    """Take the sizes of a whole run or of a quick one."""
    small = {"null": 19, "pool": 60, "searched": 0.02}
    quick = {"sets": options.sets or ("disorder", "membrane"), **small}
    models = options.models or (("reference",) if options.quick else tuple(FULL))
    chosen = quick if options.quick else {"sets": options.sets}
    plain = {"quick": options.quick, "seed": options.seed, "finished": options.finished}
    return Settings(work, models, **plain, **chosen)


if __name__ == "__main__":
    main()
