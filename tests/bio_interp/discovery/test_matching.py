"""Halves and matching: alike in length and composition, no relative on both sides."""

from random import Random

import numpy as np
import pytest

from bio_interp.discovery._halves import deal_halves
from bio_interp.discovery._kmers import kmer_shares, residue_windows
from bio_interp.discovery._matching import (
    balance,
    covariates,
    match_rows,
    standardised_difference,
)


def draw(seed: int, count: int, length: int, rich: str) -> list[str]:
    rng = Random(seed)
    letters = "ACDEFGHIKLMNPQRSTVWY" + rich
    return [
        "".join(rng.choices(letters, k=int(length * rng.uniform(0.5, 2)))) for _ in range(count)
    ]


def test_matching_balances_length_and_composition():
    positives = draw(0, 80, 120, "RRRSS")
    negatives = draw(1, 200, 150, "RRRSS") + draw(2, 200, 200, "EEDDLL")
    table = covariates(positives + negatives)
    label = np.arange(480) < 80
    kept = match_rows(table, label)
    told = balance(table, label, kept)
    assert kept[label].sum() == kept[~label].sum() > 50
    assert told["before"].abs().max() > 0.5
    assert told["after"].abs().max() < 0.35
    assert told["after"].abs().mean() < told["before"].abs().mean() / 3


def test_a_positive_without_a_like_is_left_out():
    table = np.array([[float(x)] for x in (0, 1, 2, 100, 0, 1, 2, 3)])
    kept = match_rows(table, np.arange(8) < 4)
    assert not kept[3]


def test_standardised_differences_by_hand():
    # means 2 and 1, variances 1 and 3: 1 over the root of 2
    one, other = np.array([[1.0], [3.0]]), np.array([[1.0 - 3**0.5], [1.0 + 3**0.5]])
    assert standardised_difference(one, other)[0] == pytest.approx(1 / 2**0.5)


def test_halves_share_each_stratum_and_do_not_depend_on_the_order():
    names = [f"c{i}" for i in range(40)]
    strata = {name: i % 4 == 0 for i, name in enumerate(names)}
    halves = deal_halves(names, strata, 0)
    assert sum(halves[n] == "test" for n in names if strata[n]) == 5
    assert sum(halves[n] == "test" for n in names) == 20
    assert deal_halves(names[::-1] * 2, strata, 0) == halves
    assert deal_halves(names, strata, 1) != halves


def test_kmers_and_windows_by_hand():
    shares = kmer_shares(["CACX", ""])
    assert shares[0, [0, 1]].tolist() == pytest.approx([0.25, 0.5])
    assert shares[0, 20 + 20 * 1 + 0] == shares[0, 20 + 1] == pytest.approx(1 / 3)
    assert shares[0, 20:].sum() == pytest.approx(2 / 3)  # the pair with X is none
    assert not shares[1].any()
    place, window = residue_windows("ACD", np.array([0, 2]))
    assert place[:, 0].tolist() == pytest.approx([0, 2 / 3])
    assert window[0, :147].reshape(7, 21).argmax(1).tolist() == [20, 20, 20, 0, 1, 2, 20]
