import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from bio_interp.sae import _product
from bio_interp.sae._product import Product
from bio_interp.sae._search import Search, kth_largest, places_at_least, true_places
from bio_interp.sae._select import select_batchtopk, select_threshold, select_topk

SIZES = st.sampled_from([1, 7, 20, 32, 64, 96, 1024])


def _drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _identity(pre: Tensor) -> tuple[Product, Tensor]:
    """Make a product whose pre-activations are `pre`."""
    return Product(pre.T.contiguous(), torch.zeros(pre.shape[1])), torch.eye(len(pre))


def _assert_sorted(codes) -> None:
    for start, end in zip(codes.indptr[:-1], codes.indptr[1:], strict=True):
        assert (codes.features[start:end].diff() > 0).all()


@given(st.integers(1, 8), SIZES, st.integers(1, 25), st.integers(0, 2**16))
def test_topk_keeps_the_k_largest_above_zero_of_each_row(
    rows: int, d_sae: int, k: int, seed: int
) -> None:
    pre = _drawn(rows, d_sae, seed=seed)
    codes = select_topk(*_identity(pre), k)
    top = pre.topk(min(k, d_sae), dim=1)
    assert torch.equal(codes.to_dense(), torch.zeros_like(pre).scatter(1, *top[::-1]).relu())
    _assert_sorted(codes)


@given(
    st.integers(1, 8),
    SIZES,
    st.integers(1, 25),
    st.integers(0, 2**16),
    st.sampled_from([0.0, 0.3, 1.0, 5.0]),
)
def test_batchtopk_is_the_same_whatever_the_hint(
    rows: int, d_sae: int, k: int, seed: int, hint: float
) -> None:
    pre = _drawn(rows, d_sae, seed=seed)
    kept = pre.flatten().relu().topk(min(k, d_sae) * rows)
    expected = torch.zeros(pre.numel()).scatter(0, kept.indices, kept.values).view_as(pre)
    codes = select_batchtopk(*_identity(pre), k, hint)
    assert torch.equal(codes.to_dense(), expected)
    _assert_sorted(codes)


def test_what_equals_the_threshold_is_off_and_so_is_what_is_below_zero() -> None:
    product, x = _identity(torch.tensor([[1.0, 2.0, 2.5, -1.0]]))
    assert select_threshold(product, x, torch.full((4,), 2.0)).features.tolist() == [2]
    assert select_threshold(product, x, torch.full((4,), -3.0)).features.tolist() == [0, 1, 2]


@pytest.mark.parametrize("k", [1, 32, 300])
def test_ties_never_give_more_than_k_features(k: int) -> None:
    product, x = _identity(torch.ones(3, 1024))
    assert select_topk(product, x, k).indptr.diff().tolist() == [k] * 3
    assert len(select_batchtopk(product, x, k).values) == 3 * k


def _hard_rows(kind: str) -> tuple[Tensor, Tensor, Tensor]:
    """Make rows, weights and biases on which rounding to bfloat16 changes who is largest."""
    x, weight, bias = _drawn(64, 48, seed=1), _drawn(2048, 48, seed=2), _drawn(2048, seed=3)
    if kind == "alike":  # hundreds of features a hair apart
        weight = weight[:1] + 1e-3 * weight
    elif kind == "one large row":
        x[5] *= 1e4
    elif kind == "large bias":
        bias *= 100
    elif kind == "zero rows":
        x[::2] = 0
    return x, weight, bias


@pytest.mark.parametrize("kind", ["plain", "alike", "one large row", "large bias", "zero rows"])
@pytest.mark.parametrize("rule", ["topk", "batchtopk", "batchtopk hinted", "threshold"])
def test_searching_in_bf16_gives_the_exact_codes(kind: str, rule: str) -> None:
    x, weight, bias = _hard_rows(kind)
    threshold = _drawn(2048, seed=4).abs() * 5
    select = {
        "topk": lambda p: select_topk(p, x, 32),
        "batchtopk": lambda p: select_batchtopk(p, x, 32),
        "batchtopk hinted": lambda p: select_batchtopk(p, x, 32, 8.0),
        "threshold": lambda p: select_threshold(p, x, threshold),
    }[rule]
    exact = select(Product(weight, bias, screen=False))
    searched = select(Product(weight, bias, screen=True))
    assert searched.values.dtype == torch.float32
    rounding = 1e-6 * float(x.norm(dim=1).max() * weight.norm(dim=1).max())
    torch.testing.assert_close(searched.to_dense(), exact.to_dense(), rtol=1e-5, atol=rounding)
    _assert_sorted(searched)
    if kind == "plain":
        assert torch.equal(searched.features, exact.features)


