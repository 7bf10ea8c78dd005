"""``bio-interp harvest``."""

import logging
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bio_interp.cli._job import ShardText, Work, make_job, read_shard
from bio_interp.cli._options import Common, Machine, Source, usage_error

_COMMON, _MACHINE = Common(), Machine()
_LOG = logging.getLogger(__name__)


def harvest(
    source: Source,
    /,
    *,
    model: str | None = None,
    site: str | None = None,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    work: Work = None,
    shard: ShardText = "1/1",
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Read proteins with a model, and keep the activations of a site.

    What was read is kept: the same command goes on after an interruption.

    Parameters
    ----------
    source
        FASTA or Swiss-Prot file, plain, gzip or zstandard; - is standard input. A build.toml reads
        its own proteins with its model; only --work and --shard go with it.
    model, site
        What reads the file, and where it is tapped: esm2_t6_8M_UR50D and layer.4.
    out
        Folder of the activations; `train` takes it.
    """
    common.start()
    machine.start()
    part = read_shard(shard)
    if source.endswith(".toml"):
        if model or site or out:
            raise usage_error("A build.toml names model and site; leave -o and both out.")
        from bio_interp.building import harvest

        _LOG.info("%s", harvest(make_job(Path(source), work, machine), part))
        return
    if model is None or site is None or out is None or work is not None:
        raise usage_error("A file of proteins needs --model, --site and -o FOLDER, and no --work.")
    from bio_interp.building import harvest_file
    from bio_interp.models import LoadOptions

    options = LoadOptions(machine.device)
    _LOG.info("%s", harvest_file(source, model, site, out, options=options, shard=part))
