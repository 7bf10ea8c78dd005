import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bio_interp.errors import MismatchError
from bio_interp.sae import SparseCodes


@given(st.integers(0, 6), st.integers(1, 9), st.integers(0, 2**16))
def test_dense_to_sparse_to_dense_is_the_positive_part(rows: int, d_sae: int, seed: int) -> None:
    dense = torch.randn(rows, d_sae, generator=torch.Generator().manual_seed(seed))
    codes = SparseCodes.from_dense(dense)
    assert torch.equal(codes.to_dense(), dense.relu())
    assert torch.equal(torch.from_numpy(codes.to_scipy().toarray()), dense.relu())
    assert codes.to_scipy().has_canonical_format


def test_stacked_codes_keep_rows_and_empty_rows() -> None:
    dense = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [2.0, 3.0]])
    parts = [SparseCodes.from_dense(part) for part in (dense[:1], dense[1:1], dense[1:])]
    stacked = SparseCodes.cat(parts)
    assert len(stacked) == 4
    assert torch.equal(stacked.to_dense(), dense)
    assert stacked.features.dtype == torch.int32


def test_codes_of_two_dictionaries_are_not_stacked() -> None:
    with pytest.raises(MismatchError, match="one dictionary"):
        SparseCodes.cat([SparseCodes.from_dense(torch.ones(1, n)) for n in (2, 3)])
