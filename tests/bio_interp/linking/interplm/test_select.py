"""Pairs are chosen on valid and reported on test."""

import numpy as np
import pytest

from bio_interp.linking.interplm import Rules

# the rows of a protein are residues, the columns features
ALL = Rules(min_residues=0, min_instances=0)


def fire(*runs: tuple[int, int, int, float], residues: int = 20, features: int = 3) -> np.ndarray:
    """Codes with runs (feature, start, end, activation), positions from 1."""
    dense = np.zeros((residues, features))
    for feature, start, end, value in runs:
        dense[start - 1 : end, feature] = value
    return dense


def best(report) -> dict:
    assert report.best.height == 1
    return report.best.row(0, named=True)


def test_the_feature_and_threshold_chosen_on_valid_are_those_reported(world, score):
    codes = {
        # at 0 feature 0 covers 1-5 and 11-15; above 0.5 only 1-5, the concept
        "v1": fire((0, 1, 5, 1.0), (0, 11, 15, 0.4), (1, 1, 5, 0.3), (1, 9, 9, 0.3)),
        # on test half of what is above 0.15 but below 0.5 is right
        "t1": fire((0, 1, 2, 1.0), (0, 3, 4, 0.4), (0, 8, 9, 1.0)),
    }
    spans = [(a, 1, 5, "uniprot:COILED") for a in codes]
    made = world(codes, spans)
    found = best(score(made, ALL))
    assert (found["feature"], found["valid_threshold"]) == (0, 0.5)
    assert found["valid_f1_per_domain"] == 1.0
    assert found["test_threshold"] == 0.5
    assert found["test_precision"] == 2 / 4
    assert found["test_recall_per_domain"] == 1.0
    assert found["test_f1_per_domain"] == pytest.approx(2 / 3)
    assert found["test_recall"] == 2 / 5
    assert found["name"] == "Coiled coil"
    assert found["level"] == "instance"
    assert (found["test_instances"], found["test_residues"]) == (1, 5)


def test_equal_f1_per_domain_goes_to_the_higher_f1_and_then_to_the_first(world, score):
    codes = {
        "v1": fire((0, 1, 1, 1.0), (1, 1, 4, 1.0), (2, 1, 4, 1.0)),
        "t1": fire((1, 1, 5, 1.0)),
    }
    made = world(codes, [(a, 1, 5, "uniprot:COILED") for a in codes])
    found = best(score(made, ALL))
    assert (found["feature"], found["valid_threshold"]) == (1, 0.0)


def test_a_concept_that_no_feature_finds_on_valid_counts_zero(world, score):
    codes = {"v1": fire((0, 9, 9, 1.0)), "t1": fire((0, 1, 5, 1.0))}
    made = world(codes, [(a, 1, 5, "uniprot:COILED") for a in codes])
    report = score(made, ALL)
    assert best(report)["feature"] is None
    assert best(report)["test_f1_per_domain"] == 0.0
    assert report.figures()["mean_test_f1"] == 0.0


def test_a_concept_without_positives_on_a_fold_is_left_out(world, score):
    codes = {"v1": fire((0, 1, 5, 1.0)), "t1": fire((0, 1, 5, 1.0))}
    spans = [("v1", 1, 5, "uniprot:TURN"), ("t1", 1, 5, "uniprot:HELIX")]
    made = world(codes, spans)
    report = score(made, ALL)
    assert report.best.height == report.pairs.height == 0
    assert report.figures()["mean_test_f1"] == 0.0


def test_good_pairs_are_good_on_both_folds_and_counted_by_concept_and_feature(world, score):
    codes = {
        "v1": fire((0, 1, 5, 1.0), (1, 1, 4, 1.0), (2, 1, 1, 1.0), (2, 6, 20, 1.0)),
        "t1": fire((0, 1, 5, 1.0), (1, 9, 12, 1.0)),
    }
    spans = [(a, 1, 5, c) for a in codes for c in ("uniprot:COILED", "uniprot:TURN")]
    made = world(codes, spans)
    report = score(made, ALL)
    assert set(report.pairs.select("feature", "concept").iter_rows()) == {
        (f, c) for f in (0, 1) for c in ("uniprot:COILED", "uniprot:TURN")
    }
    assert report.figures() == {
        "concepts": 2,
        "mean_test_f1": 1.0,
        "concepts_with_a_good_pair": 2,
        "features_in_a_good_pair": 1,
        "good_pairs": 2,
    }


def test_proteins_of_other_folds_count_nowhere(world, score):
    codes = {"v1": fire((0, 1, 5, 1.0)), "t1": fire((0, 1, 5, 1.0)), "x1": fire((0, 9, 20, 1.0))}
    made = world(codes, [(a, 1, 5, "uniprot:COILED") for a in codes])
    made[2]["x1"] = "fit"
    found = best(score(made, ALL))
    assert found["test_f1_per_domain"] == found["valid_f1_per_domain"] == 1.0
    assert (found["valid_instances"], found["test_instances"]) == (1, 1)


def test_choosing_again_and_leaving_out_only_raise_the_mean(world, score):
    rng = np.random.default_rng(3)
    codes = {
        f"{fold}{i}": rng.random((20, 3)) * (rng.random((20, 3)) < 0.3)
        for fold in "vt"
        for i in range(8)
    }
    concepts = ("COILED", "TURN", "HELIX", "STRAND")
    spans = [
        (a, int(s), int(s) + 2, f"uniprot:{c}")
        for a in codes
        for c, s in zip(concepts, rng.integers(1, 18, 4), strict=True)
    ]
    made = world(codes, spans)

    def mean(**defects: bool) -> float:
        return score(made, ALL, maxima=made[0].maxima(), **defects).figures()["mean_test_f1"]

    honest = mean()
    assert mean(threshold_chosen_again=True) >= honest
    assert mean(failures_left_out=True) >= honest
