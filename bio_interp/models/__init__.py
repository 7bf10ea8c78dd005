"""What a language model must offer: sites to tap, batches, edits.

A *site* is a place in a model where activations are read: ``layer.4`` is the output of block 4,
``layer.0`` the embeddings. `LanguageModel.activations` yields one row a residue; special tokens
and padding never leave the model.
"""

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

__all__ = [
    "Edit",
    "LanguageModel",
    "LoadOptions",
    "ModelInfo",
    "ModelSource",
    "Precision",
    "Reading",
    "load_model",
    "split_address",
]
