"""An MRI for biology models: from protein sequences to named, calibrated features.

The names below are the public surface; they are imported when first used, so that
``import bio_interp`` costs milliseconds. Stages have more names of their own, in
``bio_interp.sequences``, ``bio_interp.models`` and so on.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bio_interp.errors import BioInterpError

if TYPE_CHECKING:
    from bio_interp.annotations import AnnotationTable
    from bio_interp.atlas import Atlas, load_atlas
    from bio_interp.cache import cache_folder
    from bio_interp.features import FeatureStore, encode
    from bio_interp.models import load_model
    from bio_interp.plugins import list_plugins
    from bio_interp.provenance import sha256_file
    from bio_interp.reports import plots as pl
    from bio_interp.sae import SparseAutoencoder, match
    from bio_interp.sequences import Protein, read_proteins
    from bio_interp.spans import Span

__version__ = "0.1.0"
__all__ = [
    "AnnotationTable",
    "Atlas",
    "BioInterpError",
    "FeatureStore",
    "Protein",
    "Span",
    "SparseAutoencoder",
    "cache_folder",
    "encode",
    "list_plugins",
    "load_atlas",
    "load_model",
    "match",
    "pl",
    "read_proteins",
    "sha256_file",
]

_HOMES = {
    "AnnotationTable": "annotations",
    "Atlas": "atlas",
    "FeatureStore": "features",
    "Protein": "sequences",
    "Span": "spans",
    "SparseAutoencoder": "sae",
    "cache_folder": "cache",
    "encode": "features",
    "list_plugins": "plugins",
    "load_atlas": "atlas",
    "load_model": "models",
    "match": "sae",
    "read_proteins": "sequences",
    "sha256_file": "provenance",
}


def __getattr__(name: str) -> Any:
    if name == "pl":  # as in scanpy
        return import_module("bio_interp.reports.plots")
    if name not in _HOMES:
        raise AttributeError(f"module 'bio_interp' has no attribute {name!r}")
    value = getattr(import_module(f"bio_interp.{_HOMES[name]}"), name)
    globals()[name] = value  # the next use does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
