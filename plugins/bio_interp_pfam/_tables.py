"""From domain hits to annotations: overlaps resolved, groups formed, coverage stated."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

from bio_interp.annotations import (
    CONCEPTS,
    COVERAGE,
    AnnotationTable,
    group_concepts,
    resolve_overlaps,
    unknown_over,
)
from bio_interp.errors import AnnotationError
from bio_interp_pfam._names import NAMES, group_stem, stand_in_names

HITS: dict[str, Any] = {
    "accession": pl.String,
    "pfam": pl.String,
    "name": pl.String,
    "ali_start": pl.Int32,
    "ali_end": pl.Int32,
    "env_start": pl.Int32,
    "env_end": pl.Int32,
    "bits": pl.Float64,
    "i_evalue": pl.Float64,
}
EVIDENCE = "ECO:0000256"  # match to a sequence model, automatic assertion


def pfam_table(
    hits: pl.DataFrame,
    scanned: Mapping[str, int],
    names: pl.DataFrame | None = None,
    *,
    profiles: Collection[str] | None = None,
    kind: str = "pfam",
) -> AnnotationTable:
    """Turn domain hits into annotations with three-state coverage and group concepts.

    Rows are the hits that remain after `resolve_overlaps`, once under their family
    (``pfam:PF00004``) and once under its group (``pfam-group:AAA``). A hit that lost is unknown
    for its family and its group; a sibling's hit is unknown for the other members of a group.
    A residue that no row covers and that is not unknown is a negative: the closed world of these
    profiles.

    Parameters
    ----------
    hits
        One row a domain, columns as in `HITS`; ``pfam`` may carry a version (``PF00004.32``).
    scanned
        Accession to length of every protein that was scanned, those without a hit too.
    names
        What `pfam_names` gives; concepts have Pfam's short names and no cross-references without.
    profiles
        Accessions of the families that were looked for; those with a hit where None. It decides
        which families stand in for an absent one (see `stand_in_names`).
    kind
        Prefix of the concepts and the kind that coverage is for; another than ``"pfam"`` for
        profiles of your own, so that no protein counts as scanned for what was not looked for.

    Returns
    -------
    AnnotationTable
        The rows carry ``env_start``, ``env_end``, ``bits`` and ``i_evalue`` too.

    Raises
    ------
    AnnotationError
        A hit lies outside its protein, or in a protein that is not among `scanned`.

    Examples
    --------
    >>> hits = pl.DataFrame(
    ...     [("P1", "PF00004.32", "AAA", 5, 90, 4, 95, 80.0, 1e-20)], schema=HITS, orient="row")
    >>> pfam_table(hits, {"P1": 300, "P2": 150})
    AnnotationTable(rows=1, concepts=1, proteins=2)
    """
    _check(hits, scanned)
    raw = _member_rows(hits, kind)
    families = _families(hits, profiles, kind)
    kept, lost = resolve_overlaps(raw)
    groups = _named_groups(raw, families, kind)
    member_of = groups.select("member", "group")
    coverage = [
        _looked(scanned, kind),
        lost,
        _group_unknown(lost, member_of),
        _sibling_unknown(raw, groups),
    ]
    rows = pl.concat([kept, _as_groups(kept, member_of)])
    names = pl.DataFrame([], NAMES) if names is None else names
    concepts = [_member_concepts(families, names), _group_concepts(groups, families, names)]
    return AnnotationTable(
        rows=rows.sort("accession", "start", "end", "concept"),
        coverage=pl.concat(coverage).unique(maintain_order=True),
        concepts=pl.concat(_as_concepts(frame, kind) for frame in concepts),
    )


def _check(hits: pl.DataFrame, scanned: Mapping[str, int]) -> None:
    lengths = pl.DataFrame(
        {"accession": list(scanned), "length": list(scanned.values())},
        schema={"accession": pl.String, "length": pl.Int32},
    )
    bad = hits.join(lengths, on="accession", how="left").filter(
        pl.col("length").is_null()
        | (pl.col("ali_start") < 1)
        | (pl.col("ali_start") > pl.col("ali_end"))
        | (pl.col("ali_end") > pl.col("length"))
    )
    if bad.height:
        first = bad.row(0, named=True)
        where = f"{first['pfam']} at {first['ali_start']}-{first['ali_end']}"
        held = f"{first['length']} residues" if first["length"] else "not among the scanned"
        raise AnnotationError(
            "hits that lie within scanned proteins",
            f"{bad.height} that do not, first {where} of {first['accession']} ({held})",
            "Give the very sequences that were scanned.",
        )


def _member_rows(hits: pl.DataFrame, kind: str) -> pl.DataFrame:
    return hits.select(
        "accession",
        pl.col("ali_start").cast(pl.Int32).alias("start"),
        pl.col("ali_end").cast(pl.Int32).alias("end"),
        concept=_concept_id(kind),
        evidence=pl.lit(EVIDENCE),
        source=pl.lit("pfam"),
        pair=pl.lit(None, dtype=pl.Int32),
        env_start=pl.col("env_start").cast(pl.Int32),
        env_end=pl.col("env_end").cast(pl.Int32),
        bits=pl.col("bits").cast(pl.Float64),
        i_evalue=pl.col("i_evalue").cast(pl.Float64),
    )


def drop_version(accession: str) -> str:
    """Turn ``PF00004.32`` into ``PF00004``; names of other models are kept as they are."""
    return re.sub(r"^(PF\d{5})\.\d+$", r"\1", accession)


def _concept_id(kind: str) -> pl.Expr:
    """Build ``pfam:PF00004``, or ``kind:NAME`` for a model of another name."""
    return pl.lit(f"{kind}:") + pl.col("pfam").str.replace(r"^(PF\d{5})\.\d+$", "$1")


def _families(hits: pl.DataFrame, profiles: Collection[str] | None, kind: str) -> pl.DataFrame:
    """List the families with a hit: ``concept``, ``pfam``, ``name``, ``release``, ``shown``."""
    families = (
        hits.group_by(concept=_concept_id(kind))
        .agg(pl.col("name").first(), release=pl.col("pfam").max())
        .with_columns(pfam=pl.col("concept").str.strip_prefix(f"{kind}:"))
        .sort("concept")
    )
    shown = stand_in_names(set(profiles) if profiles is not None else set(families["pfam"]))
    return families.with_columns(
        shown=pl.col("pfam").replace_strict(shown, default=None, return_dtype=pl.String)
    )


def _named_groups(raw: pl.DataFrame, families: pl.DataFrame, kind: str) -> pl.DataFrame:
    """List group membership: ``group``, ``shown``, ``member``; the leader's name made readable."""
    named = {row["concept"]: row for row in families.iter_rows(named=True)}
    taken: set[str] = set()
    out: list[tuple[str, str, str]] = []
    for leader, members in group_concepts(raw).items():
        stem = group_stem([named[member]["name"] for member in members])
        stem = stem if stem not in taken else named[leader]["name"]
        taken.add(stem)
        shown = next((named[m]["shown"] for m in members if named[m]["shown"]), f"{stem}-like")
        out += [(f"{kind}-group:{stem}", shown, member) for member in members]
    schema = {"group": pl.String, "shown": pl.String, "member": pl.String}
    return pl.DataFrame(out, schema, orient="row")


