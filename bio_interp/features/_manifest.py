"""The manifest of a feature store: what the codes depend on, and which shards are complete."""

import json
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

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
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"the manifest {path}", str(error), "The store is damaged.") from error
    found: Any = manifest  # whatever JSON holds
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA:
        raise InputError(
            f"a feature store of schema {SCHEMA} in {folder}",
            f"schema {schema}",
            "Encode again, or install the version of bio_interp that made it.",
        )
    if not _is_whole(found):
        raise InputError(
            f"d_sae, dtype, settings and shards in the manifest {path}",
            "one of them missing or of another type",
            "The store is damaged: encode again.",
        )
    return manifest


def _is_whole(manifest: dict[str, Any]) -> bool:
    shards = manifest.get("shards")
    return (
        isinstance(manifest.get("d_sae"), int)
        and manifest.get("dtype") in ("float16", "float32")
        and isinstance(manifest.get("settings"), dict)
        and isinstance(shards, list)
        and all(
            isinstance(s, dict) and _is_shard(cast(dict[str, Any], s))
            for s in cast(list[Any], shards)
        )
    )


def _is_shard(entry: dict[str, Any]) -> bool:
    counts = (entry.get(key) for key in ("proteins", "residues", "nonzeros"))
    return isinstance(entry.get("name"), str) and all(isinstance(n, int) for n in counts)


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
