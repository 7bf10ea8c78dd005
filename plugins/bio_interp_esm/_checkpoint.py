"""Read a checkpoint of fair-esm without running any code that is in it."""

import argparse
import pickle
import re
from pathlib import Path
from typing import Any

import torch
from esm.model.esm2 import ESM2

from bio_interp.errors import InputError, MismatchError

_PREFIX = re.compile(r"^encoder\.(sentence_encoder\.)?")
_SHAPE = re.compile(r"esm2_t(\d+)_")


def read_checkpoint(path: Path, name: str) -> ESM2:
    """Build the network of a checkpoint in fair-esm's layout.

    fair-esm 2.0.0 cannot do this on torch 2.6 or later: its files hold an `argparse.Namespace`,
    which a safe load refuses unless it is allowed, and it demands the weights of a contact
    predictor that nothing here uses.

    Raises
    ------
    InputError
        The file is not such a checkpoint.
    MismatchError
        It is one of another model.
    """
    checkpoint = _load(path)
    try:
        shape = checkpoint["cfg"]["model"]
        state = {_PREFIX.sub("", key): tensor for key, tensor in checkpoint["model"].items()}
        module = ESM2(
            num_layers=shape.encoder_layers,
            embed_dim=shape.encoder_embed_dim,
            attention_heads=shape.encoder_attention_heads,
            alphabet="ESM-1b",
            token_dropout=shape.token_dropout,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise _not_a_checkpoint(path, f"{type(error).__name__}: {error}") from error
    wanted = _SHAPE.match(name)
    if wanted and int(wanted[1]) != shape.encoder_layers:
        raise MismatchError(
            f"the weights of {name}, with {wanted[1]} layers",
            f"{shape.encoder_layers} layers in {path}",
            "Give the weights file of this model.",
        )
    _fill(module, state, path)
    return module.eval()


def _load(path: Path) -> Any:
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise _not_a_checkpoint(path, str(error).splitlines()[0]) from error


def _fill(module: ESM2, state: dict[str, torch.Tensor], path: Path) -> None:
    try:
        missing, unexpected = module.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise _not_a_checkpoint(path, str(error).splitlines()[-1].strip()) from error
    # the contact predictor comes in a file of its own, and nothing here reads it
    missing = [key for key in missing if not key.startswith("contact_head.")]
    if missing or unexpected:
        count = f"{len(missing)} tensors missing, {len(unexpected)} unknown"
        raise _not_a_checkpoint(path, f"{count}, such as {(missing + unexpected)[0]}")


def _not_a_checkpoint(path: Path, got: str) -> InputError:
    return InputError(
        f"{path} to be an ESM-2 checkpoint as fair-esm publishes it",
        got,
        "Fetch the file again from fair-esm's address.",
    )
