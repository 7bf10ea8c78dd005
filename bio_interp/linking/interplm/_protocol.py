"""InterPLM's protocol from codes and labels to a report."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from jaxtyping import Float
from numpy import ndarray

from bio_interp.linking.counting import Columns, count
from bio_interp.linking.interplm._metrics import Tally, lower_edges
from bio_interp.linking.interplm._rules import Rules
from bio_interp.linking.interplm._select import Report, at_pairs, chosen, report_of
from bio_interp.linking.interplm._truth import TEST, VALID, Truth


def protocol(columns: Columns, truth: Truth, *, maxima: Float[ndarray, "d_sae"]) -> Report:
    """Score features against concepts as InterPLM does.

    Feature and threshold are chosen on valid, and what they reach on test is reported; a concept
    whose feature has no true positive there counts 0. With defects, less so.

    Parameters
    ----------
    columns
        Activations by feature: ``StoreColumns(store)``, say.
    truth
        Labels along the same residues, from `lay_truth`.
    maxima
        Largest activation of each feature over a sample that is not the test fold: that of the
        SAE's training, say.

    Returns
    -------
    Report
        A row a concept, a row a good pair, and what InterPLM sums up.

    References
    ----------
    Simon and Zou, InterPLM, arXiv 2412.12101.
    """
    rules, defects = truth.rules, truth.defects
    edges = lower_edges(maxima, rules, defects)
    valid = pl.concat(
        chosen(tally, good_f1=rules.good_f1, first_feature=first)
        for first, tally in tallies(columns, truth, edges, fold=VALID)
    )
    test = pl.concat(
        at_pairs(tally, valid, first_feature=first)
        for first, tally in tallies(columns, truth, edges, fold=TEST)
    )
    again = defects.threshold_chosen_again
    frames = report_of(valid, test, _concepts(truth), good_f1=rules.good_f1, again=again)
    best, pairs = (_with_shares(frame, rules) for frame in frames)
    if defects.failures_left_out:
        best = best.filter(pl.col("test_f1_per_domain") > 0)
    return Report(best, pairs, rules.good_f1)


def tallies(
    columns: Columns, truth: Truth, edges: Float[ndarray, "d_sae thresholds"], *, fold: str
) -> Iterator[tuple[int, Tally]]:
    """Count one fold; gives blocks of features, each with the number of its first feature.

    Parameters
    ----------
    columns
        Activations by feature.
    truth
        Labels along the same residues.
    edges
        Thresholds, from `lower_edges`.
    fold
        ``"valid"`` or ``"test"``.
    """
    for features, counts in count(columns, truth.labels, edges, fold=fold):
        on = counts.fired[:, :1] - counts.ignored  # one coverage class: every residue
        yield (
            features.start,
            Tally(
                tp=counts.hits.numpy(),
                fp=(on - counts.hits).numpy(),
                spans=counts.spans.numpy(),
                positives=truth.residues[fold],
                instances=truth.instances[fold],
                residue_level=truth.residue_level,
            ),
        )


def _concepts(truth: Truth) -> pl.DataFrame:
    """List the concepts with positives on both folds: others can be neither chosen nor found."""
    level = np.where(truth.residue_level, "residue", "instance")
    columns = (
        truth.labels.concepts.select("concept", "name")
        .with_row_index("index")
        .with_columns(
            pl.col("index").cast(pl.Int32),
            level=pl.Series(level, dtype=pl.String),
            **{f"{fold}_instances": pl.Series(truth.instances[fold]) for fold in (VALID, TEST)},
            **{f"{fold}_residues": pl.Series(truth.residues[fold]) for fold in (VALID, TEST)},
        )
    )
    return columns.filter((pl.col("valid_residues") > 0) & (pl.col("test_residues") > 0))


def _with_shares(frame: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """Replace indices of thresholds by shares of the largest activation."""
    shares = dict(enumerate(rules.thresholds))
    return frame.drop("index").with_columns(
        pl.col("valid_threshold", "test_threshold").replace_strict(
            shares, default=None, return_dtype=pl.Float64
        )
    )
