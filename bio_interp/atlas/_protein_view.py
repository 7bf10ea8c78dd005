"""One protein drawn in a terminal: a ruler, its calls, and the features behind them as heat."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from math import floor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from bio_interp.atlas._calls import ProteinResult
from bio_interp.atlas._tables import text_table
from bio_interp.render import element
from bio_interp.sequences import Protein, as_proteins

if TYPE_CHECKING:
    from bio_interp.atlas._atlas import Atlas

PLAIN_HEAT, BLOCK_HEAT = ".123456789", "·▁▂▃▄▅▆▇█"
_TICK = 10  # columns between the numbers of the ruler
_NARROWEST = 20  # columns that are drawn however narrow the terminal is
_CALL_COLUMNS = ("residues", "concept", "name", "type", "precision", "interval", "features")


@dataclass(frozen=True, eq=False)
class FeatureTrack:
    """One feature along one protein: activations ``(residues,)``, and the largest it ever has."""

    feature: int
    values: Float[ndarray, "residues"]
    maximum: float


@dataclass(frozen=True, eq=False)
class ProteinView:
    """A protein with its calls and features, to be drawn; made by `view_proteins`.

    Attributes
    ----------
    protein, result
        The protein, and what `Atlas.annotate` says of it.
    behind
        The features behind the calls of each concept, each drawn under the first concept it
        belongs to.
    others
        More linked features that fire here, the strongest (as share of its maximum) first.
    atlas
        Name of the atlas.
    """

    protein: Protein
    result: ProteinResult
    behind: Mapping[str, tuple[FeatureTrack, ...]] = field(repr=False)
    others: tuple[FeatureTrack, ...] = field(repr=False)
    atlas: str

    def __repr__(self) -> str:
        return self.draw()

    def _repr_html_(self) -> str:
        return element("pre", self.draw(width=110, blocks=True))

    def draw(self, *, width: int = 80, blocks: bool = False, wrap: bool = False) -> str:
        """Draw the tracks as text.

        Parameters
        ----------
        width
            Columns to use.
        blocks
            Heat as Unicode blocks; else digits, tenths of the feature's maximum.
        wrap
            One residue a column with the sequence, in as many parts as needed; else the whole
            protein in one part, a column standing for the strongest of its residues.
        """
        status, length = self.result.protein, len(self.protein)
        head = f"{status.accession}  {length} residues  {status.status}"
        lines = [f"{head}  {status.note}" if status.note else head]
        tracks = self._tracks(BLOCK_HEAT if blocks else PLAIN_HEAT, "━" if blocks else "=")
        names = min(max([8, *(len(label) for label, _, _ in tracks)]), max(width // 3, 12)) + 1
        columns = max(_NARROWEST, width - names)
        scale = 1 if wrap else -(-length // columns)
        step = columns if wrap else max(length, 1)
        for first in range(0, length, step):
            end = min(length, first + step)
            lines += _ruler(first, end, scale, names)
            if scale == 1:
                lines.append("sequence".ljust(names) + self.protein.sequence[first:end])
            for label, values, signs in tracks:
                lines.append(_fit(label, names) + _row(values[first:end], scale, signs))
        if scale > 1:
            lines.append(f"{'':{names}}one column is {scale} residues")
        if self.result.calls:
            lines.append(text_table(_CALL_COLUMNS, self._call_rows(), indent=0))
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values, ready for JSON; positions are 1-based."""
        tracks = [*(t for group in self.behind.values() for t in group), *self.others]
        calls = [asdict(call) for call in self.result.calls]
        for call in calls:
            call["features"] = [f"{self.atlas}/f{f}" for f in call["features"]]
            call |= {k: None for k, v in call.items() if v != v}  # JSON has no NaN
        return {
            **asdict(self.result.protein),
            "sequence": self.protein.sequence,
            "calls": calls,
            "features": [
                {
                    "feature": f"{self.atlas}/f{t.feature}",
                    "maximum": t.maximum,
                    "positions": (np.flatnonzero(t.values) + 1).tolist(),
                    "activations": t.values[t.values != 0].astype(float).round(3).tolist(),
                }
                for t in tracks
            ],
        }

    def _tracks(self, heat: str, line: str) -> list[tuple[str, Float[ndarray, "residues"], str]]:
        """Label, values from 0 to 1 and signs of each row."""
        rows: list[tuple[str, Float[ndarray, "residues"], str]] = []
        for concept in dict.fromkeys(call.concept for call in self.result.calls):
            called = np.zeros(len(self.protein))
            for call in self.result.calls:
                if call.concept == concept:
                    called[call.start - 1 : call.end] = 1.0
            rows.append((concept, called, heat[0] + line))
            rows += [_heat_row(track, heat) for track in self.behind.get(concept, ())]
        return rows + [_heat_row(track, heat) for track in self.others]

    def _call_rows(self) -> list[tuple[object, ...]]:
        return [
            (
                f"{c.start}-{c.end}",
                c.concept,
                c.name,
                c.link_type,
                c.precision,
                f"{c.precision_low:.2f}-{c.precision_high:.2f}",
                " ".join(f"f{feature}" for feature in c.features),
            )
            for c in self.result.calls
        ]


