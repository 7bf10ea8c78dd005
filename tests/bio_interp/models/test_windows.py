from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.errors import MismatchError
from bio_interp.models import stitch, window_bounds
from bio_interp.models._windows import pair_masks

WINDOWS = st.integers(2, 50).flatmap(lambda w: st.tuples(st.just(w), st.integers(0, w - 1)))


@settings(deadline=None)
@given(st.integers(0, 500), WINDOWS)
def test_windows_cover_a_protein_share_enough_and_do_not_pass_its_end(length, sizes):
    window, overlap = sizes
    bounds = window_bounds(length, window=window, overlap=overlap)
    assert bounds[0][0] == 0
    assert bounds[-1][1] == length
    assert all(end - start <= window for start, end in bounds)
    for (_, end), (start, _) in pairwise(bounds):
        assert end - start >= overlap


@settings(deadline=None)
@given(st.integers(0, 500), WINDOWS)
def test_stitching_what_was_cut_gives_the_protein_back(length, sizes):
    window, overlap = sizes
    whole = torch.arange(length)[:, None]
    bounds = window_bounds(length, window=window, overlap=overlap)
    assert torch.equal(stitch([whole[a:b] for a, b in bounds], bounds), whole)


def test_a_stitched_row_is_from_the_window_it_lies_deepest_in():
    bounds = window_bounds(2000, window=1000, overlap=200)
    depth = [torch.arange(b - a).minimum(torch.arange(b - a).flip(0)) for a, b in bounds]
    # ends of the protein are ends of a window, everything else is 100 residues or more inside
    assert stitch(depth, bounds)[100:-100].min() >= 99


def test_titin_is_covered_by_windows():
    assert len(window_bounds(35_000, window=1022, overlap=256)) == 46


@pytest.mark.parametrize("masked", [[[1]], [[1], [2], [3]]])
def test_masks_for_more_or_fewer_proteins_are_refused(masked):
    with pytest.raises(MismatchError, match="for every protein"):
        list(pair_masks(["MKV", "MA"], masked))
