from dataclasses import replace

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.linking.statistics import PREVALENCE, prevalence

from .conftest import lay, positive_mask
from .test_null import worlds


def test_shares_are_those_counted_by_hand():
    # P0: 4 of 10 positive; P1: 5 unknown, 5 negative; P2: not looked at, 2 positive; P3: elsewhere
    labels = lay(
        [10, 10, 10, 10],
        [(0, 3, 0, 0), (2, 4, 0, 0), (22, 24, 0, 2), (30, 40, 0, 3)],
        unknowns=[(15, 20, 0, 1)],
        looked=[(0, 10, 0, 0), (10, 20, 0, 1), (30, 40, 0, 3)],
        clusters=np.array([7, 7, 8, 9]),
        folds=np.array(["test", "test", "test", "select"]),
        weights=np.array([1.0, 3.0, 2.0, 1.0]),
    )
    told = prevalence(labels, "test")
    assert dict(told.schema) == PREVALENCE
    assert told.row(0, named=True) == {
        "concept": "toy:000",
        "residues": (4 + 2 * 2) / (10 + 3 * 5 + 2 * 2),
        "proteins": (1 + 2) / (1 + 3 + 2),
        "clusters": 1.0,
        "positive_residues": 8.0,
        "known_residues": 29.0,
        "bearing_clusters": 2,
        "known_clusters": 2,
    }
    assert prevalence(labels, "select")["residues"].to_list() == [1.0]
    assert np.isnan(prevalence(labels, "calibrate")["residues"].item())


def test_a_protein_all_unknown_is_none_that_is_known():
    labels = lay([10, 10], [(0, 2, 0, 0)], unknowns=[(10, 20, 0, 1)])
    told = prevalence(labels, "test").row(0, named=True)
    assert (told["proteins"], told["clusters"], told["known_clusters"]) == (1.0, 1.0, 1)
    assert told["residues"] == 0.2


def test_a_concept_that_nobody_looked_for_is_known_where_it_is_only():
    labels = lay([10, 10], [(0, 2, 0, 0)])
    labels = replace(labels, coverage_class=np.array([-1]))
    assert prevalence(labels, "test")["residues"].to_list() == [1.0]


@settings(max_examples=60, deadline=None)
@given(worlds(), st.sampled_from(["select", "test"]))
def test_shares_are_those_of_masks_over_residues(labels, fold):
    inside = labels.residue_mask(labels.proteins_of(fold))
    weight = np.repeat(labels.weights, np.diff(labels.offsets))
    looked = labels.looked.mask(labels.residues)
    positive = positive_mask(labels)
    rows = []
    for concept in range(labels.concepts.height):
        unknown = labels.unknowns.where(labels.unknowns.label == concept).mask(labels.residues)
        known = inside & ((looked & ~unknown) | positive[concept])
        held = inside & positive[concept]
        rows.append((weight[held].sum(), weight[known].sum()))
    told = prevalence(labels, fold)
    pairs = told.select(pl.col("positive_residues", "known_residues")).to_numpy()
    np.testing.assert_allclose(pairs, rows)


def test_a_guess_at_random_is_right_as_often():
    rng = np.random.default_rng(0)
    starts = rng.integers(0, 80, 50)
    labels = lay([100] * 50, [(100 * p + s, 100 * p + s + 20, 0, p) for p, s in enumerate(starts)])
    guess = rng.random(labels.residues) < 0.3
    precision = positive_mask(labels)[0][guess].mean()
    assert abs(precision - prevalence(labels, "test")["residues"].item()) < 0.03
