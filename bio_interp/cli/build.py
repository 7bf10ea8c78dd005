"""``bio-interp build``."""

import logging
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bio_interp.cli._job import Work
from bio_interp.cli._options import Common, Machine
from bio_interp.cli._show import show_rows

_COMMON, _MACHINE = Common(), Machine()
_LOG = logging.getLogger(__name__)


def build(
    recipe: Path,
    /,
    *,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    work: Work = None,
    plan: Annotated[bool, Parameter(negative="")] = False,
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Make an atlas of your own from a TOML file; killed at any time, it goes on.

    Parameters
    ----------
    recipe
        The build.toml: sequences, annotations, model, SAE. See docs/howto-build.md.
    out
        Folder of the atlas; `atlas` in the work folder where not given.
    plan
        Print what would be read, downloaded and written, and how long it takes; write nothing.
    """
    common.start()
    machine.start()
    device = None if machine.device == "auto" else machine.device
    if plan:
        from bio_interp.building import plan as plan_build

        show_rows(("what", "name", "value"), plan_build(recipe, work=work, device=device).rows())
        return
    from bio_interp.building import build

    atlas = build(recipe, work=work, out=out, device=device)
    _LOG.info("%r in %s", atlas, atlas.folder)
