"""Draw a logo with matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bio_interp.atlas._decoys import LETTERS
from bio_interp.atlas._logo import SIDE, Logo

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# by chemistry: small and polar, amide, basic, acidic, hydrophobic (as WebLogo has them)
_COLORS = {"GSTYC": "#00802b", "NQ": "#8a2be2", "KRH": "#1f4fd8", "DE": "#d01c1c"}
_HYDROPHOBIC = "#222222"
_LOWEST = 0.01  # bits; lower letters cannot be seen
_NARROW = 0.5  # of the size of the font: I, and no other
_CEILING = 1.0  # bits; a weak logo is not drawn as if it were a strong one


def draw_logo(logo: Logo) -> Figure:
    """Stack the letters of each position, the commonest on top, as high as their share of its bits.

    Parameters
    ----------
    logo
        Positions are drawn from ten before the peak to ten after it.

    Returns
    -------
    Figure
        Of matplotlib; its axis is in bits, and reaches 1 bit at least.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.3, 1.9), layout="constrained")
    axes = figure.subplots()
    heights = logo.probabilities * logo.information[:, None]
    for place, column in enumerate(heights):
        base = 0.0
        for letter in np.argsort(column, kind="stable"):
            if column[letter] >= _LOWEST:
                _draw_letter(axes, LETTERS[letter], place - SIDE, base, float(column[letter]))
                base += float(column[letter])
    axes.set_xticks(range(-SIDE, SIDE + 1, 5))
    axes.set_xlim(-SIDE - 0.6, SIDE + 0.6)
    axes.set_ylim(0, max(_CEILING, float(heights.sum(1).max()) * 1.02))
    axes.set_ylabel("bits")
    axes.set_xlabel("residues from the peak")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _draw_letter(axes: Axes, letter: str, x: float, base: float, height: float) -> None:
    """Stretch a letter to a box 0.95 wide; a narrow one less, or it would not be known."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import PathPatch
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    font = FontProperties(family="DejaVu Sans", weight="bold")  # comes with matplotlib
    outline = TextPath((0, 0), letter, size=1, prop=font)
    box = outline.get_extents()
    fit = Affine2D().translate(-box.x0 - box.width / 2, -box.y0)
    fit = fit.scale(0.95 / max(box.width, _NARROW), height / box.height)
    placed = fit.translate(x, base).transform_path(outline)
    color = next((c for letters, c in _COLORS.items() if letter in letters), _HYDROPHOBIC)
    axes.add_patch(PathPatch(placed, facecolor=color, linewidth=0))
