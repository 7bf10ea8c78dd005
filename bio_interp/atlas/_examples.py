"""``examples.parquet``: where the features of an atlas fire most; written with the statistics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bio_interp.annotations import AnnotationTable
from bio_interp.atlas._shown import Firing, Shown
from bio_interp.atlas._statistics import measure_features
from bio_interp.errors import NotFoundError
from bio_interp.features import FeatureHits, FeatureStore
from bio_interp.linking import LinkTable
from bio_interp.provenance import atomic_path
from bio_interp.sequences import FOLDS, Protein, Split

EXAMPLES: dict[str, Any] = {
    "feature": pl.Int32,
    "rank": pl.Int32,
    "accession": pl.String,
    "fold": pl.String,
    "length": pl.Int32,
    "position": pl.Int32,
    "peak": pl.Float32,
    "start": pl.Int32,
    "window": pl.String,
    "activations": pl.List(pl.Float32),
    "concepts": pl.List(pl.String),
    "names": pl.List(pl.String),
}
PER_FEATURE = 5
SIDE = 10  # residues shown on either side of the peak
SHOWN_FOLDS = ("fit", "select")


def write_features(
    folder: Path,
    store: FeatureStore,
    proteins: Iterable[Protein],
    links: LinkTable,
    *,
    split: Split,
    annotations: AnnotationTable | None = None,
    folds: Sequence[str] = SHOWN_FOLDS,
) -> None:
    """Write ``features.parquet`` and ``examples.parquet`` into the folder of an atlas.

    Both are made from the folds where things may be chosen (*fit* and *select*). So whatever is
    later named, labelled or picked by looking at examples can still be tested: no protein of
    *calibrate* or *test* is shown.

    Parameters
    ----------
    folder
        Of the atlas.
    store
        Codes of the atlas's SAE.
    proteins
        Sequences, of the store's proteins at least; read once, a byte a residue is held.
    links
        Examples and co-firing are kept of the features that take part in its links or calls.
    split
        Folds and clusters; a feature's examples are of different clusters.
    annotations
        What is known at the peaks, and how well.
    folds
        Folds to look at, of those that the store holds.

    Raises
    ------
    NotFoundError
        The store holds no protein of `folds`, or a sequence of them is not in `proteins`.
    MismatchError
        A sequence has not the length that was encoded.
    """
    names = store.accessions
    named = [split.fold(a) for a in names]
    kept = np.isin(named, list(folds))
    if not kept.any():
        raise NotFoundError(
            f"proteins of the folds {', '.join(folds)} in the feature store",
            f"folds {', '.join(f for f in FOLDS if f in named) or 'none'} in {store.folder}",
            "Encode proteins of these folds, or name other folds.",
        )
    linked = linked_features(links)
    clusters = [split.cluster(a) for a in names]
    shown = Shown.of(store, kept, clusters, proteins)
    frames = {
        "features": measure_features(store, shown, linked, annotations),
        "examples": _with_concepts(_pick(store, split, shown, linked), annotations),
    }
    for name, frame in frames.items():
        with atomic_path(folder / f"{name}.parquet") as path:
            frame.write_parquet(path, compression="zstd", compression_level=19)


def linked_features(links: LinkTable) -> list[int]:
    """List the features that take part in links or calls, ascending."""
    return sorted({*links.links["feature"], *links.callers["feature"]})


def _pick(store: FeatureStore, split: Split, shown: Shown, linked: Sequence[int]) -> pl.DataFrame:
    """Cut windows around the peaks of each feature."""
    names, lengths = store.accessions, store.lengths
    rows: list[dict[str, Any]] = []
    for feature in linked:
        firing = Firing.of(store.feature(feature), shown)
        hits = firing.hits
        for rank, hit in enumerate(firing.peaks(shown)[:PER_FEATURE], 1):
            protein, position = int(hits.proteins[hit]), int(hits.positions[hit])
            start, values = peak_window(hits, protein, position, int(lengths[protein]))
            first = shown.starts[protein] + start - 1
            rows.append(
                {
                    "feature": feature,
                    "rank": rank,
                    "accession": names[protein],
                    "fold": split.fold(names[protein]),
                    "length": int(lengths[protein]),
                    "position": position,
                    "peak": float(hits.values[hit]),
                    "start": start,
                    "window": shown.letters[first : first + len(values)].tobytes().decode("ascii"),
                    "activations": values,
                }
            )
    own = {name: kind for name, kind in EXAMPLES.items() if name not in ("concepts", "names")}
    return pl.DataFrame(rows, schema=own)


def peak_window(
    hits: FeatureHits, protein: int, position: int, length: int
) -> tuple[int, list[float]]:
    """Start of the window around a peak, and the activations in it to two decimals."""
    start = max(1, min(position - SIDE, length - 2 * SIDE))
    end = min(length, start + 2 * SIDE)
    own = slice(*np.searchsorted(hits.proteins, [protein, protein + 1]))
    at, values = hits.positions[own], hits.values[own]
    inside = (at >= start) & (at <= end)
    row = np.zeros(end - start + 1)
    row[at[inside] - start] = values[inside]
    return start, row.round(2).tolist()


def _with_concepts(examples: pl.DataFrame, annotations: AnnotationTable | None) -> pl.DataFrame:
    """Add what is annotated at each peak."""
    if annotations is None:
        annotations = AnnotationTable.from_records([], [], [])
    at = examples.select("accession", "position").unique()
    spans = annotations.rows.select("accession", "concept", left="start", right="end")
    known = (
        at.join(spans, on="accession")
        .filter(pl.col("position").is_between("left", "right"))
        .join(annotations.concepts.select("concept", "name"), on="concept", how="left")
        .unique(["accession", "position", "concept"])
        .sort("concept")
        .group_by("accession", "position", maintain_order=True)
        .agg(concepts="concept", names=pl.col("name").fill_null(""))
    )
    joined = examples.join(known, on=["accession", "position"], how="left")
    empty = pl.lit([], dtype=pl.List(pl.String))
    filled = joined.with_columns(pl.col("concepts", "names").fill_null(empty))
    return filled.select(pl.col(name).cast(kind) for name, kind in EXAMPLES.items()).sort(
        "feature", "rank"
    )
