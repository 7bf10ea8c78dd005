"""``bio-interp report``."""

import logging
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from bio_interp.cli._options import Common, Machine
from bio_interp.cli._show import counter

_COMMON, _MACHINE = Common(), Machine()
_LOG = logging.getLogger(__name__)


def report(
    atlas: str,
    /,
    *,
    out: Annotated[Path, Parameter(alias="-o")],
    proteins: str | None = None,
    min_precision: float = 0.8,
    features: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 5,
    views: Path | None = None,
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Write an atlas as a folder of pages: search, sort, look; from a disk or a web server.

    Parameters
    ----------
    atlas
        Name of an installed atlas, or the folder of one.
    out
        Folder to write: a new or empty one, or a site that is there already.
    proteins
        FASTA or Swiss-Prot file whose proteins get a page, with calls and tracks; - is standard
        input. This alone needs the model.
    min_precision
        Of proteins: calls whose lower bound of precision is at least this.
    features
        Of proteins: draw so many linked features beside those behind the calls.
    views
        Folder with HTML pages of 3D views, f12.html of a feature, ACCESSION.html of a protein.
    """
    common.start()
    machine.start()
    from bio_interp.atlas import load_atlas, view_proteins
    from bio_interp.reports.site import write_site
    from bio_interp.sequences import read_proteins

    loaded = load_atlas(atlas, device=machine.device)
    read = read_proteins(proteins) if proteins is not None else ()
    shown = view_proteins(loaded, read, min_precision=min_precision, features=features)
    with counter("proteins", draw=common.bars) as tick:
        made = write_site(loaded, out, proteins=shown, views=views, progress=tick)
    counts = f"{made.features:,} features, {made.concepts:,} concepts, {made.proteins:,} proteins"
    _LOG.info("%s: %.1f MB", counts, made.bytes / 1e6)
    _LOG.info("open %s", out / "index.html")
