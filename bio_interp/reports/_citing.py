"""What a result rests on, whom to name for it, and under which licence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bio_interp import __version__

if TYPE_CHECKING:
    from bio_interp.atlas import AtlasInfo

SOFTWARE = f"bio_interp {__version__}, Apache-2.0 (see CITATION.cff)"


def citations(info: AtlasInfo) -> list[tuple[str, str]]:
    """List what to cite for an atlas, as pairs of a role and a text.

    The roles are ``software``, ``atlas``, ``licence``, ``model``, ``cite`` (a publication) and
    ``data`` (a source with its release and licence).
    """
    rows = [
        ("software", SOFTWARE),
        ("atlas", f"{info.name} {info.version}"),
        ("licence", info.licence),
        ("model", f"{info.model}, weights sha256 {info.model_sha256[:12]}"),
    ]
    rows += [("cite", text) for text in info.citation]
    return rows + [("data", _source(source)) for source in info.data]


def _source(facts: dict[str, str]) -> str:
    return "; ".join(v if k == "name" else f"{k}: {v}" for k, v in facts.items() if v)
