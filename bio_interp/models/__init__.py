"""What a language model must offer, and what plugins that bring one need.

A *site* is a place in a model where activations are read: ``layer.4`` is the output of block 4,
``layer.0`` the embeddings. `LanguageModel.activations` yields one row a residue; special tokens
and padding never leave the model. `Spliceable.splice` runs a model through SAEs, so that features
can be edited and gradients taken at them.

For plugins: `map_by_length` runs batches in bounded memory and input order, `with_oom_halving`
survives a batch too large for the memory, `window_bounds` and `stitch` read long proteins,
`edit_rows` applies edits and `Spliceable` makes `splice` of them, `resolve_device` and
`resolve_precision` read `LoadOptions`, and `Esm2Engine` makes a `LanguageModel` of any network of
ESM-2 architecture.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bio_interp.models._batching import (
    batches_by_length,
    map_by_length,
    read_windows,
    with_oom_halving,
)
from bio_interp.models._device import native_bf16, resolve_device, resolve_precision
from bio_interp.models._edits import Edit, Place, PlacedEdit, edit_rows
from bio_interp.models._protocol import (
    LanguageModel,
    LoadOptions,
    ModelInfo,
    ModelSource,
    Precision,
    Reading,
    load_model,
    split_address,
)
from bio_interp.models._residue_tokens import ResidueTokens
from bio_interp.models._spliceable import Spliceable
from bio_interp.models._windows import stitch, window_bounds

if TYPE_CHECKING:
    from bio_interp.models._esm2_engine import Esm2Engine
    from bio_interp.models._feature_edits import SplicedSite
    from bio_interp.models._splice import Splice, Trace
    from bio_interp.models._splice_run import SpliceKey

__all__ = [
    "Edit",
    "Esm2Engine",
    "LanguageModel",
    "LoadOptions",
    "ModelInfo",
    "ModelSource",
    "Place",
    "PlacedEdit",
    "Precision",
    "Reading",
    "ResidueTokens",
    "Splice",
    "SpliceKey",
    "Spliceable",
    "SplicedSite",
    "Trace",
    "batches_by_length",
    "edit_rows",
    "load_model",
    "map_by_length",
    "native_bf16",
    "read_windows",
    "resolve_device",
    "resolve_precision",
    "split_address",
    "stitch",
    "window_bounds",
    "with_oom_halving",
]

_WITH_TORCH = {  # these import torch, which listing plugins must not
    "Esm2Engine": "_esm2_engine",
    "Splice": "_splice",
    "SpliceKey": "_splice_run",
    "SplicedSite": "_feature_edits",
    "Trace": "_splice",
}


def __getattr__(name: str) -> Any:
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"bio_interp.models.{_WITH_TORCH[name]}"), name)
