"""Put an atlas together: weights, links, facts, decoys."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from harvest import Harvest
from sample import Drawn
from sources import Sources

from bio_interp.atlas import Atlas, AtlasInfo, decoy_rates, sequence_hash
from bio_interp.linking import LinkTable
from bio_interp.models import LanguageModel, LoadOptions
from bio_interp.provenance import atomic_path, versions
from bio_interp.sequences import Protein

DATA = (
    {
        "name": "Swiss-Prot 2014 representatives (Debian metastudent-data 2.0.1-8), UniProtKB",
        "licence": "CC BY 4.0 (UniProt Consortium)",
    },
    {"name": "Pfam 35.0, 2,766 profiles (PyPI gecco 0.11.0)", "licence": "CC0"},
    {"name": "UniProt features, S. cerevisiae (alphamap) and flat files", "licence": "CC BY 4.0"},
)


@dataclass(frozen=True)
class Run:
    """What the stages before packing made."""

    model: LanguageModel
    sources: Sources
    harvest: Harvest
    drawn: Sequence[Drawn]
    sae_folder: Path
    table: LinkTable
    measured: Mapping[str, Any]


def pack(folder: Path, run: Run, about: Mapping[str, Any], options: LoadOptions) -> Atlas:
    """Write the atlas into `folder`, then measure decoys with it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("sae.safetensors", "sae.json"):
        shutil.copyfile(run.sae_folder / name, folder / name)
    called = pl.col("concept").is_in(set(run.table.callers["concept"]))
    concepts, links = run.table.concepts.filter(called), run.table.links.filter(called)
    LinkTable(links, run.table.callers, run.table.calibration, concepts).save(folder)
    _write_exposure(folder, run.sources, [d.accession for d in run.drawn if d.fold != "test"])
    info = _info(run, about)
    info.save(folder)
    limit = _domain_limit(Atlas(folder, options), run.harvest)
    atlas = _saved(folder, info, options, domain_limit=limit)
    decoys = decoy_rates(atlas, _some(run.sources, run.drawn))
    return _saved(folder, info, options, domain_limit=limit, decoys=decoys)


def _info(run: Run, about: Mapping[str, Any]) -> AtlasInfo:
    return AtlasInfo(
        name=about["name"],
        version=about["version"],
        model=run.model.info.name,
        site=about["site"],
        model_sha256=run.model.info.weights_sha256,
        licence=about["licence"],
        citation=(run.model.info.citation, *about["citation"]),
        split_sha256=run.sources.split.hash,
        domain_limit=float("inf"),
        decoys={},
        measured=dict(run.measured),
        data=DATA,
        versions=versions(("bio-interp", "torch", "numpy", "polars", "pyhmmer")),
        notes=tuple(about.get("notes", ())),
    )


def _saved(folder: Path, info: AtlasInfo, options: LoadOptions, **changes: Any) -> Atlas:
    replace(info, **changes).save(folder)
    return Atlas(folder, options)


def _domain_limit(atlas: Atlas, harvest: Harvest, count: int = 500) -> float:
    """99th percentile of the reconstruction error over some calibration proteins."""
    proteins = islice(harvest.proteins(["calibrate"]), count)
    errors = [atlas.reconstruction_error(rows) for _, rows in proteins]
    return round(float(np.quantile(errors, 0.99)), 4)


def _some(sources: Sources, drawn: Iterable[Drawn], count: int = 100) -> list[Protein]:
    return [sources.proteins[d.accession] for d in drawn if d.fold == "test"][:count]


def _write_exposure(folder: Path, sources: Sources, accessions: Iterable[str]) -> None:
    hashes = sorted({sequence_hash(sources.proteins[a].sequence) for a in accessions})
    with atomic_path(folder / "exposure.parquet") as path:
        pl.DataFrame({"sequence_hash": hashes}, schema={"sequence_hash": pl.Int64}).write_parquet(
            path
        )
