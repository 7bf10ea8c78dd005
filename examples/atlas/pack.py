"""Put an atlas together: weights, links, facts, decoys."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from bio_interp.provenance import atomic_path, versions
from harvest import Harvest
from sample import Drawn
from sources import Sources

from bio_interp.atlas import Atlas, AtlasInfo, decoy_rates, sequence_hash
from bio_interp.linking import LinkTable
from bio_interp.models import LanguageModel, LoadOptions
from bio_interp.sequences import Protein

DATA = (
    {
        "name": "Swiss-Prot 2014 representatives (Debian metastudent-data 2.0.1-8), UniProtKB",
        "licence": "CC BY 4.0 (UniProt Consortium)",
    },
    {"name": "Pfam 35.0, 2,766 profiles (PyPI gecco 0.11.0)", "licence": "CC0"},
    {"name": "UniProt features, S. cerevisiae (alphamap) and flat files", "licence": "CC BY 4.0"},
)


def pack(
    folder: Path,
    *,
    about: Mapping[str, Any],
    model: LanguageModel,
    sources: Sources,
    sae_folder: Path,
    table: LinkTable,
    harvest: Harvest,
    drawn: Sequence[Drawn],
    measured: Mapping[str, Any],
    options: LoadOptions,
) -> Atlas:
    """Write the atlas into `folder`, then measure decoys with it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("sae.safetensors", "sae.json"):
        shutil.copyfile(sae_folder / name, folder / name)
    called = set(table.callers["concept"])
    concepts = table.concepts.filter(pl.col("concept").is_in(called))
    links = table.links.filter(pl.col("concept").is_in(called))
    LinkTable(links, table.callers, table.calibration, concepts).save(folder)
    _write_exposure(folder, sources, [d.accession for d in drawn if d.fold != "test"])
    info = AtlasInfo(
        name=about["name"],
        version=about["version"],
        model=model.info.name,
        site=about["site"],
        model_sha256=model.info.weights_sha256,
        licence=about["licence"],
        citation=(model.info.citation, *about["citation"]),
        split_sha256=sources.split.hash,
        domain_limit=float("inf"),
        decoys={},
        measured=dict(measured),
        data=DATA,
        versions=versions(("bio-interp", "torch", "numpy", "polars", "pyhmmer")),
        notes=tuple(about.get("notes", ())),
    )
    info.save(folder)
    limit = _domain_limit(Atlas(folder, options), harvest)
    decoys = decoy_rates(_saved(folder, info, options, domain_limit=limit), _some(sources, drawn))
    return _saved(folder, info, options, domain_limit=limit, decoys=decoys)


def _saved(folder: Path, info: AtlasInfo, options: LoadOptions, **changes: Any) -> Atlas:
    from dataclasses import replace

    replace(info, **changes).save(folder)
    return Atlas(folder, options)


def _domain_limit(atlas: Atlas, harvest: Harvest) -> float:
    """99th percentile of the reconstruction error over the calibration proteins."""
    errors = [atlas.reconstruction_error(rows) for _, rows in harvest.proteins(["calibrate"])]
    return round(float(np.quantile(errors, 0.99)), 4)


def _some(sources: Sources, drawn: Iterable[Drawn], count: int = 100) -> list[Protein]:
    return [sources.proteins[d.accession] for d in drawn if d.fold == "test"][:count]


def _write_exposure(folder: Path, sources: Sources, accessions: Iterable[str]) -> None:
    hashes = sorted({sequence_hash(sources.proteins[a].sequence) for a in accessions})
    with atomic_path(folder / "exposure.parquet") as path:
        pl.DataFrame({"sequence_hash": hashes}, schema={"sequence_hash": pl.Int64}).write_parquet(
            path
        )
