"""Hits that overlap on one protein, and concepts that lie on the same places."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from bio_interp.annotations._table import COVERAGE


def resolve_overlaps(
    rows: pl.DataFrame, score: str = "bits", *, max_overlap: float = 0.5
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep the best of the hits that overlap on one protein; the others become unknown.

    Hits are taken from the best score down; one that shares more than `max_overlap` of the shorter
    of the two with a hit already kept is left out. It is no negative either: its family does match
    there, only less well.

    Parameters
    ----------
    rows
        One row a hit, with the columns of `AnnotationTable.rows` and `score`.
    score
        Column to rank by, higher is better; ties go to the longer hit, then to the first in order
        of start and concept.
    max_overlap
        Fraction of the shorter hit, in [0, 1].

    Returns
    -------
    kept : DataFrame
        The rows that remain, in the order of `rows`.
    ignored : DataFrame
        One coverage row (columns of `AnnotationTable.coverage`) a hit left out, of state
        ``"unknown"``, its ``kind`` the concept of that hit.

    Examples
    --------
    >>> rows = pl.DataFrame({
    ...     "accession": ["P1", "P1"], "start": [5, 10], "end": [90, 95],
    ...     "concept": ["pfam:PF00004", "pfam:PF07728"], "source": "pfam", "bits": [80.0, 30.0],
    ... })
    >>> kept, ignored = resolve_overlaps(rows)
    >>> kept["concept"].to_list(), ignored["kind"].to_list()
    (['pfam:PF00004'], ['pfam:PF07728'])
    """
    ranked = _ranked(rows, score)
    clashes = _co_hits(ranked).filter(
        pl.col("rank") < pl.col("rank_other"),
        pl.col("shared") > max_overlap * pl.min_horizontal("length", "length_other"),
    )
    beaten: set[int] = set()
    pairs = clashes.select("rank", "rank_other").sort("rank", "rank_other")
    for better, worse in pairs.iter_rows():
        # pairs come from the best rank down, so `better` is settled by now
        if better not in beaten:
            beaten.add(worse)
    lost = pl.Series(sorted(beaten), dtype=ranked.schema["rank"])
    gone = ranked.filter(pl.col("rank").is_in(lost.implode())).sort("order")
    kept = ranked.filter(~pl.col("rank").is_in(lost.implode())).sort("order")
    return kept.select(rows.columns), unknown_over(gone)


def unknown_over(rows: pl.DataFrame) -> pl.DataFrame:
    """Turn hits into coverage rows that say: unknown here for this one concept.

    Examples
    --------
    >>> rows = pl.DataFrame({
    ...     "accession": ["P1"], "start": [5], "end": [90], "concept": ["pfam:PF00004"],
    ...     "source": ["pfam"],
    ... })
    >>> unknown_over(rows).select("kind", "state").rows()
    [('pfam:PF00004', 'unknown')]
    """
    columns = rows.with_columns(kind="concept", state=pl.lit("unknown"))
    return columns.select(pl.col(name).cast(dtype) for name, dtype in COVERAGE.items())


def group_concepts(
    rows: pl.DataFrame, *, min_fraction: float = 0.5, min_proteins: int = 3
) -> dict[str, list[str]]:
    """Group the families that hit the same places, each around its commonest family.

    Two hits co-hit when they share more than half of the length of both. Families are taken from
    the commonest down; one joins the group whose leader it co-hits most often, if that is at least
    `min_fraction` of its hits and in at least `min_proteins` proteins, and else may lead a group
    of its own. Membership is by the leader alone, so that groups do not chain into superfamilies.

    Parameters
    ----------
    rows
        One row a hit, before `resolve_overlaps`, with the columns of `AnnotationTable.rows`.
    min_fraction
        Fraction of a family's hits that must co-hit the leader.
    min_proteins
        Proteins in which they must do so.

    Returns
    -------
    dict
        Leader concept to the members of its group, the leader first; groups of two and more only.

    Examples
    --------
    >>> rows = pl.DataFrame({
    ...     "accession": ["P1", "P1", "P2", "P2", "P3", "P3", "P4"],
    ...     "start": [5, 6, 1, 3, 50, 50, 9], "end": [90, 88, 80, 85, 130, 140, 99],
    ...     "concept": [*["pfam:PF00004", "pfam:PF07728"] * 3, "pfam:PF00004"],
    ... })
    >>> group_concepts(rows)
    {'pfam:PF00004': ['pfam:PF00004', 'pfam:PF07728']}
    """
    counts = rows["concept"].value_counts().sort(["count", "concept"], descending=[True, False])
    size = dict(counts.iter_rows())
    groups: dict[str, list[str]] = {}
    links = _family_links(rows, min_proteins)
    for family in size:
        shared = {to: n for to, n in links.get(family, {}).items() if to in groups}
        leader = max(shared, key=lambda to: (shared[to], to)) if shared else None
        if leader and shared[leader] >= min_fraction * size[family]:
            groups[leader].append(family)
        else:
            groups[family] = [family]
    return {leader: members for leader, members in groups.items() if len(members) > 1}


