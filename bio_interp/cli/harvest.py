"""``bio-interp harvest``."""

import logging
from pathlib import Path

from bio_interp.cli._job import ShardText, Work, make_job, read_shard
from bio_interp.cli._options import Common, Machine

_COMMON, _MACHINE = Common(), Machine()
_LOG = logging.getLogger(__name__)


def harvest(
    recipe: Path,
    /,
    *,
    work: Work = None,
    shard: ShardText = "1/1",
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Read the proteins of a recipe with its model, and keep the activations.

    Parameters
    ----------
    recipe
        The build.toml.
    """
    common.start()
    machine.start()
    part = read_shard(shard)
    from bio_interp.building import harvest

    store = harvest(make_job(recipe, work, machine), part)
    _LOG.info("%s", store)
