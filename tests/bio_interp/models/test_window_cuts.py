import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from bio_interp.models import stitch, window_bounds
from bio_interp.models._windows import window_cuts


@given(st.integers(1, 400), st.integers(2, 60), st.data())
def test_cuts_are_where_stitched_rows_change_from_one_window_to_the_next(length, window, data):
    overlap = data.draw(st.integers(0, window - 1))
    bounds = window_bounds(length, window=window, overlap=overlap)
    numbered = [torch.full((end - start,), i) for i, (start, end) in enumerate(bounds)]
    rows = stitch(numbered, bounds).numpy()
    assert (np.flatnonzero(np.diff(rows)) + 1).tolist() == sorted(set(window_cuts(bounds)))


def test_a_protein_read_in_one_piece_has_no_cut():
    assert window_cuts([(0, 30)]) == ()
