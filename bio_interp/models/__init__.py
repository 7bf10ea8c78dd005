"""What a language model must offer, and what plugins that bring one need.

A *site* is a place in a model where activations are read: ``layer.4`` is the output of block 4,
``layer.0`` the embeddings. `LanguageModel.activations` yields one row a residue; special tokens
and padding never leave the model.

For plugins: `map_by_length` runs batches in bounded memory and input order, `with_oom_halving`
survives a batch too large for the memory, `window_bounds` and `stitch` read long proteins,
`resolve_device` and `resolve_precision` read `LoadOptions`, and `Esm2Engine` makes a
`LanguageModel` of any network of ESM-2 architecture.
"""

from typing import TYPE_CHECKING, Any

from bio_interp.models._batching import (
    batches_by_length,
    map_by_length,
    read_windows,
    with_oom_halving,
)
from bio_interp.models._device import native_bf16, resolve_device, resolve_precision
from bio_interp.models._protocol import (
    Edit,
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
from bio_interp.models._windows import stitch, window_bounds

if TYPE_CHECKING:
    from bio_interp.models._esm2_engine import Esm2Engine

__all__ = [
    "Edit",
    "Esm2Engine",
    "LanguageModel",
    "LoadOptions",
    "ModelInfo",
    "ModelSource",
    "Precision",
    "Reading",
    "ResidueTokens",
    "batches_by_length",
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


def __getattr__(name: str) -> Any:
    if name == "Esm2Engine":  # imports torch, which listing plugins must not
        from bio_interp.models._esm2_engine import Esm2Engine

        return Esm2Engine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