def view_proteins(
    atlas: Atlas,
    proteins: str | Path | Mapping[str, str] | Iterable[Protein],
    *,
    min_precision: float = 0.8,
    features: int = 5,
) -> Iterator[ProteinView]:
    """Look at proteins one after another: calls, and the features behind them.

    Parameters
    ----------
    atlas
        Its model reads each protein once.
    proteins
        As `Atlas.annotate` takes them.
    min_precision
        Calls whose lower bound of precision is at least this.
    features
        So many linked features beside those behind the calls.
    """
    for protein in as_proteins(proteins):
        # asked for everything, since the model is to read the protein once only
        asked = {"all_features": True, "activations": True}
        result = next(atlas.annotate([protein], min_precision=min_precision, **asked))
        yield _view(atlas, protein, result, features)


def _view(atlas: Atlas, protein: Protein, result: ProteinResult, features: int) -> ProteinView:
    told = _without_weak(result)
    lines = {f: _line(atlas, f, values) for f, values in result.activations.items()}
    used: set[int] = set()
    behind: dict[str, tuple[FeatureTrack, ...]] = {}
    for call in told.calls:
        new = [f for f in call.features if f not in used]
        used.update(new)
        behind[call.concept] = behind.get(call.concept, ()) + tuple(lines[f] for f in new)
    linked = set(atlas.pricer.features.tolist())
    others = [track for f, track in lines.items() if f in linked and f not in used]
    ranked = sorted(others, key=lambda t: (-float(t.values.max()) / t.maximum, t.feature))
    return ProteinView(protein, told, behind, tuple(ranked[:features]), atlas.name)


def _without_weak(result: ProteinResult) -> ProteinResult:
    """Leave out the calls that did not reach the precision asked for, and say so."""
    calls = tuple(call for call in result.calls if "weak" not in call.flags)
    low = [call.precision_low for call in result.calls if call.precision_low == call.precision_low]
    status = replace(result.protein, calls=len(calls))
    if not calls and status.status in ("ok", "windowed"):
        status = replace(status, status="no_known_concept")
    if not calls and low and not status.note:
        shown = f"--min-precision {floor(max(low) * 20) / 20:g} shows some"
        status = replace(status, note=f"{len(low)} weaker calls; {shown}")
    return replace(result, protein=status, calls=calls, activations={})


def _line(atlas: Atlas, feature: int, values: Float[ndarray, "residues"]) -> FeatureTrack:
    # an SAE that was saved without maxima is measured by the protein itself
    maximum = max(float(atlas.sae.feature_maxima[feature]), float(values.max(initial=0.0)))
    return FeatureTrack(feature, values, maximum or 1.0)


def _heat_row(track: FeatureTrack, heat: str) -> tuple[str, Float[ndarray, "residues"], str]:
    return f"  f{track.feature}", np.maximum(track.values, 0.0) / track.maximum, heat


def _fit(label: str, width: int) -> str:
    """Pad a label, or shorten it (the table under the drawing has it in full)."""
    return (label if len(label) < width else f"{label[: width - 2]}~").ljust(width)


def _ruler(first: int, end: int, scale: int, names: int) -> list[str]:
    """Two lines: positions, from 1, every so many columns; and marks under them."""
    columns = -(-(end - first) // scale)
    numbers = ""
    for column in range(0, columns, _TICK):
        number = str(first + column * scale + 1)
        if column == 0 or column + len(number) <= columns:
            numbers = f"{numbers:<{column}}"[: max(column - 1, 0)].ljust(column) + number
    marks = "".join("|" if column % _TICK == 0 else "-" for column in range(columns))
    return ["position".ljust(names) + numbers, " " * names + marks]


def _row(values: Float[ndarray, "residues"], scale: int, signs: str) -> str:
    """Draw values from 0 to 1, the largest of each column; only 0 gets the first sign."""
    padded = np.pad(values, (0, -len(values) % scale)).reshape(-1, scale).max(axis=1)
    level = np.ceil(padded * (len(signs) - 1)).clip(0, len(signs) - 1).astype(int)
    return "".join(signs[i] for i in level)
