"""``bio-interp view``."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from bio_interp.cli._options import Common, Machine, Source, usage_error

if TYPE_CHECKING:
    from bio_interp.structures import StructureView


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown, and how."""

    proteins: str | None = None
    "Of features: file with the proteins of the structure; where not given, its own sequences."
    mutation: str | None = None
    "A42G, or A42G:S65T for those that come together: wild type and mutant, side by side."
    min_precision: float = 0.8
    "Of proteins: calls whose lower bound of precision is at least this."
    style: Literal["cartoon", "surface", "sticks"] = "cartoon"
    "How residues are drawn at first; sticks are those of the residues where most fires."


_COMMON, _MACHINE, _SHOWN = Common(), Machine(), Shown()
_LOG = logging.getLogger(__name__)


def view(
    target: Source,
    /,
    *,
    structure: str,
    out: Annotated[Path, Parameter(alias="-o")],
    atlas: str | None = None,
    shown: Shown = _SHOWN,
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
        Name of an installed atlas, or the folder of one; that of the address, else
        BIO_INTERP_ATLAS, else unirep.
    """
    common.start()
    machine.start()
    from bio_interp.atlas import load_atlas, view_calls, view_features

    if out.suffix.lower() not in (".html", ".htm", ".png"):
        raise usage_error(f"-o takes a name that ends in .html or .png, not {str(out)!r}")
    features, named = _features(target)
    if shown.mutation and features and shown.proteins is None:
        raise usage_error("--mutation with features needs the protein too: --proteins FILE")
    loaded = load_atlas(atlas or named, device=machine.device)
    if shown.mutation:
        from bio_interp.variants import one_protein, view_variant

        one = one_protein(shown.proteins or target, None)
        chosen = [loaded.feature(name).index for name in features] or None
        made = view_variant(
            loaded, one, shown.mutation, structure, features=chosen, style=shown.style
        )
    elif features:
        made = view_features(
            loaded, features, structure, proteins=shown.proteins, style=shown.style
        )
    else:
        made = view_calls(
            loaded, target, structure, min_precision=shown.min_precision, style=shown.style
        )
    _write(made, out)


def _features(target: str) -> tuple[list[str], str | None]:
    """Read addresses with commas between them, and the atlas that they name; none of a file."""
    from bio_interp.atlas import parse_address

    names = [] if Path(target).is_file() else [part.strip() for part in target.split(",")]
    found = [parse_address(name) for name in names]
    if not all(found):
        return [], None
    atlases = {address[0] for address in found if address and address[0]}
    if len(atlases) > 1:
        raise usage_error(f"features of one atlas, not of {', '.join(sorted(atlases))}")
    return names, next(iter(atlases), None)


def _write(made: "StructureView", out: Path) -> None:
    if out.suffix.lower() == ".png":
        made.png(out)
    else:
        made.html(out)
    for note in made.notes:
        _LOG.info("%s", note)
    _LOG.info("wrote %s: %.1f MB", out, out.stat().st_size / 1e6)
