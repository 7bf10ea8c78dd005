"""A model, an SAE, links and calibration in one folder; annotate proteins with it.

An atlas is a folder: ``atlas.json`` (`AtlasInfo`), ``sae.safetensors`` and ``sae.json``, the
Parquet files of `LinkTable`, and ``exposure.parquet`` (hashes of the sequences it has seen). Two
more are for looking: ``features.parquet`` (columns `FEATURES`, a row a feature) and
``examples.parquet`` (columns `EXAMPLES`, a row a place where a feature fires most).
"""

from bio_interp.atlas._atlas import Atlas
from bio_interp.atlas._calls import Annotations, Call, ProteinResult, ProteinStatus, Status
from bio_interp.atlas._compare import COMPARED, AtlasComparison, compare_atlases
from bio_interp.atlas._concept import AtlasConcept, each_concept, find_concepts
from bio_interp.atlas._decoys import DECOYS, decoy_rates, decoys_of
from bio_interp.atlas._examples import EXAMPLES, peak_window, write_features
from bio_interp.atlas._extent import Extent
from bio_interp.atlas._feature import AtlasFeature, marked_window, parse_address
from bio_interp.atlas._feature_tables import each_feature
from bio_interp.atlas._find import LINKED, find_links
from bio_interp.atlas._info import AtlasInfo
from bio_interp.atlas._load import AtlasSource, load_atlas
from bio_interp.atlas._logo import Logo
from bio_interp.atlas._price import sequence_hash
from bio_interp.atlas._probe import probe_rows, probe_sequences
from bio_interp.atlas._protein_view import FeatureTrack, ProteinView, view_proteins
from bio_interp.atlas._spatial import feature_space, write_spatial
from bio_interp.atlas._stability import write_stability
from bio_interp.atlas._statistics import FEATURES, feature_statistics
from bio_interp.atlas._tables import text_table
from bio_interp.atlas._target import tell_target
from bio_interp.atlas._view import feature_layers, read_codes, view_features
from bio_interp.atlas._view_calls import result_layers, view_calls, view_result, view_results

__all__ = [
    "COMPARED",
    "DECOYS",
    "EXAMPLES",
    "FEATURES",
    "LINKED",
    "Annotations",
    "Atlas",
    "AtlasComparison",
    "AtlasConcept",
    "AtlasFeature",
    "AtlasInfo",
    "AtlasSource",
    "Call",
    "Extent",
    "FeatureTrack",
    "Logo",
    "ProteinResult",
    "ProteinStatus",
    "ProteinView",
    "Status",
    "compare_atlases",
    "decoy_rates",
    "decoys_of",
    "each_concept",
    "each_feature",
    "feature_layers",
    "feature_space",
    "feature_statistics",
    "find_concepts",
    "find_links",
    "load_atlas",
    "marked_window",
    "parse_address",
    "peak_window",
    "probe_rows",
    "probe_sequences",
    "read_codes",
    "result_layers",
    "sequence_hash",
    "tell_target",
    "text_table",
    "view_calls",
    "view_features",
    "view_proteins",
    "view_result",
    "view_results",
    "write_features",
    "write_spatial",
    "write_stability",
]
