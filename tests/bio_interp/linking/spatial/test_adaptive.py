"""p-values of sums over clusters."""

import numpy as np
import pytest
from scipy.stats import kstest

from bio_interp.linking.spatial import standardised, sum_p


def test_p_is_the_share_of_all_combinations_that_reach_the_observed_sum():
    pools = np.array([[3.0, 1, 2], [2.0, 2, 0], [5.0, 1, 1]])
    # of 27 sums these reach 10: 3 + 2 + 5, twice
    p = sum_p(pools, np.random.default_rng(0), most=60_000, enough=10**9)
    assert p == pytest.approx(2 / 27, abs=0.004)


def test_p_is_uniform_where_nothing_is_there():
    rng = np.random.default_rng(1)
    p = [sum_p(rng.exponential(size=(6, 40)) ** 2, rng, most=999) for _ in range(800)]
    # stopping early leaves gaps near 1, so what is asked is that small p are not too many
    assert kstest(p, "uniform", alternative="greater").pvalue > 0.01
    assert 0.03 < np.mean(np.array(p) <= 0.05) < 0.07


def test_draws_stop_when_enough_have_reached_the_sum():
    class Counted:
        def __init__(self):
            self.rng, self.drawn = np.random.default_rng(0), 0

        def integers(self, low, high, size, dtype):
            self.drawn += size[1]
            return self.rng.integers(low, high, size, dtype)

    plain, clear = Counted(), Counted()
    assert sum_p(np.arange(40.0).reshape(4, 10), plain) > 0.5
    assert plain.drawn == 200
    pools = np.concatenate([np.full((9, 1), 9.0), np.random.default_rng(0).random((9, 50))], axis=1)
    assert sum_p(pools, clear) == pytest.approx(1e-5)
    assert clear.drawn == 99_999


def test_an_early_stop_counts_up_to_the_draw_that_ended_it():
    class Told:
        def integers(self, low, high, size, dtype):
            return np.array([[0, 1, 1, 0, 1, 0] + [0] * (size[1] - 6)])

    # the first and the fourth draw reach 5, all others after them no longer count
    assert sum_p(np.array([[5.0, 1.0]]), Told(), enough=2) == 2 / 4


def test_standardised_pools_have_mean_0_and_deviation_1():
    found = standardised(np.array([[1.0, 2.0, 3.0, 6.0]]))
    assert found.mean() == pytest.approx(0)
    assert found.std() == pytest.approx(1)
    assert found[0, 0] == pytest.approx(-2 / np.sqrt(3.5))
