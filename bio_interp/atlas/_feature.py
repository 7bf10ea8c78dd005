"""One feature of an atlas: what it is linked with, how it fires, where it fires most."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from bio_interp.atlas._decoys import LETTERS
from bio_interp.atlas._logo import Logo
from bio_interp.atlas._portrait import portrait, read_logo
from bio_interp.atlas._tables import text_table, titled_table
from bio_interp.errors import NotFoundError
from bio_interp.render import element

if TYPE_CHECKING:
    from bio_interp.annotations import AnnotationTable
    from bio_interp.atlas._atlas import Atlas
    from bio_interp.atlas._view import Proteins
    from bio_interp.structures import Structure, StructureView, Style

FEW = 15  # test clusters; figures on fewer are marked
_LINKS = {
    "concept": "concept",
    "name": "name",
    "link_type": "link type",
    "select_f1": "select F1",
    "test_f1": "test F1",
    "test_precision": "precision",
    "test_recall": "recall",
    "test_clusters": "test clusters",
}
_OF_LOGO = ("logo", "background", "consensus")
_CALL_COLUMNS = ("concept", "name", "threshold")
_COFIRE_COLUMNS = ("feature", "share", "linked with")
_EXAMPLE_COLUMNS = ("protein", "fold", "position", "peak", "sequence", "known there")


@dataclass(frozen=True)
class AtlasFeature:
    """What an atlas knows of one feature; made by `Atlas.feature`.

    Attributes
    ----------
    address
        ``<atlas>/f1234``.
    index
        The number in it.
    links
        Its links, the best on the test fold first: columns of `bio_interp.linking.LINKS`.
    calls
        Concepts whose calls it takes part in: ``concept, name, threshold`` (it is on where its
        activation is that or more), sorted by id.
    statistics
        Row of ``features.parquet`` (see `bio_interp.atlas.feature_statistics`); empty where the
        atlas was packed without, and without the columns that an earlier version did not have.
    examples
        Rows of ``examples.parquet`` (see `bio_interp.atlas.EXAMPLES`), by rank: where it fires
        most, in proteins of the folds that choices are made on.
    cofires
        Features that fire on the same residues: ``feature, share, concepts``.
    atlas
        Whose it is.
    """

    address: str
    index: int
    links: pl.DataFrame = field(repr=False)
    calls: pl.DataFrame = field(repr=False)
    statistics: dict[str, Any] = field(repr=False)
    examples: pl.DataFrame = field(repr=False)
    cofires: pl.DataFrame = field(repr=False)
    atlas: Atlas | None = field(default=None, repr=False, compare=False)

    @property
    def portrait(self) -> list[tuple[str, str]]:
        """What is known of how it fires, in words: pairs of a subject and what is said of it.

        What the atlas lacks is the last, ``not measured``; empty for a feature that never fires.
        """
        return portrait(self.statistics)

    @cached_property
    def logo(self) -> Logo | None:
        """Its motif, ``(window, 20)`` as an array; None where chance has as much, or not measured.

        In a notebook it is a picture.
        """
        return read_logo(self.statistics)

    def __repr__(self) -> str:
        parts = [f"{self.address}  {self._firing()}"]
        if rows := self.portrait:
            parts.append(text_table(("portrait", ""), rows))
        if self.links.height:
            parts += ["links", text_table(tuple(_LINKS.values()), self._link_rows())]
            if (self.links["test_clusters"] < FEW).any():
                parts.append(f"  * fewer than {FEW} test clusters: F1 is a rough figure")
        else:
            parts.append("no link: the best feature of no concept by any link type")
        if self.calls.height:
            rows = self.calls.select(_CALL_COLUMNS).iter_rows()
            parts += ["takes part in the calls of", text_table(_CALL_COLUMNS, rows)]
        if self.examples.height:
            about = "fires most at (capitals: it fires; [X]: the peak)"
            parts += [about, text_table(_EXAMPLE_COLUMNS, self._example_rows())]
        elif self.statistics:
            parts.append("examples are kept only of features that take part in links or calls")
        if self.cofires.height:
            title = "fires together with (share: residues of both over residues of either)"
            parts += [title, text_table(_COFIRE_COLUMNS, self._cofire_rows())]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        html = str(element("p", f"{self.address}: {self._firing()}"))
        if rows := self.portrait:
            html += titled_table("portrait", ("subject", "what is known"), rows)
        if self.logo is not None:
            html += element("p", f"motif: {self.logo.consensus}") + self.logo.image()
        html += titled_table("links", tuple(_LINKS.values()), self._link_rows())
        if self.calls.height:
            rows = self.calls.select(_CALL_COLUMNS).iter_rows()
            html += titled_table("takes part in the calls of", _CALL_COLUMNS, rows)
        if self.examples.height:
            html += titled_table("fires most at", _EXAMPLE_COLUMNS, self._example_rows())
        if self.cofires.height:
            html += titled_table("fires together with", _COFIRE_COLUMNS, self._cofire_rows())
        return html

    def view(
        self,
        structure: Structure | Path | str,
        *,
        proteins: Proteins | None = None,
        annotations: AnnotationTable | None = None,
        style: Style = "cartoon",
    ) -> StructureView:
        """Show on a structure where it fires; see `view_features`."""
        from bio_interp.atlas._view import view_features

        if self.atlas is None:
            raise NotFoundError(
                "the atlas of the feature", "none", "Get the feature from `Atlas.feature`."
            )
        return view_features(
            self.atlas,
            [self.index],
            structure,
            proteins=proteins,
            annotations=annotations,
            style=style,
        )

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values, ready for JSON."""
        frames = {"links": self.links, "calls": self.calls, "examples": self.examples}
        return {
            "feature": self.address,
            "statistics": {k: v for k, v in self.statistics.items() if k not in _OF_LOGO} or None,
            "logo": self._logo_dict(),
            **{
                name: [{k: v for k, v in row.items() if k != "feature"} for row in frame.to_dicts()]
                for name, frame in frames.items()
            },
            "cofires": [
                {**row, "feature": f"{self.address.rpartition('/')[0]}/f{row['feature']}"}
                for row in self.cofires.to_dicts()
            ],
        }

    def _logo_dict(self) -> dict[str, Any] | None:
        if self.logo is None:
            return None
        return {
            "consensus": self.logo.consensus,
            "letters": LETTERS,
            "counts": self.logo.counts.tolist(),
            "background": self.logo.background.tolist(),
        }

    def _firing(self) -> str:
        s = self.statistics
        if not s:
            return "(this atlas was packed without statistics and examples)"
        if not s["proteins"]:
            return f"never fires in {s['of_proteins']:,} proteins"
        return (
            f"fires at {s['density']:.2%} of residues, in {s['proteins']:,} of "
            f"{s['of_proteins']:,} proteins; median {s['q50']:.3g}, maximum {s['maximum']:.3g}"
        )

    def _link_rows(self) -> list[tuple[object, ...]]:
        return [
            (*row[:-1], f"{row[-1]}{'*' if row[-1] < FEW else ''}")
            for row in self.links.select(_LINKS.keys()).iter_rows()
        ]

    def _cofire_rows(self) -> list[tuple[object, ...]]:
        return [(f"f{f}", s, ", ".join(c)) for f, s, c in self.cofires.iter_rows()]

    def _example_rows(self) -> list[tuple[object, ...]]:
        return [
            (
                e["accession"],
                e["fold"],
                e["position"],
                float(e["peak"]),
                marked_window(e["window"], e["activations"], e["position"] - e["start"]),
                ", ".join(name or c for c, name in zip(e["concepts"], e["names"], strict=True)),
            )
            for e in self.examples.iter_rows(named=True)
        ]


def marked_window(window: str, activations: list[float], peak: int) -> str:
    """Write residues where the feature fires as capitals, and the one at index `peak` in brackets.

    Examples
    --------
    >>> marked_window("MKVLA", [0.0, 1.0, 3.0, 0.5, 0.0], 2)
    'mK[V]La'
    """
    letters = [r if a > 0 else r.lower() for r, a in zip(window, activations, strict=True)]
    letters[peak] = f"[{letters[peak]}]"
    return "".join(letters)


def parse_address(text: str) -> tuple[str | None, int] | None:
    """Read ``<atlas>/f1234`` or ``f1234``: atlas (None where not given) and number; else None.

    Examples
    --------
    >>> parse_address("unirep/f12"), parse_address("f7"), parse_address("kinase")
    (('unirep', 12), (None, 7), None)
    """
    match = re.fullmatch(r"(?:(.+)/)?[fF](\d{1,9})", text.strip(), flags=re.ASCII)
    return (match[1], int(match[2])) if match else None
