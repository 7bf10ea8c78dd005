"""``bio-interp view``."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from bio_interp.cli._options import Common, Machine, Source, usage_error

if TYPE_CHECKING:
    from bio_interp.structures import StructureView

_COMMON, _MACHINE = Common(), Machine()
_LOG = logging.getLogger(__name__)


def view(
    target: Source,
    /,
    *,
    structure: str,
    out: Annotated[Path, Parameter(alias="-o")],
    atlas: str | None = None,
    proteins: str | None = None,
    min_precision: float = 0.8,
    style: Literal["cartoon", "surface", "sticks"] = "cartoon",
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Show features, or the calls of proteins, on a 3D structure.

    Parameters
    ----------
    target
        Features with commas between them (f12, unirep/f12,f40); or a FASTA or Swiss-Prot file
        (- is standard input), of which the proteins in the structure are annotated and the
        features behind their calls shown.
    structure
        File (PDB, mmCIF, BinaryCIF, plain or compressed), or identifier of a structure that is on
        this machine: 4HHB, rcsb:4HHB, alphafold:P69905 (fetched by `data get`).
    out
        Page to write (.html), or picture (.png; needs Chromium).
    atlas
        Name of an installed atlas, or the folder of one; unirep where no address names another.
    proteins
        Of features: file with the proteins of the structure; the sequences of its own chains
        where not given.
    min_precision
        Of proteins: calls whose lower bound of precision is at least this.
    style
        How residues are drawn at first: cartoon, surface, or cartoon with sticks for the residues
        where most fires.
    """
    common.start()
    machine.start()
    from bio_interp.atlas import load_atlas, parse_address, view_calls, view_features

    if out.suffix.lower() not in (".html", ".htm", ".png"):
        raise usage_error(f"-o takes a name that ends in .html or .png, not {str(out)!r}")
    names = [part.strip() for part in target.split(",")]
    addresses = [] if Path(target).is_file() else [parse_address(name) for name in names]
    if addresses and all(addresses):
        named = {address[0] for address in addresses if address and address[0]}
        if len(named) > 1:
            raise usage_error(f"features of one atlas, not of {', '.join(sorted(named))}")
        loaded = load_atlas(atlas or next(iter(named), "unirep"), device=machine.device)
        made = view_features(loaded, names, structure, proteins=proteins, style=style)
    else:
        loaded = load_atlas(atlas or "unirep", device=machine.device)
        made = view_calls(loaded, target, structure, min_precision=min_precision, style=style)
    _write(made, out)


def _write(made: "StructureView", out: Path) -> None:
    if out.suffix.lower() == ".png":
        made.png(out)
    else:
        made.html(out)
    for scene in made.scenes:
        for note in scene.notes:
            _LOG.info("%s", note)
    _LOG.info("wrote %s: %.1f MB", out, out.stat().st_size / 1e6)
