"""``atlas.json``: what an atlas was made from, and what it claims."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.provenance import write_json

SCHEMA = 2


@dataclass(frozen=True)
class AtlasInfo:
    """Facts about an atlas.

    Attributes
    ----------
    name, version
        Of the atlas.
    model, site, model_sha256
        What was tapped: model name, site, and hash of the weights.
    licence, citation
        Licence of the atlas, with what its model and data demand; what to cite.
    split_sha256
        Hash of the frozen split.
    domain_limit
        Reconstruction error (residual over variance) that 99 % of the calibration proteins stay
        under.
    decoys
        Calls per 1,000 decoy proteins at the default precision, by kind of decoy.
    measured
        Figures of the test fold, as in the model card.
    data
        Sources of sequences and annotations, with releases and licences.
    versions
        Versions of the packages that made it.
    notes
        Lines to print with every report.
    """

    name: str
    version: str
    model: str
    site: str
    model_sha256: str
    licence: str
    citation: tuple[str, ...]
    split_sha256: str
    domain_limit: float
    decoys: dict[str, float]
    measured: dict[str, Any]
    data: tuple[dict[str, str], ...]
    versions: dict[str, str]
    notes: tuple[str, ...] = ()

    def save(self, folder: Path) -> None:
        """Write ``atlas.json``."""
        write_json(folder / "atlas.json", {"schema": SCHEMA, **asdict(self)})

    @classmethod
    def load(cls, folder: Path) -> AtlasInfo:
        """Read ``atlas.json``.

        Raises
        ------
        NotFoundError
            There is no atlas in `folder`.
        InputError
            The file is broken.
        MismatchError
            The file is of another schema version.
        """
        path = folder / "atlas.json"
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFoundError(
                "an atlas (a folder with atlas.json)",
                str(folder),
                "Name an installed atlas (`bio-interp plugins`) or the folder of one.",
            ) from error
        except (OSError, ValueError, RecursionError) as error:
            raise InputError(
                "atlas.json to be JSON", f"{path}: {error}", "Fetch it anew."
            ) from error
        is_object = isinstance(cast(Any, content), dict)
        made = content.pop("schema", None) if is_object else None
        if made != SCHEMA:
            raise MismatchError(
                f"an atlas of schema {SCHEMA}",
                f"schema {made!r} in {path}",
                "Build it anew with `bio-interp build`, or use the bio_interp it was made with.",
            )
        try:
            for key in ("citation", "data", "notes"):
                content[key] = tuple(content[key])
            return cls(**content)._checked()
        except (KeyError, TypeError) as error:
            raise InputError(
                "all fields of atlas.json", f"{path}: {error}", "Fetch it anew."
            ) from error

    def _checked(self) -> AtlasInfo:
        """Refuse values of another type, which would fail later and far from here."""
        texts = ("name", "version", "model", "site", "model_sha256", "licence", "split_sha256")
        wrong = [key for key in texts if not isinstance(getattr(self, key), str)]
        wrong += [key for key in _DICTS if not isinstance(getattr(self, key), dict)]
        if not isinstance(cast(Any, self.domain_limit), int | float):
            wrong.append("domain_limit")
        if wrong:
            raise TypeError(f"{', '.join(wrong)} of another type")
        return self


_DICTS = ("decoys", "measured", "versions")
