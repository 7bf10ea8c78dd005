"""``bio-interp train``."""

import logging
from pathlib import Path

from bio_interp.cli._job import Work, make_job
from bio_interp.cli._options import Common, Machine

_COMMON, _MACHINE = Common(), Machine()
_LOG = logging.getLogger(__name__)


def train(
    recipe: Path,
    /,
    *,
    work: Work = None,
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Train the SAE of a recipe on its harvest, or check the one it starts from.

    Parameters
    ----------
    recipe
        The build.toml.
    """
    common.start()
    machine.start()
    from bio_interp.building import train

    _LOG.info("SAE in %s", train(make_job(recipe, work, machine)))
