"""``bio-interp encode``."""

import logging
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from bio_interp.cli._job import ShardText, Work, make_job, read_shard
from bio_interp.cli._options import AtlasName, Common, Machine, Source
from bio_interp.errors import InputError

_COMMON, _MACHINE = Common(), Machine()
_LOG = logging.getLogger(__name__)


def encode(
    source: Source,
    /,
    *,
    out: Annotated[Path | None, Parameter(alias="-o")] = None,
    atlas: AtlasName = "unirep",
    pool: Literal["max", "mean", "none"] = "none",
    work: Work = None,
    shard: ShardText = "1/1",
    machine: Machine = _MACHINE,
    common: Common = _COMMON,
) -> None:
    """Write the features of proteins as numbers: npz, Parquet or h5ad.

    Parameters
    ----------
    source
        FASTA or Swiss-Prot file, plain, gzip or zstandard; - is standard input. A build.toml runs
        this stage of the build instead; only --work and --shard go with it.
    out
        File to write; its suffix (.npz, .parquet, .h5ad) says the format.
    atlas
        Name of an installed atlas, or the folder of one.
    pool
        max or mean gives one row a protein, none one a residue.
    """
    common.start()
    machine.start()
    if source.endswith(".toml"):
        from bio_interp.building import encode

        _LOG.info("%s", encode(make_job(Path(source), work, machine), read_shard(shard)))
        return
    if out is None:
        raise InputError("a file to write the features to", "none", "Add -o features.npz.")
    from bio_interp.atlas import load_atlas
    from bio_interp.features import encode_file
    from bio_interp.sequences import read_proteins

    _LOG.info("reading proteins from %s", "standard input" if source == "-" else source)
    loaded = load_atlas(atlas, device=machine.device)
    count = encode_file(read_proteins(source), loaded, out, pool=None if pool == "none" else pool)
    _LOG.info("%s proteins in %s", f"{count:,}", out)
