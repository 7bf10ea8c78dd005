"""``build.toml``: what an atlas is made of, as records."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bio_interp.building._parts import (
    AnnotationPart,
    AnnotatorPart,
    AtlasPart,
    DataPart,
    LinkPart,
    ModelPart,
    ReportPart,
    SaePart,
    SamplePart,
)
from bio_interp.building._tables import fill, refuse_unknown, want_table
from bio_interp.errors import InputError

_PARTS: dict[str, Any] = {
    "data": DataPart,
    "model": ModelPart,
    "sample": SamplePart,
    "sae": SaePart,
    "link": LinkPart,
    "report": ReportPart,
    "atlas": AtlasPart,
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What an atlas is made of; `path` is the TOML file."""

    path: Path
    data: DataPart
    annotations: AnnotationPart
    model: ModelPart
    sae: SaePart
    atlas: AtlasPart
    sample: SamplePart = field(default_factory=SamplePart)
    link: LinkPart = field(default_factory=LinkPart)
    report: ReportPart = field(default_factory=ReportPart)


def load_recipe(path: Path | str) -> Recipe:
    """Read a ``build.toml``.

    Parameters
    ----------
    path
        The file; paths in it are relative to its folder.

    Raises
    ------
    InputError
        It is not there, no TOML, or a key is unknown, missing or of another type. The message has
        the key's full name, what was wanted, and what came. Whether the files that it names are
        there is found out when they are needed, or by `plan`.
    """
    path = Path(path)
    content = _read(path)
    refuse_unknown(content, [*_PARTS, "annotations"], "")
    for name in ("data", "annotations", "model", "sae", "atlas"):
        if name not in content:
            raise InputError(
                f"a table [{name}] in {path}", "none", f"Add [{name}]; see docs/howto-build.md."
            )
    folder = path.parent
    made = {
        name: fill(part, content[name], name=name, folder=folder)
        for name, part in _PARTS.items()
        if name in content
    }
    _load_alone(content["sae"])
    return Recipe(path, annotations=_annotations(content["annotations"], folder), **made)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except (OSError, ValueError) as error:  # bad TOML and bad UTF-8 are ValueErrors
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError("a TOML file", f"{path}: {why}", "See docs/howto-build.md.") from error


def _load_alone(sae: Mapping[str, Any]) -> None:
    others = sorted(set(sae) - {"load", "storage"})
    if "load" in sae and others:
        raise InputError(
            "sae.load with no other key but sae.storage",
            f"sae.{others[0]} beside it",
            "A loaded SAE is not trained: leave out how.",
        )


def _annotations(table: Any, folder: Path) -> AnnotationPart:
    table = want_table(table, "annotations")
    if not table:
        raise InputError(
            "annotations.table, or a table [annotations.NAME] for an annotator",
            "[annotations] with neither",
            "Add [annotations.uniprot] with files = [...].",
        )
    alone = {key: value for key, value in table.items() if key == "table"}
    whole = fill(_Table, alone, name="annotations", folder=folder)
    annotators: dict[str, AnnotatorPart] = {}
    for name, part in table.items():
        if name != "table":
            full = f"annotations.{name}"
            part = want_table(part, full)
            options = want_table(part.get("options", {}), f"{full}.options")
            known = fill(_Files, part, name=full, folder=folder, more=["options"])
            texts = {key: str(value) for key, value in options.items()}
            annotators[name] = AnnotatorPart(known.files, texts)
    return AnnotationPart(whole.table, annotators)


@dataclass(frozen=True, slots=True)
class _Table:
    table: Path | None = None


@dataclass(frozen=True, slots=True)
class _Files:
    files: tuple[Path, ...]
