"""What somebody wants to look at: told from a word."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bio_interp.atlas._concept import find_concepts, nearest_concepts
from bio_interp.atlas._feature import parse_address
from bio_interp.errors import NotFoundError

if TYPE_CHECKING:
    from bio_interp.atlas._atlas import Atlas

Target = Literal["feature", "concept", "proteins", "sequence"]
_SHORTEST = 10  # letters of a sequence; anything shorter is a misspelt name


def tell_target(atlas: Atlas, text: str) -> Target:
    """Tell whether a text is a feature, a file of proteins, a concept, or a sequence.

    In this order: ``-`` or a file that is there; ``f12`` or ``<atlas>/f12``; an id, name or part
    of a name of a concept (there may be several, see `find_concepts`); 10 or more capitals, or 30
    or more letters.

    Raises
    ------
    NotFoundError
        None of these; the message lists what is spelt alike.
    """
    if text == "-" or _is_file(text):
        return "proteins"
    if parse_address(text):
        return "feature"
    if text.strip() and find_concepts(atlas.links, text):
        return "concept"
    letters = "".join(text.split()).rstrip("*")
    if letters.isascii() and letters.isalpha():
        long = len(letters) >= (_SHORTEST if letters.isupper() else 3 * _SHORTEST)
        if long:
            return "sequence"
    near = nearest_concepts(atlas.links, text)
    alike = f"Spelt alike: {', '.join(near)}. " if near else ""
    raise NotFoundError(
        f"a feature (f12), one of the {atlas.links.concepts.height} concepts of the atlas "
        f"{atlas.name!r}, a file of proteins, or a sequence",
        repr(text if len(text) <= 60 else text[:60] + "..."),
        f"{alike}An accession needs --proteins FILE.",
    )


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):
        return False
