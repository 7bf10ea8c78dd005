"""``bio-interp link``."""

import logging
from pathlib import Path

from bio_interp.cli._job import Work, make_job
from bio_interp.cli._options import Common, Machine

_COMMON, _MACHINE = Common(), Machine()
_LOG = logging.getLogger(__name__)


def link(
    recipe: Path,
    /,
    *,
    work: Work = None,
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Link the features of a recipe to concepts, and price their calls.

    Parameters
    ----------
    recipe
        The build.toml.
    """
    common.start()
    machine.start()
    from bio_interp.building import link

    table, _ = link(make_job(recipe, work, machine))
    _LOG.info("%s", table)
