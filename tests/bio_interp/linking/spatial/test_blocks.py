"""Blocks of firing residues, and where chance puts them."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_interp.errors import InputError
from bio_interp.linking.spatial import Blocks, blocks_of, draw_starts

patterns = st.lists(st.sampled_from([0, 0, 0, 0, 1]), min_size=1, max_size=120).map(
    lambda on: np.array(on, dtype=bool)
)


def placed(blocks: Blocks, rows: np.ndarray) -> np.ndarray:
    on = np.zeros(blocks.length, dtype=bool)
    on[rows] = True
    return on


def inner(blocks: Blocks) -> Counter:
    """Blocks by what they look like inside."""
    return Counter(tuple(blocks.offset[blocks.block == i].tolist()) for i in range(len(blocks)))


@given(patterns, st.integers(0, 2**32))
def test_placements_keep_the_number_and_the_inside_of_all_blocks(on, seed):
    blocks = blocks_of(on)
    assert (placed(blocks, blocks.rows(blocks.start[None])[0]) == on).all()
    for rows in blocks.rows(draw_starts(blocks, 5, np.random.default_rng(seed))):
        again = blocks_of(placed(blocks, rows))
        assert len(set(rows.tolist())) == on.sum()
        assert inner(again) == inner(blocks)


def test_all_placements_are_equally_likely():
    on = np.zeros(12, dtype=bool)
    on[[0, 1, 9]] = True
    blocks = blocks_of(on)
    assert blocks.free == 3  # of 12: three fire, six must lie between
    draws = 20_000
    found = Counter(map(tuple, draw_starts(blocks, draws, np.random.default_rng(0)).tolist()))
    # two orders, and 3 residues shared out to 3 gaps: C(5, 2) = 10
    assert len(found) == 20
    expected = draws / 20
    assert sum((n - expected) ** 2 / expected for n in found.values()) < 43.8  # chi2, p = 0.001
    assert (0, 9) in found


def test_residues_five_apart_are_one_block_and_six_apart_are_two():
    on = np.zeros(30, dtype=bool)
    on[[3, 9, 16]] = True  # five and six that do not fire lie between
    blocks = blocks_of(on)
    assert (blocks.start.tolist(), blocks.extent.tolist()) == ([3, 16], [7, 1])


def test_blocks_that_do_not_fit_are_refused():
    blocks = Blocks(4, np.array([0]), np.array([5]), np.zeros(1, int), np.zeros(1, int))
    with pytest.raises(InputError, match="1 residues too many"):
        draw_starts(blocks, 1, np.random.default_rng(0))


def test_a_chain_where_nothing_fires_has_no_blocks():
    assert len(blocks_of(np.zeros(9, dtype=bool))) == 0
    assert len(blocks_of(np.zeros(0, dtype=bool))) == 0


def test_blocks_at_both_ends_are_one_where_the_ends_are_joined():
    on = np.zeros(20, dtype=bool)
    on[[2, 9, 16]] = True  # 3 and 2 residues to the ends: five between
    assert blocks_of(on).around_the_end.tolist() == [0, 1, 0]
    assert blocks_of(np.append(on, False)).around_the_end.tolist() == [0, 1, 2]
    assert blocks_of(on[:9]).around_the_end.tolist() == [0]
