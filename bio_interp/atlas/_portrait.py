"""The portrait of a feature in words: what each group of columns of ``features.parquet`` says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bio_interp.annotations import EVIDENCE_LEVELS
from bio_interp.atlas._extent import FEWEST_CLUSTERS
from bio_interp.atlas._logo import FEWEST_WINDOWS, Logo

Row = Mapping[str, Any]
Q = 0.05  # what has less is told as found


def portrait(row: Row) -> list[tuple[str, str]]:
    """Describe a feature; pairs of a subject and what is known of it.

    Parameters
    ----------
    row
        Of ``features.parquet``. What it lacks, as in atlases of earlier versions, is
        said to be not measured; empty for a feature that never fires.
    """
    if not row.get("proteins"):
        return []
    told = [(subject, tell(row)) for subject, tell in _TELL.items()]
    lacking = ", ".join(subject for subject, text in told if not text)
    known = [(subject, text) for subject, text in told if text]
    return [*known, ("not measured", lacking)] if lacking else known


def read_logo(row: Row) -> Logo | None:
    """Take the logo out of a row; None where it has none."""
    counts, background = row.get("logo"), row.get("background")
    if counts is None or background is None:
        return None
    shares = np.array(background, dtype=np.float64)
    letters = np.array(counts, dtype=np.int64).reshape(-1, len(shares))
    return Logo(letters, shares / shares.sum(), int(row["logo_windows"]), float(row["logo_floor"]))


def _activations(row: Row) -> str:
    counts = row.get("histogram")
    if not counts:
        return ""
    fullest = max(counts)
    digits = "".join(str(min(9, 10 * n // fullest)) if n else "." for n in counts)
    return f"0 [{digits}] {row['maximum']:.3g}; tenths of the fullest step"


def _extent(row: Row) -> str:
    found = row.get("extent")
    if not found:
        return ""
    if found == "rare":
        return f"rare: it fires in fewer than {FEWEST_CLUSTERS} clusters"
    if found == "periodic":
        about = f": every {row['period']:.3g} residues (periodicity {row['periodicity']:.2f})"
    elif found == "whole":
        about = f": on {row['cover']:.0%} of the median protein"
    else:
        about = ""
    strong = f"{row['strong_runs']:,} strong runs ({row['strong']:.3g} or more) of "
    weak = f"{row['runs']:,} runs at any activation of "
    return f"{found}{about}; {strong}{_lengths(row, 'strong')}; {weak}{_lengths(row, 'run')}"


def _lengths(row: Row, name: str) -> str:
    low, median, high = (row[f"{name}_q{q}"] for q in (25, 50, 75))
    return f"{median:.3g} residues (quartiles {low:.3g}-{high:.3g})"


def _families(row: Row) -> str:
    if row.get("clusters") is None:
        return ""
    return (
        f"in {row['clusters']:,} of {row['of_clusters']:,} clusters; its activation is spread as "
        f"over {row['effective_clusters']:,.1f} even ones"
    )


def _motif(row: Row) -> str:
    if row.get("logo_windows") is None:
        return ""
    if row["logo_windows"] < FEWEST_WINDOWS:
        return f"none: it is strong in fewer than {FEWEST_WINDOWS} clusters"
    chance = f"random windows reach {row['logo_null']:.1f}"
    bits = f"{row['logo_information']:.1f} bits in {row['logo_windows']} clusters; {chance}"
    return f"{row['consensus']}  {bits}" if row["consensus"] else f"none: {bits}"


def _concepts(row: Row) -> str:
    concepts = row.get("concepts")
    if concepts is None:
        return ""
    columns = (row["concept_names"], row["concept_share"], row["concept_base"])
    told = [
        f"{name or concept} at {share:.0%} (of all residues {base:.1%})"
        for concept, name, share, base in zip(concepts, *columns, strict=True)
    ]
    return ", ".join(told) or "none of those known is at its best residues more than elsewhere"


def _evidence(row: Row) -> str:
    counts: Sequence[int] | None = row.get("evidence")
    if not counts:
        return ""
    names = [*(level.replace("_", " ") for level in EVIDENCE_LEVELS), "not annotated"]
    total = max(sum(counts), 1)
    told = [f"{name} {n:,}" for name, n in zip(names, counts, strict=True) if n]
    known = 1 - counts[-1] / total
    return f"{known:.0%} of its residues are annotated: {', '.join(told)}"


def _stability(row: Row) -> str:
    if row.get("stability") is None:
        return ""
    seeds = "another seed" if row["seeds"] == 1 else f"{row['seeds']} other seeds"
    chance = f"; chance reaches {row['stability_null']:.2f}"
    return f"best cosine {row['stability']:.2f} in {seeds}{chance}"


def _spatial(row: Row) -> str:
    if row.get("spatial_fires") is None:
        return ""
    several, of = row["spatial_clusters"], row["of_spatial_clusters"]
    told = [_compact(row)] if row["compact_q"] is not None else []
    around = zip(*(row[f"around{k}"] or () for k in ("", "_share", "_null", "_q")), strict=True)
    told += [f"{name} {share:.0%} (random {null:.0%})" for name, share, null, q in around if q < Q]
    if row["compact_q"] is None:
        fires = f"it fires in {row['spatial_fires']} clusters of {of}, at several places in"
        told.insert(0, f"not enough structures: {fires} {several}")
    return "; ".join(told)


def _compact(row: Row) -> str:
    """Say whether its places are closer than random ones, and whether that is anything new."""
    q, beyond = row["compact_q"], row["beyond_q"]
    where = f"in {row['spatial_clusters']} clusters of {row['of_spatial_clusters']}"
    apart = (
        f"{row['distance']:.1f} A apart (random {row['distance_null']:.1f}; q {q:.2g}) and "
        f"{row['separation']:.0f} residues (random {row['separation_null']:.0f})"
    )
    more = "sequence, depth and letters"
    if q >= Q:
        what = "not compact"
    elif beyond is not None and beyond < Q:
        what = "compact"
    else:
        what = f"compact as {more} make it"
    rest = "" if beyond is None else f"; beyond {more}: q {beyond:.2g}"
    return f"{what} {where}: {apart}{rest}"


_TELL: dict[str, Callable[[Row], str]] = {
    "activations": _activations,
    "extent": _extent,
    "families": _families,
    "motif": _motif,
    "best residues": _concepts,
    "evidence": _evidence,
    "seed stability": _stability,
    "3D": _spatial,
}
