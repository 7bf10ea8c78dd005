"""What a contrast found: features and baselines in one table, and how it was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from bio_interp.atlas import text_table
from bio_interp.render import Markup, element, table

_COLUMNS = ("", "value", "higher in", "select", "AUROC", "95 %", "AP", "effect", "p", "q", "p max")
_SHOWN = 5  # covariates


@dataclass(frozen=True)
class Contrast:
    """Features that separate two sets; made by `contrast`.

    Attributes
    ----------
    atlas
        Its name.
    facts
        Counts of proteins and clusters, what was left out, how it was matched, ``prevalence`` of
        positives where it was scored, and ``permuted_best_95``: with labels without meaning, the
        best of all features stays below this AUROC in 95 of 100 cases.
    scores
        Columns `SCORES`, features first, in the order they were chosen in:

        - ``kind``, ``what``, ``known``: feature (its address, and the name the atlas has for it)
          or baseline.
        - ``value``: of a protein, its ``max`` or ``mean``; ``activation`` of a residue.
        - ``higher_in``: the side it is higher in, chosen like the feature itself.
        - ``select_auroc``: where it was chosen. ``test_auroc`` with ``low`` and ``high`` (95 %,
          over clusters), ``test_ap`` (average precision of the positives; compare with the
          prevalence), ``effect`` (Cohen's d: difference of the means over the standard deviation
          within the sides; null where neither varies) and the shares that fire: on the other half.
        - ``p``: labels of clusters permuted (of residues, rotated in their proteins); ``q``: false
          discovery rate over the features listed; ``p_max``: against the best of all features.
    balance
        Standardised differences of length and composition before and after matching: columns
        `BALANCE`. Empty where residues are compared.
    """

    atlas: str
    facts: dict[str, Any]
    scores: pl.DataFrame = field(repr=False)
    balance: pl.DataFrame = field(repr=False)

    @property
    def features(self) -> pl.DataFrame:
        """Rows of `scores` that are features."""
        return self.scores.filter(pl.col("kind") == "feature")

    @property
    def baselines(self) -> pl.DataFrame:
        """Rows of `scores` that are baselines."""
        return self.scores.filter(pl.col("kind") == "baseline")

    def __repr__(self) -> str:
        parts = [*self.notes(), text_table(_COLUMNS, self._rows())]
        if self.balance.height:
            parts += ["standardised differences, largest first", self._balance_text()]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        notes = (element("p", line) for line in self.notes())
        cells = [[_cell(value) for value in row] for row in self._rows()]
        return Markup("".join((*notes, table(_COLUMNS, cells))))

    def to_dict(self) -> dict[str, Any]:
        """Give everything as plain values, ready for JSON."""
        return {
            "atlas": self.atlas,
            **self.facts,
            "scores": self.scores.fill_nan(None).to_dicts(),
            "balance": self.balance.fill_nan(None).to_dicts(),
        }

    def notes(self) -> list[str]:
        """Say in lines how the contrast was made and what was left out."""
        facts = self.facts
        lines = [f"{facts['positives']:,} positive and {facts['negatives']:,} negative ", ""]
        if facts["level"] == "protein":
            lines[0] += f"proteins; {facts['in_mixed_clusters']} in clusters of both sets left out"
            matched = {"none": "not matched", "length": "matched in length"}
            how = matched.get(facts["match"], "matched in length and composition")
            lines[1] = f"{how}: {facts['unmatched']} without a partner left out"
        else:
            lines[0] += f"residues of {facts['proteins']} proteins"
            lines[1] = f"{facts['proteins_left_out']} proteins all inside or all outside left out"
        (a, b), (c, d) = facts["select_clusters"], facts["test_clusters"]
        lines += [
            f"clusters (positive, negative): chosen on {a}, {b}; scored on {c}, {d} "
            f"(by {facts['clusters_by']})",
            f"{facts['seen_by_atlas']} of {facts['proteins']} proteins were used to make the atlas",
            f"{facts['permutations']} permutations: the best of all features stays below an AUROC "
            f"of {facts['permuted_best_95']:.2f} in 95 % of them; "
            f"prevalence {facts['prevalence']:.2f}",
        ]
        return lines

    def _rows(self) -> list[tuple[object, ...]]:
        return [
            (
                f"{row['what']}  {row['known'] or ''}".rstrip(),
                row["value"] or "-",
                row["higher_in"],
                row["select_auroc"],
                row["test_auroc"],
                f"{row['low']:.2f}-{row['high']:.2f}",
                row["test_ap"],
                row["effect"],
                *(chance_text(row[name]) for name in ("p", "q", "p_max")),
            )
            for row in self.scores.iter_rows(named=True)
        ]

    def _balance_text(self) -> str:
        ranked = self.balance.sort(pl.col("before").abs(), descending=True).head(_SHOWN)
        return text_table(("covariate", "before", "after"), ranked.iter_rows())


def chance_text(p: float | None) -> str:
    """Write a p- or q-value for people; ``-`` where there is none.

    Examples
    --------
    >>> chance_text(0.0412), chance_text(1e-9), chance_text(None)
    ('0.041', '<0.001', '-')
    """
    if p is None:
        return "-"
    return f"{p:.3f}" if p >= 0.001 else "<0.001"


def _cell(value: object) -> object:
    return f"{value:.2f}" if isinstance(value, float) else value
