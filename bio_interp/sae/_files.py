"""SAE files: ``sae.safetensors`` for tensors, ``sae.json`` for everything about them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from bio_interp.errors import BioInterpError, InputError, MismatchError
from bio_interp.provenance import atomic_path, sha256_file, write_json
from bio_interp.sae._config import SaeConfig
from bio_interp.sae._model import SparseAutoencoder
from bio_interp.sae._norm import InputNorm
from bio_interp.sae._quantise import has_unit_rows, quantise_rows, restore_rows

SCHEMA = "bio-interp-sae/2"
_WEIGHTS = ("W_enc", "W_dec")


def write_sae(sae: SparseAutoencoder, folder: Path, weights: Literal["float32", "int8"]) -> None:
    """Write both files; the JSON comes last and names the hash of the tensors."""
    if weights not in ("float32", "int8"):
        raise InputError("weights 'float32' or 'int8'", repr(weights), "Choose one.")
    tensors = _tensors(sae)
    if weights == "int8":
        for name in _WEIGHTS:
            tensors |= _as_int8(name, tensors.pop(name))
    path = folder / "sae.safetensors"
    with atomic_path(path) as temporary:
        save_file({name: t.contiguous() for name, t in tensors.items()}, temporary)
    content = {
        "schema": SCHEMA,
        "config": asdict(sae.config),
        "norm": {"mean": "input_mean", "scale": float(sae.norm.scale), "restored": True},
        "out_norm": None
        if sae.out_norm is sae.norm
        else {"mean": "output_mean", "scale": float(sae.out_norm.scale), "restored": True},
        "weights": {"storage": weights, "file": path.name, "sha256": sha256_file(path)},
        "provenance": sae.provenance,
        "fingerprint": sae.fingerprint,
    }
    write_json(folder / "sae.json", content)


def read_sae(folder: Path, d_model: int | None) -> SparseAutoencoder:
    """Read both files; see `SparseAutoencoder.load`."""
    content = _read_json(folder / "sae.json")
    try:
        config = SaeConfig(**content["config"])
        sha256 = content["weights"]["sha256"]
        scales = {name: content[name] for name in ("norm", "out_norm")}
        norms = {name: (n["mean"], float(n["scale"])) for name, n in scales.items() if n}
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(folder / "sae.json", repr(error)) from error
    if d_model is not None and d_model != config.d_model:
        raise MismatchError(
            f"an SAE for activations of width {d_model}",
            f"width {config.d_model} in {folder}",
            f"It was trained on {content.get('provenance', {}).get('site', 'another site')}.",
        )
    tensors = _read_tensors(folder / "sae.safetensors", sha256)
    if missing := [mean for mean, _ in norms.values() if mean not in tensors]:
        raise _broken(folder / "sae.safetensors", f"no tensor {missing[0]!r}")
    made = {name: InputNorm(tensors.pop(mean), scale) for name, (mean, scale) in norms.items()}
    extra = {name: content.get(name) for name in ("provenance", "fingerprint")}
    return SparseAutoencoder(config, tensors, made["norm"], out_norm=made.get("out_norm"), **extra)


def _tensors(sae: SparseAutoencoder) -> dict[str, Tensor]:
    found = sae.tensors() | {"input_mean": sae.norm.mean}
    if sae.out_norm is not sae.norm:
        found["output_mean"] = sae.out_norm.mean
    return {name: tensor.float().cpu() for name, tensor in found.items()}


def _as_int8(name: str, weight: Tensor) -> dict[str, Tensor]:
    """Quantise per feature: a column of the encoder, a row of the decoder."""
    decoder = name == "W_dec"
    unit_norm = decoder and has_unit_rows(weight)  # foreign decoders may have free norms
    steps, scale = quantise_rows(weight if decoder else weight.T, unit_norm=unit_norm)
    return {f"{name}.int8": steps if decoder else steps.T, f"{name}.scale": scale}


def _from_int8(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    for name in _WEIGHTS:
        if f"{name}.int8" in tensors:
            steps, scale = tensors.pop(f"{name}.int8"), tensors.pop(f"{name}.scale")
            decoder = name == "W_dec"
            weight = restore_rows(steps if decoder else steps.T, scale)
            tensors[name] = weight if decoder else weight.T
    return tensors


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError("an SAE's folder", f"{path}, which is not there", "Check the path.")
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise _broken(path, str(error)) from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        found = content.get("schema") if isinstance(content, dict) else type(content).__name__
        raise InputError(
            f"an SAE file of schema {SCHEMA}",
            f"{path} with {found!r}",
            "Load it with the version that wrote it, or `bio-interp import` it.",
        )
    return content


def _read_tensors(path: Path, sha256: str) -> dict[str, Tensor]:
    if not path.is_file():
        raise InputError("an SAE's tensors", f"{path}, which is not there", "Copy both files.")
    if sha256_file(path) != sha256:
        raise _broken(path, "a hash other than the one in sae.json")
    try:
        return _from_int8(load_file(path))
    except (SafetensorError, KeyError, OSError) as error:
        raise _broken(path, str(error)) from error


def _broken(path: Path, why: str) -> BioInterpError:
    return InputError("a whole SAE file", f"{path}: {why}", "Copy or train it again.")
