"""Build the reference model from the files of this package."""

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError
from safetensors.torch import load

from bio_interp.errors import MismatchError, NotCachedError
from bio_interp.models import Esm2Engine, LoadOptions

if TYPE_CHECKING:
    from esm.model.esm2 import ESM2
    from torch import Tensor

FOLDER = Path(__file__).parent


def load_reference(options: LoadOptions) -> Esm2Engine:
    """Make the engine around the weights; float16 on disk, float32 in memory."""
    card: dict[str, Any] = json.loads((FOLDER / "model.json").read_text())
    file = options.weights or FOLDER / "model.safetensors"
    if not file.is_file():
        raise NotCachedError(
            "a file of weights", f"{file}, which is not there", "Check the path of `weights`."
        )
    content = file.read_bytes()
    digest = sha256(content).hexdigest()
    if options.weights is None and digest != card["weights_sha256"]:
        raise MismatchError(
            f"weights with SHA-256 {card['weights_sha256'][:12]}...",
            f"{digest[:12]}... in {file}",
            "The file is damaged: reinstall bio-interp.",
        )
    return Esm2Engine(
        build_esm2(card["network"], content, file),
        name=card["name"],
        licence=card["licence"],
        citation=card["citation"],
        options=options,
        window=card["window"],
        overlap=card["overlap"],
        weights_sha256=digest,
    )


def build_esm2(network: dict[str, int], content: bytes, file: Path) -> "ESM2":
    """Make fair-esm's ESM2 and fill it; `network` has its ``layers``, ``width`` and ``heads``.

    The contact head, which was not trained, and the rotary frequencies, which are computed, are
    not in the file.

    Raises
    ------
    MismatchError
        The file is no safetensors file, or is one of another network.
    """
    from esm.data import Alphabet
    from esm.model.esm2 import ESM2

    alphabet = Alphabet.from_architecture("ESM-1b")
    model = ESM2(network["layers"], network["width"], network["heads"], alphabet)
    expected = {
        name: tensor.shape
        for name, tensor in model.state_dict().items()
        if not name.startswith("contact_head.") and not name.endswith("inv_freq")
    }
    state = _read(content, file)
    state.setdefault("lm_head.weight", state.get("embed_tokens.weight"))  # one tensor, stored once
    got = {name: tensor.shape for name, tensor in state.items() if tensor is not None}
    if got != expected:
        wrong = sorted(set(got.items()) ^ set(expected.items()))[0][0]
        raise MismatchError(
            f"weights of ESM-2 with {network['layers']} layers of width {network['width']}",
            f"{file}, which differs at {wrong}",
            "Leave out `weights` to use the model that ships.",
        )
    model.load_state_dict({k: v.float() for k, v in state.items()}, strict=False)
    return model.eval()


def _read(content: bytes, file: Path) -> "dict[str, Tensor]":
    try:
        return load(content)
    except SafetensorError as error:
        raise MismatchError(
            "a safetensors file", f"{file} ({error})", "Name a file of weights."
        ) from error