def equivalent_concepts(
    rows: pl.DataFrame, *, min_fraction: float = 0.5, min_proteins: int = 3
) -> dict[str, frozenset[str]]:
    """Find concepts that say the same of the same residues, such as those of two sources.

    Two rows say the same when they share more than half of the length of both; two concepts do
    when at least `min_fraction` of the rows of each lie so beside a row of the other, in at least
    `min_proteins` proteins.

    Parameters
    ----------
    rows
        One row an annotation, with the columns of `AnnotationTable.rows`.

    Returns
    -------
    dict
        The equivalents of each concept that has any; never the concept itself.

    Examples
    --------
    >>> rows = pl.DataFrame({
    ...     "accession": ["P1", "P1", "P2", "P2", "P3", "P3", "P4"],
    ...     "start": [5, 6, 1, 3, 50, 50, 9], "end": [90, 88, 80, 85, 130, 140, 99],
    ...     "concept": [*["pfam:PF00069", "uniprot:DOMAIN/Protein kinase"] * 3, "pfam:PF00069"],
    ... })
    >>> equivalent_concepts(rows)["pfam:PF00069"]
    frozenset({'uniprot:DOMAIN/Protein kinase'})
    """
    size = dict(rows["concept"].value_counts().iter_rows())
    links = _family_links(rows, min_proteins)
    beside = {
        concept: {o for o, hits in others.items() if hits >= min_fraction * size[concept]}
        for concept, others in links.items()
    }
    found = {
        concept: frozenset(other for other in others if concept in beside.get(other, ()))
        for concept, others in beside.items()
    }
    return {concept: others for concept, others in found.items() if others}


def _family_links(rows: pl.DataFrame, min_proteins: int) -> Mapping[str, Mapping[str, int]]:
    """Count, for each family, how many of its hits co-hit each other family."""
    pairs = _co_hits(_ranked(rows, None)).filter(
        pl.col("concept") != pl.col("concept_other"),
        pl.col("shared") > 0.5 * pl.max_horizontal("length", "length_other"),
    )
    counted = (
        pairs.group_by("concept", "concept_other")
        .agg(hits=pl.col("rank").n_unique(), proteins=pl.col("accession").n_unique())
        .filter(pl.col("proteins") >= min_proteins)
        .sort("concept", "concept_other")
    )
    links: dict[str, dict[str, int]] = {}
    for family, other, hits in counted.select("concept", "concept_other", "hits").iter_rows():
        links.setdefault(family, {})[other] = hits
    return links


def _ranked(rows: pl.DataFrame, score: str | None) -> pl.DataFrame:
    """Rank the hits from the best down (``rank``), and remember where they stood (``order``)."""
    rows = rows.with_columns(length=pl.col("end") - pl.col("start") + 1).with_row_index("order")
    by = [*([score] if score else []), "length", "accession", "start", "concept"]
    down = [*([True] if score else []), True, False, False, False]
    return rows.sort(by, descending=down, maintain_order=True).with_row_index("rank")


def _co_hits(ranked: pl.DataFrame) -> pl.DataFrame:
    """Pair the hits of each protein that share a residue, both ways round."""
    hits = ranked.select("accession", "rank", "start", "end", "length", "concept")
    pairs = hits.join(hits, on="accession", suffix="_other").filter(
        pl.col("rank") != pl.col("rank_other"),
        pl.col("start") <= pl.col("end_other"),
        pl.col("start_other") <= pl.col("end"),
    )
    shared = pl.min_horizontal("end", "end_other") - pl.max_horizontal("start", "start_other") + 1
    return pairs.with_columns(shared=shared)
