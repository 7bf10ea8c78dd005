"""Features: the sparse codes of proteins, stored once and read by protein and by feature.

A `FeatureStore` is a folder: ``manifest.json`` (schema, ``d_sae``, number type, settings, shards)
and one folder a shard with raw arrays:

====================  ==========  ===================================================
file                  type        meaning
====================  ==========  ===================================================
accessions.json       text        names of the proteins
offsets.npy           int64       first row of each protein, then the number of rows
indptr.npy            int64       first entry of each row, then the number of entries
features.npy          uint16/32   feature of each entry, ascending within a row
values.npy            float16/32  activation of each entry
feature_offsets.npy   int64       first entry of each feature in the next two
feature_rows.npy      uint32      row of each entry, by feature
feature_values.npy    float16/32  activation of each entry, by feature
maxima.npy            float32     largest activation of each feature
====================  ==========  ===================================================

A row is a residue. A shard is complete when the manifest lists it.

`encode` gives codes in memory, or pooled to one vector a protein; `encode_file` writes them as
npz, Parquet or h5ad; `encode_store` fills a store.
"""

from bio_interp.features._encode import (
    CodeSource,
    Encoder,
    encode,
    encode_each,
    encode_file,
    encode_store,
)
from bio_interp.features._encoded import EncodedProteins, FeatureConcept, Pool
from bio_interp.features._shards import FeatureShard
from bio_interp.features._store import FeatureHits, FeatureStore
from bio_interp.features._writer import Codes, FeatureWriter

__all__ = [
    "CodeSource",
    "Codes",
    "EncodedProteins",
    "Encoder",
    "FeatureConcept",
    "FeatureHits",
    "FeatureShard",
    "FeatureStore",
    "FeatureWriter",
    "Pool",
    "encode",
    "encode_each",
    "encode_file",
    "encode_store",
]
