"""Put an atlas together: weights, links, facts, decoys."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bio_interp.atlas import (
    Atlas,
    AtlasInfo,
    decoy_rates,
    sequence_hash,
    write_features,
    write_spatial,
)
from bio_interp.building._job import Job
from bio_interp.building._sample import Drawn
from bio_interp.building._stages import annotate, encode, harvested, link, sample, train
from bio_interp.errors import InputError
from bio_interp.linking import LinkTable
from bio_interp.provenance import atomic_path, sha256_file, versions, write_json
from bio_interp.structures import read_structure

_CHECKED = 500  # calibrate proteins whose reconstruction error sets the limit of the domain
_DECOYS = 100


def finished(job: Job, out: Path) -> bool:
    """Tell whether `out` is the atlas of this job; refuse a folder that is something else.

    Raises
    ------
    InputError
        `out` holds something else.
    """
    mark = job.work / "pack" / "done.json"
    if not out.exists():
        return False
    packed = out / "atlas.json"
    marked = json.loads(mark.read_text())["sha256"] if mark.is_file() else None
    if packed.is_file() and sha256_file(packed) == marked:
        return True
    if out.is_dir() and not any(out.iterdir()):
        return False
    raise InputError(
        f"an empty or absent folder for the atlas, or the one built in {job.work}",
        f"{out}, which holds something else",
        "Give another folder with -o, or remove that one.",
    )


def pack(job: Job, out: Path) -> Atlas:
    """Write the atlas beside `out`, and give it its name when it is whole."""
    mark = job.claim("pack") / "done.json"
    if finished(job, out):
        return Atlas(out, job.options)
    table, measured = link(job)
    partial = out.with_name(f"{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _write_parts(job, partial, table, sample(job))
    info = _info(job, measured)
    info.save(partial)
    limit = _domain_limit(job, Atlas(partial, job.options))
    atlas = _saved(job, partial, info, domain_limit=limit)
    if job.recipe.atlas.structures:
        write_spatial(atlas, map(read_structure, _structures(job)))
    tested = (d.accession for d in sample(job) if d.fold == "test")
    some = [job.proteins[a] for a in islice(tested, _DECOYS)]
    info = replace(info, domain_limit=limit, decoys=decoy_rates(atlas, some))
    _saved(job, partial, info)
    write_json(mark, {"sha256": sha256_file(partial / "atlas.json"), "atlas": out.name})
    if out.exists():
        out.rmdir()  # empty: `finished` looked
    partial.rename(out)
    return Atlas(out, job.options)


def _write_parts(job: Job, folder: Path, table: LinkTable, drawn: Sequence[Drawn]) -> None:
    sae = train(job)
    for name in ("sae.safetensors", "sae.json"):
        shutil.copyfile(sae / name, folder / name)
    called = pl.col("concept").is_in(table.callers["concept"].unique().implode())
    concepts, links = table.concepts.filter(called), table.links.filter(called)
    LinkTable(links, table.callers, table.calibration, concepts).save(folder)
    write_features(
        folder,
        encode(job),
        job.proteins.values(),
        table,
        split=job.split,
        annotations=annotate(job),
    )
    _write_exposure(job, folder, [d.accession for d in drawn if d.fold != "test"])
    write_json(folder / "recipe.json", job.settings("pack"))


def _structures(job: Job) -> list[Path]:
    """List the recipe's files of structures; of a folder, all files in it."""
    paths = job.files(job.recipe.atlas.structures)
    return [f for p in paths for f in (sorted(p.iterdir()) if p.is_dir() else [p])]


def _info(job: Job, measured: Mapping[str, Any]) -> AtlasInfo:
    about, model = job.recipe.atlas, job.model.info
    return AtlasInfo(
        name=about.name,
        version=about.version,
        model=model.name,
        site=job.recipe.model.site,
        model_sha256=model.weights_sha256,
        licence=about.licence or model.licence,
        citation=(model.citation, *about.citation),
        split_sha256=job.split.hash,
        domain_limit=float("inf"),
        decoys={},
        measured=dict(measured),
        data=_data(job),
        versions=versions(("bio-interp", "torch", "numpy", "polars", "pyhmmer")),
        notes=about.notes,
    )


def _data(job: Job) -> tuple[dict[str, str], ...]:
    """Name the sources of the data as the recipe does, else by their files."""
    about = job.recipe.atlas
    if about.data:
        pairs = zip(about.data, about.data_licence, strict=True)
        return tuple({"name": name, "licence": licence} for name, licence in pairs)
    part = job.recipe.annotations
    files = [f for source in part.annotators.values() for f in source.files]
    paths = [*job.recipe.data.sequences, *files, *([part.table] if part.table else [])]
    return tuple(
        {"name": name, "licence": "not stated"} for name in dict.fromkeys(p.name for p in paths)
    )


def _saved(job: Job, folder: Path, info: AtlasInfo, **changes: Any) -> Atlas:
    replace(info, **changes).save(folder)
    return Atlas(folder, job.options)


def _domain_limit(job: Job, atlas: Atlas) -> float:
    """99th percentile of the reconstruction error over some calibration proteins."""
    wanted = {d.accession for d in sample(job) if d.fold == "calibrate"}
    proteins = islice(harvested(job).proteins(wanted), _CHECKED)
    errors = [atlas.reconstruction_error(rows) for _, rows in proteins]
    return round(float(np.quantile(errors, 0.99)), 4)


def _write_exposure(job: Job, folder: Path, accessions: Iterable[str]) -> None:
    hashes = sorted({sequence_hash(job.proteins[a].sequence) for a in accessions})
    with atomic_path(folder / "exposure.parquet") as path:
        pl.DataFrame({"sequence_hash": hashes}, schema={"sequence_hash": pl.Int64}).write_parquet(
            path
        )
