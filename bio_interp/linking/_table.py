"""The table of links between features and concepts, and the curves that price calls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from bio_interp.annotations import CONCEPTS
from bio_interp.errors import InputError, NotFoundError, printable
from bio_interp.linking._calibration import CALIBRATION
from bio_interp.linking._calls import CallRule
from bio_interp.provenance import atomic_path
from bio_interp.render import element, table

LINKS: dict[str, Any] = {
    "concept": pl.String,
    "name": pl.String,
    "link_type": pl.String,
    "feature": pl.Int32,
    "threshold": pl.Float32,
    "select_f1": pl.Float64,
    "select_clusters": pl.Int32,
    "test_f1": pl.Float64,
    "test_precision": pl.Float64,
    "test_recall": pl.Float64,
    "test_predicted": pl.Int32,
    "test_true": pl.Int32,
    "test_clusters": pl.Int32,
}
_SHOWN = 20  # rows in a notebook
_COLUMNS = ("concept", "name", "link_type", "feature", "select_f1", "test_f1", "test_clusters")
CALLERS: dict[str, Any] = {
    "concept": pl.String,
    "feature": pl.Int32,
    "threshold": pl.Float32,
    "shortest": pl.Int32,
    "weights": pl.List(pl.Float64),
}


@dataclass(frozen=True)
class LinkTable:
    """Links between features and concepts.

    Attributes
    ----------
    links
        A row a concept and link type: the feature and threshold of highest F1 on the select fold,
        and what they reach on the test fold with nothing chosen anew. ``link_type`` is
        ``family_marker`` (the protein has it), ``locator`` (half of a run lies in a span),
        ``delineator`` (runs and spans one to one at 50 % reciprocal overlap: *strict* span-F1) or
        ``interplm`` (residue precision with any-hit span recall: *interplm* span-F1). A concept
        that fails on test has F1 0.
    callers
        A row a feature that makes calls of a concept: its threshold, and the shortest call and the
        weights of the concept's rule; see `CallRule`.
    calibration
        Precision of calls by concept and strength; see `bio_interp.linking.calibrate`.
    concepts
        The concepts: columns of `AnnotationTable.concepts`, and ``group`` (shares a prior curve).
    """

    links: pl.DataFrame
    callers: pl.DataFrame
    calibration: pl.DataFrame
    concepts: pl.DataFrame

    def __repr__(self) -> str:
        features = self.callers["feature"].n_unique()
        return f"LinkTable(concepts={self.concepts.height}, calling features={features})"

    def _repr_html_(self) -> str:
        best = self.links.sort("select_f1", descending=True).head(_SHOWN)
        rows = ([_cell(v) for v in row] for row in best.select(_COLUMNS).iter_rows())
        text = f"{self!r}; its links of highest F1 on the select fold, {best.height} of "
        return element("p", f"{text}{self.links.height:,}") + table(_COLUMNS, rows)

    def rules(self) -> dict[str, CallRule]:
        """Group `callers` by concept, as `Caller` takes them."""
        found: dict[str, CallRule] = {}
        for (concept,), rows in self.callers.group_by("concept", maintain_order=True):
            thresholds = dict(rows.select("feature", "threshold").iter_rows())
            weights = tuple(rows["weights"][0])
            found[str(concept)] = CallRule(thresholds, rows["shortest"][0], weights)
        return found

    def curves_by_concept(self) -> dict[str, list[tuple[float, float, float, float, int]]]:
        """Group `calibration` by concept, ascending in strength, as `look_up` takes it."""
        curves: dict[str, list[tuple[float, float, float, float, int]]] = {}
        frame = self.calibration.sort("concept", "strength").drop("clusters")
        for concept, strength, precision, low, high, n in frame.iter_rows():
            curves.setdefault(concept, []).append((strength, precision, low, high, n))
        return curves

    def sites(self) -> frozenset[str]:
        """Concepts of single residues."""
        return frozenset(self.concepts.filter(pl.col("level") == "residue")["concept"])

    def save(self, folder: Path) -> None:
        """Write four Parquet files."""
        for name in ("links", "callers", "calibration", "concepts"):
            with atomic_path(folder / f"{name}.parquet") as path:
                getattr(self, name).write_parquet(path)

    @classmethod
    def load(cls, folder: Path) -> LinkTable:
        """Read what `save` wrote.

        Raises
        ------
        NotFoundError
            One of the files is not there.
        InputError
            One of the files is damaged, or lacks columns.
        """
        try:
            tables = {n: _read(folder / f"{n}.parquet", schema) for n, schema in _SCHEMAS.items()}
        except FileNotFoundError as error:
            raise NotFoundError(
                "the links of an atlas (links, callers, calibration, concepts .parquet)",
                f"{folder} without one of them",
                "Link again, or fetch the atlas anew.",
            ) from error
        # another's names go to terminals and tables: nothing in them may drive those
        for part in ("links", "concepts"):
            shown = pl.Series("name", [_shown(name) for name in tables[part]["name"]], pl.String)
            tables[part] = tables[part].with_columns(shown)
        return cls(**tables)


def _cell(value: object) -> object:
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else value


def _shown(name: str | None) -> str | None:
    return name if name is None else printable(name).replace("\n", "\\n")


_SCHEMAS: dict[str, dict[str, Any]] = {
    "links": LINKS,
    "callers": CALLERS,
    "calibration": CALIBRATION,
    "concepts": {**CONCEPTS, "group": pl.String},
}


def _read(path: Path, schema: dict[str, Any]) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path.read_bytes())
        wrong = [name for name in schema if frame.schema.get(name) != schema[name]]
        problem = f"columns missing or of another type: {', '.join(wrong)}" if wrong else ""
    except FileNotFoundError:
        raise
    except (OSError, pl.exceptions.PolarsError) as error:
        frame, problem = pl.DataFrame(), str(error)[:200]
    if problem:
        raise InputError(
            "a whole table of links of this version of bio_interp",
            f"{path}: {problem}",
            "Link again, or fetch the atlas anew.",
        )
    return frame


__all__ = ["CALIBRATION", "CALLERS", "LINKS", "LinkTable"]
