"""``features.parquet``: a portrait of each feature of an atlas, from every residue it fires on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float
from numpy import ndarray

from bio_interp.annotations import EVIDENCE_LEVELS, AnnotationTable
from bio_interp.atlas._cofiring import partners
from bio_interp.atlas._extent import extent
from bio_interp.atlas._known import row_evidence, spans_of, top_concepts
from bio_interp.atlas._logo import WINDOWS, RandomLogos, composition, logo_columns
from bio_interp.atlas._shown import Firing, Shown
from bio_interp.errors import MismatchError
from bio_interp.features import FeatureStore
from bio_interp.linking.spatial import SPATIAL
from bio_interp.sequences import Protein

FEATURES: dict[str, Any] = {
    "feature": pl.Int32,
    "density": pl.Float64,
    "of_residues": pl.Int64,
    "proteins": pl.Int32,
    "of_proteins": pl.Int32,
    "maximum": pl.Float32,
    "q50": pl.Float32,
    "q90": pl.Float32,
    "q99": pl.Float32,
    "histogram": pl.List(pl.Int64),
    "extent": pl.String,
    "runs": pl.Int64,
    "run_q25": pl.Float32,
    "run_q50": pl.Float32,
    "run_q75": pl.Float32,
    "strong": pl.Float32,
    "strong_runs": pl.Int64,
    "strong_q25": pl.Float32,
    "strong_q50": pl.Float32,
    "strong_q75": pl.Float32,
    "cover": pl.Float32,
    "periodicity": pl.Float32,
    "period": pl.Float32,
    "clusters": pl.Int32,
    "of_clusters": pl.Int32,
    "effective_clusters": pl.Float32,
    "logo": pl.List(pl.UInt8),
    "background": pl.List(pl.Float32),
    "logo_windows": pl.Int32,
    "logo_information": pl.Float32,
    "logo_null": pl.Float32,
    "logo_floor": pl.Float32,
    "consensus": pl.String,
    "concepts": pl.List(pl.String),
    "concept_names": pl.List(pl.String),
    "concept_share": pl.List(pl.Float32),
    "concept_base": pl.List(pl.Float32),
    "evidence": pl.List(pl.Int64),
    "stability": pl.Float32,
    "stability_null": pl.Float32,
    "seeds": pl.Int32,
    **SPATIAL,
    "cofires": pl.List(pl.Int32),
    "cofire_share": pl.List(pl.Float32),
}
BINS = 20


def feature_statistics(
    store: FeatureStore,
    proteins: Bool[ndarray, "proteins"],
    linked: Sequence[int],
    *,
    clusters: Sequence[str] | None = None,
    sequences: Iterable[Protein] | None = None,
    annotations: AnnotationTable | None = None,
) -> pl.DataFrame:
    """Measure every feature of a store, in one pass over the residues where each fires.

    Parameters
    ----------
    store
        Codes of proteins.
    proteins
        Bool mask over ``store.accessions``: measure on these alone.
    linked
        Features whose co-firing is counted.
    clusters
        Homology cluster of each protein of the store; each is its own where None.
    sequences
        Of the proteins that are measured on, for logos. A byte a residue is held.
    annotations
        Of these proteins, for evidence and concepts.

    Returns
    -------
    DataFrame
        Columns of `FEATURES`, a row a feature:

        - ``density`` (share of ``of_residues`` residues where it fires), ``proteins`` of
          ``of_proteins`` where it fires at all, ``maximum`` and quantiles of the activations where
          it fires (0 where it never does), ``histogram``: firing residues in `BINS` equal steps
          from 0 to the maximum, the upper end belonging to the step.
        - ``extent`` to ``period``: how far it reaches, on all residues where it fires; see
          `bio_interp.atlas.Extent`. ``runs`` and quartiles of their lengths (``run_q50`` is the
          median); ``strong``, the activation from which it is strong; strong runs, and their
          lengths; ``cover``, see *whole*; ``periodicity`` (null where there are too few runs) and
          ``period`` (residues; null but for *periodic*).
        - ``clusters`` of ``of_clusters`` where it fires, and ``effective_clusters``: the
          exponential of the entropy of its summed activation over clusters, so 1 where one
          cluster has all of it.
        - ``logo`` to ``consensus``: its motif around its best residues (where it is strong, one a
          cluster, 200 at most); see `bio_interp.atlas.Logo`. ``logo`` is null where one of 1,000
          random logos has as much information, and for fewer than 10 clusters.
        - ``concepts`` at the same residues: their names, the share of these residues
          (``concept_share``) and of all residues (``concept_base``) that bear them.
        - ``evidence``: firing residues by the strongest evidence of their annotations: a number for
          each of `bio_interp.annotations.EVIDENCE_LEVELS`, and last those without any annotation.
        - ``stability``, ``stability_null`` and ``seeds`` are null; see `write_stability`.
        - ``spatial_fires`` to ``around_q`` are null; see `write_spatial`.
        - ``cofires``: the features that overlap most with it, as ``cofire_share``, residues where
          both fire over residues where either does. Empty for features that are not `linked`.

        What lacks its input (sequences, annotations) is null.

    Raises
    ------
    NotFoundError, MismatchError
        `sequences` lack one of the proteins, or it has another length.
    """
    _check_clusters(store, clusters)
    shown = Shown.of(store, proteins, clusters, sequences)
    return measure_features(store, shown, linked, annotations)


def measure_features(
    store: FeatureStore,
    shown: Shown,
    linked: Sequence[int],
    annotations: AnnotationTable | None = None,
) -> pl.DataFrame:
    """Do the work of `feature_statistics` on proteins that are numbered already."""
    measured = _Pass(store, shown, annotations)
    rows = [measured.feature(f) for f in range(store.d_sae)]
    measured.add_concepts(rows)
    counts = np.array([row["residues"] for row in rows], dtype=np.int64)
    found = partners(store, shown.kept, linked, counts)
    none: tuple[list[int], list[float]] = ([], [])
    for row in rows:
        row["cofires"], row["cofire_share"] = found.get(row["feature"], none)
    return pl.DataFrame(rows, schema=FEATURES)


class _Pass:
    """What is the same for all features, and the peaks of those that were measured."""

    def __init__(
        self, store: FeatureStore, shown: Shown, annotations: AnnotationTable | None
    ) -> None:
        self.store, self.shown, self.annotations = store, shown, annotations
        self.of = {
            "of_residues": shown.residues,
            "of_proteins": int(shown.kept.sum()),
            "of_clusters": shown.of_clusters,
        }
        self.peaks: list[ndarray] = []
        if has_letters := bool(len(shown.letters)):
            self.background = composition(shown)
            self.chance = RandomLogos(shown, self.background)
        self.has_letters = has_letters
        if annotations is not None:
            self.spans = spans_of(annotations, store.accessions, shown)
            self.evidence = row_evidence(self.spans, int(shown.starts[-1]))

    def feature(self, feature: int) -> dict[str, Any]:
        """Measure one feature; they are asked for in order."""
        firing = Firing.of(self.store.feature(feature), self.shown)
        peaks = firing.peaks(self.shown)
        rows = firing.rows(self.shown)
        clusters, reach = len(peaks), extent(firing, peaks, self.shown)
        if len(peaks):
            peaks = peaks[firing.hits.values[peaks] >= reach["strong"]]
        self.peaks.append(rows[peaks[:WINDOWS]])
        row = {
            "feature": feature,
            **self.of,
            "residues": len(rows),
            "density": len(rows) / max(self.of["of_residues"], 1),
            "proteins": len(firing.bearers),
            "clusters": clusters,
            "effective_clusters": _effective(firing, self.shown),
            **_activations(firing.hits.values),
            **reach,
        }
        if self.has_letters:
            row |= logo_columns(self.peaks[-1], self.shown, self.chance, self.background)
        if self.annotations is not None:
            levels = np.bincount(self.evidence[rows], minlength=len(EVIDENCE_LEVELS) + 1)
            row["evidence"] = levels.tolist()
        return row

    def add_concepts(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add what is annotated at the peaks to the rows of all features."""
        if self.annotations is None:
            return
        feature = np.repeat(np.arange(len(rows)), [len(p) for p in self.peaks])
        found = top_concepts(feature, np.concatenate(self.peaks), self.spans, self.shown.residues)
        names = dict(self.annotations.concepts.select("concept", "name").iter_rows())
        for row in rows:
            top = found.get(row["feature"], [])
            row["concepts"] = [t["concept"] for t in top]
            row["concept_names"] = [names.get(t["concept"]) or "" for t in top]
            row["concept_share"] = [t["share"] for t in top]
            row["concept_base"] = [t["base"] for t in top]