def _as_groups(rows: pl.DataFrame, member_of: pl.DataFrame) -> pl.DataFrame:
    joined = rows.join(member_of, left_on="concept", right_on="member")
    return joined.with_columns(concept="group").select(rows.columns)


def _group_unknown(lost: pl.DataFrame, member_of: pl.DataFrame) -> pl.DataFrame:
    joined = lost.join(member_of, left_on="kind", right_on="member")
    return joined.with_columns(kind="group").select(lost.columns)


def _sibling_unknown(raw: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Make each hit of a group's member unknown for the other members."""
    siblings = (
        groups.select("group", "member")
        .join(groups.select("group", sibling="member"), on="group")
        .filter(pl.col("member") != pl.col("sibling"))
        .select("member", "sibling")
    )
    joined = raw.join(siblings, left_on="concept", right_on="member")
    return unknown_over(joined.with_columns(concept="sibling"))


def _looked(scanned: Mapping[str, int], kind: str) -> pl.DataFrame:
    frame = pl.DataFrame(
        {"accession": list(scanned), "end": list(scanned.values())},
        schema={"accession": pl.String, "end": pl.Int32},
    ).with_columns(start=1, kind=pl.lit(kind), state=pl.lit("looked"), source=pl.lit("pfam"))
    return frame.select(pl.col(name).cast(dtype) for name, dtype in COVERAGE.items())


def _member_concepts(families: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    known = families.join(
        names.rename({"name": "entry"}), on="pfam", how="left", maintain_order="left"
    )
    # the entry of a stand-in is its own family's, not that of what it stands for
    xrefs = pl.concat_list(pl.concat_list("interpro").list.drop_nulls(), pl.col("go").fill_null([]))
    return known.with_columns(
        name=pl.coalesce("shown", pl.format("{} ({})", "name", "entry"), "name"),
        xrefs=pl.when(pl.col("shown").is_null()).then(xrefs).otherwise([]),
        members=pl.lit([], dtype=pl.List(pl.String)),
    )


def _group_concepts(
    groups: pl.DataFrame, families: pl.DataFrame, names: pl.DataFrame
) -> pl.DataFrame:
    """Build group concepts; their cross-references are the GO terms that all members share."""
    go = families.join(names, on="pfam", how="left").select(
        "concept", pl.col("go").fill_null(pl.lit([], dtype=pl.List(pl.String)))
    )
    return (
        groups.join(go, left_on="member", right_on="concept", maintain_order="left")
        .group_by("group", maintain_order=True)
        .agg(pl.col("shown").first().alias("name"), "go", "member")
        .select(
            pl.col("group").alias("concept"),
            "name",
            pl.col("member").alias("members"),
            pl.lit("").alias("release"),
            pl.col("go").map_elements(_common, pl.List(pl.String)).alias("xrefs"),
        )
    )


def _common(terms: pl.Series) -> list[str]:
    return sorted(set.intersection(*(set(each) for each in terms)))


def _as_concepts(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    filled = frame.with_columns(
        kind=pl.lit(kind), level=pl.lit("span"), world=pl.lit("closed"), source=pl.lit("pfam")
    )
    return filled.select(pl.col(name).cast(dtype) for name, dtype in CONCEPTS.items())
