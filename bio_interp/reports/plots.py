"""Plots for notebooks and papers, with matplotlib; also as ``bi.pl``.

Each gives a figure of matplotlib, which a notebook shows and ``savefig`` writes. Positions
are 1-based. Colours of concepts are those of every report (`bio_interp.render.concept_color`).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from numpy import ndarray

from bio_interp.errors import InputError
from bio_interp.render import concept_color
from bio_interp.reports._tracks import ruler_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bio_interp.atlas import FeatureTrack, ProteinView

__all__ = ["along", "tracks"]

_GREY = "#6b7280"
_ROW = 0.3  # inches


class _Plot(Figure):
    """A figure of matplotlib that a notebook shows without ``%matplotlib inline``."""

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, format="png", dpi=110)
        return content.getvalue()


class _Row(NamedTuple):
    """One row of tracks: runs of a concept, or the heat of a feature."""

    label: str
    color: str
    runs: Sequence[tuple[int, int, float]] = ()
    heat: FeatureTrack | None = None


def tracks(view: ProteinView) -> Figure:
    """Draw a protein with its calls, the features behind them, and others that fire.

    Calls are bars, as opaque as their precision; features are heat, 0 to the largest activation
    that the atlas has seen.

    Parameters
    ----------
    view
        From `bio_interp.atlas.view_proteins`.
    """
    rows = _rows(view)
    figure = _Plot(figsize=(9, 0.8 + _ROW * max(1, len(rows))), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(rows):
        for start, end, alpha in row.runs:
            axes.broken_barh(
                [(start - 0.5, end - start + 1)], (place - 0.35, 0.7), color=row.color, alpha=alpha
            )
        if row.heat is not None:
            _draw_heat(axes, row.heat, place, row.color)
    length, status = len(view.protein), view.result.protein
    axes.set(xlim=(0.5, length + 0.5), ylim=(max(1, len(rows)) - 0.5, -0.5))
    axes.set_yticks(range(len(rows)), [row.label for row in rows], fontsize=8)
    axes.set_xticks(ruler_ticks(length))
    axes.set_xlabel(f"residue of {status.accession} ({status.status})")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


def along(
    values: Mapping[str, Float[ndarray, "residues"]],
    *,
    marks: Sequence[int] = (),
    ylabel: str = "activation",
) -> Figure:
    """Draw values along one protein, a line each: a feature in the wild type and in a mutant.

    Parameters
    ----------
    values
        By name, all as long as the protein; NaN leaves a gap.
    marks
        Positions to mark, such as mutated residues.
    ylabel
        What the values are.

    Raises
    ------
    InputError
        There are none, or they differ in length.

    Examples
    --------
    >>> figure = along({"wild type": np.zeros(5), "C2Y": np.arange(5.0)}, marks=[2])
    >>> [line.get_label() for line in figure.axes[0].get_lines()][:2]
    ['wild type', 'C2Y']
    """
    lengths = {len(one) for one in values.values()}
    if len(lengths) != 1:
        raise InputError(
            "values of one protein, as many as it has residues each",
            f"lengths {sorted(lengths)}",
            "Give the values of one protein by name.",
        )
    figure = _Plot(figsize=(9, 2.4), layout="constrained")
    axes = figure.subplots()
    (length,) = lengths
    for name, one in values.items():
        axes.plot(np.arange(1, length + 1), one, label=name, linewidth=1.2)
    for position in marks:
        axes.axvline(position, color=_GREY, linestyle=":", linewidth=1)
    axes.set(xlim=(0.5, length + 0.5), xlabel="residue", ylabel=ylabel)
    axes.set_xticks(ruler_ticks(length))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
    return figure


def _rows(view: ProteinView) -> list[_Row]:
    rows = list[_Row]()
    for concept in dict.fromkeys(call.concept for call in view.result.calls):
        calls = [call for call in view.result.calls if call.concept == concept]
        color = concept_color(concept)
        runs = [(c.start, c.end, max(0.25, c.precision)) for c in calls]
        rows.append(_Row(_short(calls[0].name or concept), color, runs))
        rows += [_Row(f"f{t.feature}", color, heat=t) for t in view.behind.get(concept, ())]
    return rows + [_Row(f"f{t.feature}", _GREY, heat=t) for t in view.others]


def _draw_heat(axes: Axes, track: FeatureTrack, place: int, color: str) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("heat", ["#ffffff00", color])
    axes.imshow(
        np.clip(track.values / track.maximum, 0, 1)[None, :],
        extent=(0.5, len(track.values) + 0.5, place + 0.35, place - 0.35),
        aspect="auto", cmap=shades, vmin=0, vmax=1, interpolation="nearest",
    )  # fmt: skip


def _short(name: str, longest: int = 34) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