def _activations(values: Float[ndarray, "hits"]) -> dict[str, Any]:
    """Largest, quantiles and histogram of the activations of a feature where it fires."""
    if not len(values):
        return {"maximum": 0.0, "q50": 0.0, "q90": 0.0, "q99": 0.0, "histogram": [0] * BINS}
    at = {q: len(values) * q // 100 for q in (50, 90, 99)}
    ranked = np.partition(values, list(at.values()))
    maximum = float(values.max())
    step = np.ceil(values.astype(np.float64) * (BINS / maximum)).astype(np.int64) - 1
    histogram = np.bincount(np.clip(step, 0, BINS - 1), minlength=BINS)
    quantiles = {f"q{q}": float(ranked[place]) for q, place in at.items()}
    return {"maximum": maximum, **quantiles, "histogram": histogram.tolist()}


def _effective(firing: Firing, shown: Shown) -> float:
    """Exponential of the entropy of summed activation over clusters; 0 where it never fires."""
    if not len(firing.hits):
        return 0.0
    mass = np.add.reduceat(firing.hits.values.astype(np.float64), firing.first[:-1])
    share = np.bincount(shown.clusters[firing.bearers], weights=mass) / mass.sum()
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def _check_clusters(store: FeatureStore, clusters: Sequence[str] | None) -> None:
    if clusters is not None and len(clusters) != len(store):
        raise MismatchError(
            f"a cluster for each of the {len(store)} proteins of the store",
            f"{len(clusters)}",
            "List them in the order of its accessions.",
        )
