"""The pictures of docs/known-annotations.md."""

from pathlib import Path
from typing import Any

import numpy as np
from _page_rows import (
    MODELS,
    SOURCES,
    Found,
    guess,
    mean,
    measured,
    minus,
    models,
    residue_rows,
    summary,
    titled,
)
from matplotlib.figure import Figure


def draw_pictures(results: Found, folder: Path) -> None:
    """Write ``known-annotations-minus.png`` and ``known-annotations-f1.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in (("minus", differences(results)), ("f1", heights(results))):
        # without the version of matplotlib in it, the file changes with the figures alone
        path = folder / f"known-annotations-{name}.png"
        figure.savefig(path, dpi=110, metadata={"Software": None})


def differences(results: Found) -> Figure:
    """Draw the SAE less each baseline, a panel a model, a row a set."""
    figure, panels = _panels(results)
    others = [name for name in SOURCES if name != "sae"]
    for model, axes in panels.items():
        sets = measured(results, model)
        for i, other in enumerate(others):
            for at, (name, _) in enumerate(sets):
                one = minus(results, model, name, other, "residue")
                if one:
                    value, low, high = (one[f"mean_f1{end}"] for end in ("", "_low", "_high"))
                    y = at + 0.12 * (i - (len(others) - 1) / 2)
                    error = np.maximum([[value - low], [high - value]], 0)
                    label = SOURCES[other] if at == 0 else None
                    axes.errorbar(
                        value, y, xerr=error, fmt="o", ms=3, lw=1, color=f"C{i}", label=label
                    )
        axes.axvline(0, color="0.5", lw=0.8)
        _finish(axes, model, sets, "SAE minus the other, mean residue F1 on test")
    _legend(figure, panels)
    return figure


def heights(results: Found) -> Figure:
    """Draw the mean residue F1 of each source, a panel a model, a row a set."""
    figure, panels = _panels(results)
    for model, axes in panels.items():
        sets = measured(results, model)
        for i, source in enumerate(SOURCES):
            rows = [summary(results, model, name, source, "residue") for name, _ in sets]
            values = [r["mean_f1"] if r else np.nan for r in rows]
            marker = "D" if source == "sae" else "o"
            axes.plot(
                values,
                range(len(sets)),
                marker,
                ms=5,
                color=f"C{(i - 1) % 10}",
                label=SOURCES[source],
            )
        every = [_guesses(results, model, name) for name, _ in sets]
        axes.plot(every, range(len(sets)), "k|", ms=12, label="every residue, a guess")
        axes.set_xlim(0, None)
        _finish(axes, model, sets, "mean residue F1 on test")
    _legend(figure, panels)
    return figure


def _guesses(results: Found, model: str, name: str) -> float:
    return mean(guess(row) for row in residue_rows(results, model, name, "sae").values())


def _panels(results: Found) -> tuple[Figure, dict[str, Any]]:
    names = models(results)
    most = max((len(measured(results, m)) for m in names), default=1)
    figure = Figure(figsize=(5.6 * max(1, len(names)) + 2, 1.4 + 0.62 * most), layout="constrained")
    axes: Any = figure.subplots(1, max(1, len(names)), squeeze=False)[0]
    return figure, dict(zip(names, axes, strict=False))


def _finish(axes: Any, model: str, sets: list[tuple[str, Found]], label: str) -> None:
    axes.set_yticks(range(len(sets)), [titled(*one) for one in sets], fontsize="small")
    axes.set_ylim(len(sets) - 0.4, -0.6)
    axes.set_xlabel(label)
    axes.set_title(MODELS[model], fontsize="medium")


def _legend(figure: Figure, panels: dict[str, Any]) -> None:
    if panels:
        handles, labels = next(iter(panels.values())).get_legend_handles_labels()
        figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncols=2 + len(panels),
            fontsize="small",
            frameon=False,
        )
