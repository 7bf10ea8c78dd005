"""What was found for a query: features, and the negatives that they fire on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from bio_interp.atlas import text_table
from bio_interp.discovery._contrasted import chance_text
from bio_interp.render import Markup, element, table

FOUND: dict[str, Any] = {
    "concept": pl.String,
    "link_type": pl.String,
    "feature": pl.String,
    "known": pl.String,
    "threshold": pl.Float64,
    "select_f1": pl.Float64,
    "test_f1": pl.Float64,
    "residue_precision": pl.Float64,
    "residue_recall": pl.Float64,
    "span_recall": pl.Float64,
    "residue_f1": pl.Float64,
    "interplm_f1": pl.Float64,
    "prevalence": pl.Float64,
    "spans": pl.Int64,
    "clusters": pl.Int64,
    "p_clusters": pl.Float64,
    "q_clusters": pl.Float64,
    "p_place": pl.Float64,
    "q_place": pl.Float64,
}
NEGATIVES: dict[str, Any] = {
    "concept": pl.String,
    "link_type": pl.String,
    "feature": pl.String,
    "accession": pl.String,
    "position": pl.Int64,
    "activation": pl.Float64,
    "spans": pl.Int64,
    "distance": pl.Int64,
    "window": pl.String,
}
_LINKS = {
    "concept": "concept",
    "name": "name",
    "link_type": "link type",
    "feature": "feature",
    "threshold": "threshold",
    "select_f1": "select F1",
    "test_f1": "test F1",
    "test_precision": "precision",
    "test_recall": "recall",
    "test_clusters": "clusters",
}
_FEATURES = {
    "concept": "concept",
    "link_type": "link type",
    "feature": "feature",
    "known": "known as",
    "threshold": "threshold",
    "select_f1": "select F1",
    "test_f1": "test F1",
    "residue_precision": "residues right",
    "residue_recall": "found",
    "span_recall": "spans hit",
    "clusters": "clusters",
    "q_clusters": "q clusters",
    "q_place": "q place",
}
_PLACES = {
    "accession": "protein",
    "position": "position",
    "activation": "activation",
    "distance": "to a span",
    "window": "sequence",
}
_SHOWN = 3  # features whose negatives are printed


@dataclass(frozen=True)
class Found:
    """Features for a query; made by `find`.

    Attributes
    ----------
    atlas
        Its name.
    facts
        ``query``, and how it was searched: proteins, spans, clusters of both halves.
    features
        Of a concept or words, the columns `bio_interp.atlas.LINKED`. Of a motif or spans, `FOUND`:

        - ``concept`` (the motif, or the label of the spans), ``link_type``, ``feature``,
          ``threshold``, and ``known``: the name that the atlas has for the feature.
        - ``select_f1``, ``test_f1``: F1 of the link type, where it was chosen and on the other
          half. All columns after it are of the other half.
        - ``residue_precision`` (share of the firing residues that are in a span),
          ``residue_recall``, ``span_recall`` (spans hit by a residue or more), ``residue_f1`` (of
          the first two), ``interplm_f1`` (of the first and third), ``prevalence`` (share of all
          residues that are in a span), ``spans``, and ``clusters`` that bear one.
        - ``p_clusters``: are clusters hit that bear a span? Exact tail. ``p_place``: do the hits
          lie in the spans? Spans rotated within their proteins. ``q_...``: false discovery rate
          over the rows. Where all proteins have spans the first says nothing, and is 1.
    negatives
        Columns `NEGATIVES`: the strongest places of each feature that are in no span, one a
        cluster, of the half that is reported. ``spans`` of the protein, ``distance`` in residues to
        the nearest, and the sequence around it with the residues that fire as capitals.
    """

    atlas: str
    facts: dict[str, Any]
    features: pl.DataFrame = field(repr=False)
    negatives: pl.DataFrame = field(repr=False)

    def __repr__(self) -> str:
        parts = [*self.notes(), text_table(tuple(self._columns().values()), self._rows())]
        for title, rows in self._places():
            parts += [title, text_table(tuple(_PLACES.values()), rows) if rows else "  none"]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        parts = [element("p", line) for line in self.notes()]
        parts.append(table(tuple(self._columns().values()), map(_cells, self._rows())))
        for title, rows in self._places():
            parts += [element("p", title), table(tuple(_PLACES.values()), map(_cells, rows))]
        return Markup("".join(parts))

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values, ready for JSON."""
        features, negatives = (
            frame.with_columns(pl.selectors.float().fill_nan(None)).to_dicts()
            for frame in (self.features, self.negatives)
        )
        return {"atlas": self.atlas, **self.facts, "features": features, "negatives": negatives}

    def notes(self) -> list[str]:
        """Say in lines what was searched, and how."""
        facts = self.facts
        if facts["kind"] == "concept":
            return [
                f"links of {self.atlas} for {facts['query']!r}, ranked by F1 on its select fold"
            ]
        return [
            f"{facts['query']}: {facts['spans']:,} spans in {facts['with_spans']:,} of "
            f"{facts['proteins']:,} proteins",
            f"chosen on {facts['select_clusters']:,} clusters, reported on "
            f"{facts['test_clusters']:,} others (by {facts['clusters_by']})",
            f"{facts['seen_by_atlas']:,} of the proteins were used to make the atlas",
        ]

    def _columns(self) -> dict[str, str]:
        if self.facts["kind"] == "concept":
            return _LINKS
        several = self.features["concept"].n_unique() > 1
        return {k: v for k, v in _FEATURES.items() if several or k != "concept"}

    def _rows(self) -> list[tuple[object, ...]]:
        return [
            tuple(chance_text(x) if name.startswith("q_") else x for name, x in row.items())
            for row in self.features.select(*self._columns()).iter_rows(named=True)
        ]

    def _places(self) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
        """Give the negatives of the first features, under a title each."""
        shown = self.negatives.select("concept", "feature").unique(maintain_order=True)
        for concept, feature in shown.head(_SHOWN).iter_rows():
            own = (pl.col("feature") == feature) & (pl.col("concept") == concept)
            first = self.negatives.filter(own).unique(
                ("accession", "position"), maintain_order=True
            )
            title = f"{feature} fires, with no {concept} there (capitals: it fires; [X]: the peak)"
            yield title, list(first.select(*_PLACES).iter_rows())


def _cells(row: tuple[object, ...]) -> list[object]:
    return [f"{cell:.2f}" if isinstance(cell, float) else cell for cell in row]
