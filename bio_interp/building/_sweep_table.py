"""The table of a sweep: a row an SAE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from bio_interp.building._grid import Variant

SWEEP_COLUMNS: dict[str, tuple[Any, str]] = {
    "name": (pl.String, "folder of the SAE below `saes`"),
    "site": (pl.String, "where the model is tapped"),
    "width": (pl.Int64, "features"),
    "k": (pl.Int64, "features on in a residue, as asked for"),
    "architecture": (pl.String, "how it was trained"),
    "seed": (pl.Int64, "of the first weights"),
    "l0": (pl.Float64, "features on in a held-out residue, on average"),
    "fvu": (pl.Float64, "share of the variance of held-out residues that is not rebuilt"),
    "cosine": (pl.Float64, "mean cosine of a row and its reconstruction, about the mean"),
    "dead": (pl.Float64, "share of features that fire on no held-out residue"),
    "density_q05": (
        pl.Float64,
        "quantiles over features of the share of residues that fire one",
    ),
    "density_q25": (pl.Float64, ""),
    "density_q50": (pl.Float64, ""),
    "density_q75": (pl.Float64, ""),
    "density_q95": (pl.Float64, ""),
    "ce_recovered": (pl.Float64, "(CE zero - CE spliced) / (CE zero - CE intact), not clipped"),
    "ce_recovered_low": (pl.Float64, "95 % interval over proteins, or clusters with a split"),
    "ce_recovered_high": (pl.Float64, ""),
    "ce_recovered_mean": (pl.Float64, "the same against the mean of the rows in place of zeros"),
    "kl": (pl.Float64, "KL(intact || spliced), nats a hidden residue"),
    "kl_low": (pl.Float64, "its interval"),
    "kl_high": (pl.Float64, ""),
    "ce_intact": (pl.Float64, "cross-entropy of hidden residues, nats, of the model as it is"),
    "ce_spliced": (pl.Float64, "with the reconstruction in place of the rows"),
    "ce_zero": (pl.Float64, "with zeros"),
    "ce_mean": (pl.Float64, "with the mean row"),
    "heldout_residues": (pl.Int64, "residues behind `l0`, `fvu` and the densities"),
    "fidelity_residues": (pl.Int64, "hidden residues behind `ce_recovered` and `kl`"),
    "heldout": (pl.String, "what keeps held-out proteins apart: `cluster` or only `protein`"),
    "front": (pl.Boolean, "no other SAE of the site has both a lower L0 and a lower FVU"),
}
"""Type and meaning of every column; without fidelity its columns are null."""


def sweep_table(
    variants: Mapping[str, Variant], figures: Mapping[str, Mapping[str, Any]], heldout: str
) -> pl.DataFrame:
    """Put what was measured into a table, in the order of the variants."""
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "site": variant.site,
            "width": variant.config.d_sae,
            "k": variant.config.k,
            "architecture": variant.config.architecture,
            "seed": variant.config.seed,
            "heldout": heldout,
            **_columns(figures[name]),
        }
        for name, variant in variants.items()
    ]
    for row in rows:
        row["front"] = not any(_beats(r, row) for r in rows if r["site"] == row["site"])
    schema = {name: kind for name, (kind, _) in SWEEP_COLUMNS.items()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _beats(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if one["fvu"] is None or other["fvu"] is None:  # rows without variance
        return False
    return one["l0"] < other["l0"] and one["fvu"] < other["fvu"]


def _columns(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Name the figures of fidelity as the table does."""
    found = dict(figures)
    for name, key in (("ce_recovered", "recovered_zero"), ("kl", "kl")):
        ends = found.pop(f"{key}_interval", None) or (None, None)
        found[name] = found.pop(key, None)
        found[f"{name}_low"], found[f"{name}_high"] = ends
    found["ce_recovered_mean"] = found.pop("recovered_mean", None)
    found["fidelity_residues"] = found.pop("residues", None)
    return {name: found.get(name) for name in SWEEP_COLUMNS if name in found}