def test_one_large_row_does_not_make_the_others_slow() -> None:
    x, weight, bias = _hard_rows("one large row")
    usual, odd = Product(weight, bias, screen=True).alike(x)
    assert odd.tolist() == [5]
    assert len(usual) == 63


def test_the_slack_bounds_the_error_of_the_rough_product() -> None:
    for kind in ("plain", "alike", "one large row", "large bias"):
        x, weight, bias = _hard_rows(kind)
        (rough,) = Product(weight, bias, screen=True).blocks(x)
        exact = torch.addmm(bias.double(), x.double(), weight.double().T)
        missed = (rough.dense.double() - exact).abs()
        # the rounding of the result itself is in its own proportion
        assert (missed <= rough.slack + exact.abs() * 2**-8).all(), kind


@pytest.mark.parametrize("screen", [True, False])
def test_blocks_of_rows_change_nothing(screen: bool, monkeypatch) -> None:
    x, weight, bias = _hard_rows("plain")
    product = Product(weight, bias, screen=screen)
    whole = [select_topk(product, x, 9), select_batchtopk(product, x, 9)]
    monkeypatch.setattr(_product, "_DENSE_BYTES", 7 * 2048 * 4)
    monkeypatch.setattr(_product, "_ROWS", 1)
    parts = [select_topk(product, x, 9), select_batchtopk(product, x, 9)]
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one.to_dense(), other.to_dense())


def test_bf16_gives_the_values_of_the_rough_product() -> None:
    x, weight, bias = _hard_rows("plain")
    codes = select_topk(Product(weight, bias, "bf16"), x, 5)
    pre = torch.addmm(bias, x.bfloat16().float(), weight.bfloat16().float().T)
    top = pre.topk(5, dim=1).values.sum(1)
    torch.testing.assert_close(codes.to_dense().sum(1), top, rtol=2**-8, atol=0)


@given(
    st.integers(0, 2**16),
    st.sampled_from([torch.float32, torch.bfloat16, torch.float64, torch.float16]),
    st.sampled_from([1, 4, 20]),
)
def test_the_search_finds_all_and_only_entries_at_least_the_floor(seed: int, dtype, k: int) -> None:
    dense = _drawn(5, 192, seed=seed).to(dtype)
    search, above = Search(dense, k), (dense > 0).flatten().nonzero().squeeze(1)
    for floor in (dense[:, 3:4].abs(), dense[:, 3:4] - 3):
        wanted = (dense >= floor).flatten().nonzero().squeeze(1)
        assert torch.equal(search.places_at_least(floor), wanted)
    for floor in (dense[0].abs(), dense[0] - 3):  # one a feature
        wanted = (dense >= floor).flatten().nonzero().squeeze(1)
        assert torch.equal(places_at_least(dense, floor), wanted)
    assert torch.equal(search.places_at_least(torch.zeros(())), above)
    assert torch.equal(places_at_least(dense, torch.zeros(192)), above)
    assert ((dense >= search.row_floor(k)).sum(1) >= k).all()
    assert (search.group_maxima().amax(1) == dense.amax(1)).all()


def test_true_places_are_those_of_nonzero() -> None:
    for size in (0, 8, 13, 800):
        mask = _drawn(size, seed=size) > 1
        assert torch.equal(true_places(mask), mask.nonzero().squeeze(1))


def test_too_few_maxima_give_no_floor() -> None:
    assert kth_largest(torch.ones(3), 4) == 0.0
