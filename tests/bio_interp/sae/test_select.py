import torch
from hypothesis import given
from hypothesis import strategies as st

from bio_interp.sae._select import select_batchtopk, select_threshold, select_topk


def _pre(rows: int, d_sae: int, seed: int) -> torch.Tensor:
    return torch.randn(rows, d_sae, generator=torch.Generator().manual_seed(seed))


@given(st.integers(1, 8), st.integers(1, 20), st.integers(1, 25), st.integers(0, 2**16))
def test_topk_keeps_the_k_largest_above_zero_of_each_row(
    rows: int, d_sae: int, k: int, seed: int
) -> None:
    pre = _pre(rows, d_sae, seed)
    codes = select_topk(pre, k)
    top = pre.topk(min(k, d_sae), dim=1)
    assert torch.equal(codes.to_dense(), torch.zeros_like(pre).scatter(1, *top[::-1]).relu())
    for start, end in zip(codes.indptr[:-1], codes.indptr[1:], strict=True):
        assert (codes.features[start:end].diff() > 0).all()


@given(
    st.integers(1, 8),
    st.integers(1, 20),
    st.integers(1, 25),
    st.integers(0, 2**16),
    st.sampled_from([0.0, 0.3, 1.0, 5.0]),
)
def test_batchtopk_is_the_same_whatever_the_hint(
    rows: int, d_sae: int, k: int, seed: int, hint: float
) -> None:
    pre = _pre(rows, d_sae, seed)
    kept = pre.flatten().relu().topk(min(k, d_sae) * rows)
    expected = torch.zeros(pre.numel()).scatter(0, kept.indices, kept.values).view_as(pre)
    assert torch.equal(select_batchtopk(pre, k, hint).to_dense(), expected)


def test_what_equals_the_threshold_is_off_and_so_is_what_is_below_zero() -> None:
    pre = torch.tensor([[1.0, 2.0, 2.5, -1.0]])
    assert select_threshold(pre, torch.full((4,), 2.0)).features.tolist() == [2]
    assert select_threshold(pre, torch.full((4,), -3.0)).features.tolist() == [0, 1, 2]
