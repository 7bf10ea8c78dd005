"""The manifest of a feature store: what the codes depend on, and which shards are complete."""

import json
from pathlib import Path
from typing import Any, Literal, TypedDict

from bio_interp.errors import InputError, MismatchError, NotFoundError

ValueType = Literal["float16", "float32"]
SCHEMA = 1


class ShardEntry(TypedDict):
    """A shard's line in the manifest; the shard is complete when it is there."""

    name: str
    proteins: int
    residues: int
    nonzeros: int


class Manifest(TypedDict):
    """What ``manifest.json`` holds."""

    schema: int
    d_sae: int
    dtype: ValueType
    settings: dict[str, Any]
    shards: list[ShardEntry]


def read_manifest(folder: Path) -> Manifest:
    """Read and check ``manifest.json``."""
    path = folder / "manifest.json"
    try:
        manifest: Manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError(
            f"a feature store in {folder}", "no manifest.json there", "Check the folder."
        ) from error
    except ValueError as error:
        raise InputError(f"the manifest {path}", str(error), "The store is damaged.") from error
    if manifest.get("schema") != SCHEMA:
        raise InputError(
            f"a feature store of schema {SCHEMA} in {folder}",
            f"schema {manifest.get('schema')}",
            "Encode again, or install the version of bio_interp that made it.",
        )
    return manifest


def refuse_other_settings(folder: Path, found: Manifest, wanted: Manifest) -> None:
    """Raise `MismatchError` with the list of settings that differ."""
    old = {"d_sae": found["d_sae"], "dtype": found["dtype"], **found["settings"]}
    new = {"d_sae": wanted["d_sae"], "dtype": wanted["dtype"], **wanted["settings"]}
    missing = object()
    changed = [key for key in sorted(old | new) if old.get(key, missing) != new.get(key, missing)]
    if changed:
        raise MismatchError(
            f"the settings that the feature store {folder} was made with",
            "; ".join(f"{key}: {old.get(key)!r} there, {new.get(key)!r} now" for key in changed),
            "Choose another folder, or encode with those settings.",
        )
