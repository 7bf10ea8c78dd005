"""A model, an SAE, links and calibration in one folder; annotate proteins with it.

An atlas is a folder: ``atlas.json`` (`AtlasInfo`), ``sae.safetensors`` and ``sae.json``, the
Parquet files of `LinkTable`, and ``exposure.parquet`` (hashes of the sequences it has seen).
"""

from bio_interp.atlas._atlas import Atlas, AtlasSource, load_atlas
from bio_interp.atlas._calls import Annotations, Call, ProteinResult, ProteinStatus, Status
from bio_interp.atlas._decoys import DECOYS, decoy_rates, decoys_of
from bio_interp.atlas._info import AtlasInfo
from bio_interp.atlas._price import sequence_hash
from bio_interp.atlas._probe import probe_rows, probe_sequences

__all__ = [
    "DECOYS",
    "Annotations",
    "Atlas",
    "AtlasInfo",
    "AtlasSource",
    "Call",
    "ProteinResult",
    "ProteinStatus",
    "Status",
    "decoy_rates",
    "decoys_of",
    "load_atlas",
    "probe_rows",
    "probe_sequences",
    "sequence_hash",
]
