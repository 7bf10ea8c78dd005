"""What sparsity costs: plots of the SAEs of a sweep."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from bio_interp.provenance import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 4
_MARKERS = "osD^vP"
_LABELS = {
    "fvu": "share of variance unexplained",
    "ce_recovered": "share of cross-entropy recovered",
}


def pareto_plots(table: pl.DataFrame, y: str, path: Path) -> None:
    """Plot a column of a sweep against L0, a panel a site, as PNG and as SVG.

    A colour is a width, a marker an architecture, a dot an SAE; lines join the means over seeds.
    Bars are intervals, where the table has ``<y>_low`` and ``<y>_high``. SAEs without a value are
    left out.

    Parameters
    ----------
    table
        With columns ``site``, ``width``, ``k``, ``architecture``, ``l0`` and `y`.
    y
        The column.
    path
        Without suffix: ``path.png`` and ``path.svg`` are written.
    """
    import matplotlib as mpl

    known = table.filter(pl.col(y).is_not_null() & (pl.col("l0") > 0))
    figure = _figure(known, y, table["site"].unique(maintain_order=True).to_list())
    with mpl.rc_context({"svg.hashsalt": "bio_interp", "svg.fonttype": "none"}):
        for suffix, facts in ((".png", {}), (".svg", {"Date": None})):  # the same bytes each time
            with atomic_path(path.with_name(path.name + suffix)) as temporary:
                figure.savefig(temporary, dpi=150, metadata=facts)


def _figure(table: pl.DataFrame, y: str, sites: Sequence[str]) -> "Figure":
    import matplotlib as mpl
    from matplotlib.figure import Figure

    columns = min(_COLUMNS, len(sites))
    rows = -(-len(sites) // columns)
    figure = Figure(figsize=(3.2 * columns + 1.6, 2.8 * rows + 0.4), layout="constrained")
    panels: Any = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    widths = sorted(table["width"].unique())
    shades = mpl.colormaps["viridis"]
    colours = {w: shades(0.9 * i / max(1, len(widths) - 1)) for i, w in enumerate(widths)}
    markers = dict(zip(sorted(table["architecture"].unique()), _MARKERS, strict=False))
    for place, panel in enumerate(panels.flat):
        if place >= len(sites):
            panel.set_visible(False)
            continue
        of_site = table.filter(pl.col("site") == sites[place])
        for (width, architecture), group in of_site.group_by(
            "width", "architecture", maintain_order=True
        ):
            label = f"{width:,} {architecture}"
            _draw(panel, group, y, colours[width], markers.get(architecture, "x"), label)
        panel.set_title(sites[place], fontsize=10)
    _frame(figure, panels, y)
    return figure


def _draw(panel: "Axes", group: pl.DataFrame, y: str, colour: Any, marker: str, label: str) -> None:
    mean = group.group_by("k").agg(pl.col("l0", y).mean()).sort("l0")
    panel.plot(mean["l0"], mean[y], color=colour, linewidth=1)
    ends = [f"{y}_low", f"{y}_high"]
    if set(ends) <= set(group.columns):
        panel.vlines(group["l0"], group[ends[0]], group[ends[1]], color=colour, linewidth=0.8)
    style: Any = {"marker": marker, "label": label, "zorder": 3}
    panel.scatter(group["l0"], group[y], 22, [colour], **style)


def _frame(figure: "Figure", panels: Any, y: str) -> None:
    """Scale, name and explain: one legend for all panels."""
    entries: dict[str, Any] = {}
    for panel in panels.flat:
        panel.grid(visible=True, color="0.9", linewidth=0.6)
        panel.set_axisbelow(True)
        handles, labels = panel.get_legend_handles_labels()
        entries |= {label: handle for handle, label in zip(handles, labels, strict=True)}
    panels[0, 0].set_xscale("log", base=2)
    panels[0, 0].xaxis.set_major_formatter("{x:g}")
    if y == "fvu":
        panels[0, 0].set_ylim(bottom=0)
    figure.supxlabel("L0: features on in a residue, on average", fontsize=10)
    figure.supylabel(_LABELS.get(y, y), fontsize=10)
    if entries:
        figure.legend(
            entries.values(), entries, loc="outside right upper", fontsize=8, frameon=False
        )
