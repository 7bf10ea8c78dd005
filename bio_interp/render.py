"""Small pieces of HTML, for the reprs of notebooks and for pages: escaped text, tags, colours.

Text is escaped unless it is `Markup`, so that a name out of a file can never become a tag.
"""

from __future__ import annotations

import hashlib
import html
import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

# of the page: every colour of a concept stands out from both by 3:1 or more (WCAG 2.2, 1.4.11)
LIGHT_PAPER, DARK_PAPER = "#ffffff", "#14171c"
_VOID = frozenset({"br", "hr", "img", "link", "meta"})
# relative luminances; hues that a colour-blind eye cannot tell apart may differ in these
_LUMINANCES = (0.14, 0.195, 0.27)
_CHROMA = 0.13
# controls, halves of surrogate pairs, and code points that are no characters
_NOT_TEXT = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


class Markup(str):
    """Text that is HTML already, and is not escaped again."""

    __slots__ = ()


def escape(text: object) -> Markup:
    """Make text safe in HTML, between tags and in quoted attributes; `Markup` stays as it is.

    Characters that HTML has no place for become U+FFFD.

    Examples
    --------
    >>> escape("<script>&'")
    '&lt;script&gt;&amp;&#x27;'
    """
    if isinstance(text, Markup):
        return text
    clean = _NOT_TEXT.sub("\ufffd", str(text))
    return Markup(html.escape(clean, quote=True))


def element(tag: str, *content: object, **attributes: object) -> Markup:
    """Build an element.

    Parameters
    ----------
    tag
        Its name.
    content
        What is in it; escaped unless it is `Markup`.
    attributes
        ``class_`` and ``for_`` lose their last underscore, other underscores become hyphens. None
        and False leave an attribute out; True writes its name only.

    Examples
    --------
    >>> element("td", "a < b", class_="name", data_tip='"x"')
    '<td class="name" data-tip="&quot;x&quot;">a &lt; b</td>'
    """
    words = [tag]
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        key = name.rstrip("_").replace("_", "-")
        words.append(key if value is True else f'{key}="{escape(value)}"')
    start = f"<{' '.join(words)}>"
    if tag in _VOID:
        return Markup(start)
    return Markup(f"{start}{join(content)}</{tag}>")


def join(content: Iterable[object], between: str = "") -> Markup:
    """Put pieces after one another, escaped unless they are `Markup`."""
    return Markup(between.join(escape(piece) for piece in content))


def table(
    columns: Sequence[object], rows: Iterable[Sequence[object]], **attributes: object
) -> Markup:
    """Build a table with a head; see `element` for `attributes`.

    Examples
    --------
    >>> table(["n"], [[1]], class_="calls")
    '<table class="calls"><thead>...<th scope="col">n</th>...<td>1</td></tr></tbody></table>'
    """
    head = element("tr", *(element("th", column, scope="col") for column in columns))
    body = (element("tr", *(element("td", cell) for cell in row)) for row in rows)
    return element("table", element("thead", head), element("tbody", *body), **attributes)


@lru_cache(maxsize=4096)
def concept_color(concept: str) -> str:
    """Choose the colour of a concept: the same in every report, as ``#rrggbb``.

    The hue comes from a hash of the id, and so does one of three lightnesses, for eyes that tell
    fewer hues apart. Contrast is 3:1 or more with light and with dark paper.

    Examples
    --------
    >>> concept_color("pfam:PF00069") == concept_color("pfam:PF00069")
    True
    """
    digest = hashlib.sha256(concept.encode("utf-8", "replace")).digest()
    hue = 2 * math.pi * int.from_bytes(digest[:2], "big") / 65536
    wanted = _LUMINANCES[digest[2] % len(_LUMINANCES)]
    low, high = 0.0, 1.0
    while high - low > 1e-4:  # luminance grows with the lightness of Oklab
        middle = (low + high) / 2
        low, high = (middle, high) if luminance(_oklch(middle, hue)) < wanted else (low, middle)
    return _oklch(high, hue)


def contrast(one: str, other: str) -> float:
    """Compute the contrast ratio of two colours (WCAG 2.2), from 1 to 21.

    Examples
    --------
    >>> contrast("#000000", "#ffffff")
    21.0
    """
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    """Compute the relative luminance of ``#rrggbb`` (WCAG 2.2), from 0 to 1."""
    shares = [share / 255 for share in rgb(color)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def rgb(color: str) -> tuple[int, int, int]:
    """Split ``#rrggbb`` into red, green and blue, each from 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _oklch(lightness: float, hue: float) -> str:
    """Convert from Oklch (Ottosson 2020), with less chroma where sRGB has not so much."""
    chroma = _CHROMA
    linear = _linear(lightness, chroma, hue)
    while chroma > 1e-3 and not all(-1e-4 <= share <= 1 + 1e-4 for share in linear):
        chroma *= 0.95
        linear = _linear(lightness, chroma, hue)
    return "#" + "".join(f"{_byte(share):02x}" for share in linear)


def _linear(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _byte(share: float) -> int:
    share = min(1.0, max(0.0, share))
    curved = 12.92 * share if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055
    return round(255 * curved)
