"""What holds for the SAE in use, of every architecture and dtype, whatever is done to it."""

from copy import deepcopy

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from bio_interp.errors import MismatchError
from bio_interp.sae import (
    InputNorm,
    SparseAutoencoder,
    SparseCodes,
    fold_decoder_norms,
    fold_input_norm,
)

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
ROUNDING = {torch.float32: 1e-5, torch.float64: 1e-10, torch.bfloat16: 3e-2, torch.float16: 4e-3}
"""Of a dot product, over the product of the two norms."""

law = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _rows(count: int = 40) -> Tensor:
    return 2 * torch.randn(count, 6) + 3


def _pre(sae: SparseAutoencoder, x: Tensor) -> Tensor:
    exact = deepcopy(sae).double()
    return exact.norm.apply_to(x.double()) @ exact.W_enc + exact.b_enc


def _margin(sae: SparseAutoencoder, x: Tensor) -> Tensor:
    """How far each pre-activation is from where its feature would switch, ``(rows, d_sae)``."""
    pre = _pre(sae, x)
    if sae.threshold is not None:
        return (pre - sae.threshold.double().clamp_min(0)).abs()
    top = pre.topk(sae.config.k + 1, dim=1).values
    return (pre - top[:, -2:].mean(1, keepdim=True).clamp_min(0)).abs()


def _assert_same_codes(
    sae: SparseAutoencoder, x: Tensor, before: Tensor, after: Tensor, tolerance: float | Tensor
) -> None:
    """On in both: equal within `tolerance`. On in one: within twice of it of the switch."""
    on, other = before > 0, after > 0
    missed = torch.where(on & other, (before.double() - after.double()).abs(), 0.0)
    switched = torch.where(on ^ other, _margin(sae, x), 0.0)
    assert (missed <= tolerance).all(), missed.max()
    assert (switched <= 2 * tolerance).all(), switched.max()


def _spread(sae: SparseAutoencoder, x: Tensor) -> float:
    """Largest product of the norms of a normalised row and a feature, and of the bias."""
    z = sae.norm.apply_to(x.double())
    return float(z.norm(dim=1).max() * sae.W_enc.norm(dim=0).max() + sae.b_enc.abs().max())


def _exact(sae: SparseAutoencoder) -> SparseAutoencoder:
    """Sums that every dtype holds exactly, no ties, thresholds just below values that occur."""
    tensors = {name: torch.randint(-1, 2, t.shape).float() for name, t in sae.tensors().items()}
    steps = torch.arange(1, 15) / 16
    tensors |= {"b_enc": steps - 1, "threshold": steps + 0.9998, "feature_maxima": torch.ones(14)}
    tensors["W_dec"] = torch.eye(sae.config.width_out).repeat(3, 1)[:14]
    if sae.threshold is None:
        del tensors["threshold"]
    norm = InputNorm(torch.tensor([3.0, -1, 0, 2, 7, 1]), 0.5)
    out_norm = InputNorm(torch.tensor([1.0, 0, 2, 0, 3]), 0.5)
    given_out = None if sae.out_norm is sae.norm else out_norm
    return SparseAutoencoder(sae.config, tensors, norm, out_norm=given_out)


def _exact_rows(count: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    steps = torch.randint(-1, 2, (count, 6), generator=generator)
    return 2.0 * steps + torch.tensor([3.0, -1, 0, 2, 7, 1])


def _equal(one: SparseCodes, other: SparseCodes) -> bool:
    return all(
        torch.equal(getattr(one, name).double(), getattr(other, name).double())
        for name in ("indptr", "features", "values")
    )


@law
@given(rows=st.integers(1, 12), seed=st.integers(0, 2**16), dtype=st.sampled_from(DTYPES))
def test_what_a_row_encodes_is_the_same_bit_for_bit_alone_in_any_order_and_in_any_dtype(
    kind, rows: int, seed: int, dtype: torch.dtype
) -> None:
    sae, x = _exact(kind.started(_rows()).to_sae()), _exact_rows(rows, seed)
    whole = sae.encode(x)
    sae.to(dtype)
    order = torch.randperm(rows)
    alone = SparseCodes.cat([sae.encode(row[None]) for row in x.to(dtype)])
    mixed = sae.encode(x[order].to(dtype))
    assert _equal(alone, whole)
    assert torch.equal(mixed.to_dense().float(), whole.to_dense()[order])
    assert alone.values.dtype == dtype


@law
@given(
    seed=st.integers(0, 2**16),
    chosen=st.lists(st.integers(0, 13), max_size=20),
    dtype=st.sampled_from(DTYPES),
)
def test_some_features_alone_are_those_of_all_bit_for_bit(kind, seed, chosen, dtype) -> None:
    sae, x = _exact(kind.started(_rows()).to_sae()).to(dtype), _exact_rows(9, seed)
    if sae.threshold is None:
        with pytest.raises(MismatchError, match="compete"):
            sae.encode(x, features=torch.tensor(chosen, dtype=torch.int64))
        return
    mask = torch.zeros(14, dtype=torch.bool)
    mask[chosen] = True
    some = sae.encode(x, features=torch.tensor(chosen, dtype=torch.int64))
    assert torch.equal(some.to_dense(), sae.encode(x).to_dense() * mask)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_threshold_is_not_rounded_with_the_weights(kind, dtype) -> None:
    sae = _exact(kind.started(_rows()).to_sae())
    before = {name: t.clone() for name, t in sae.state_dict().items()}
    moved = sae.to(dtype)
    assert {moved.W_enc.dtype, moved.b_enc.dtype, moved.W_dec.dtype, moved.b_dec.dtype} == {dtype}
    for name in ("threshold", "feature_maxima", "norm.mean", "norm.scale", "out_norm.mean"):
        if name in before:
            assert torch.equal(moved.state_dict()[name].float(), before[name]), name


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_codes_and_reconstructions_hold_to_rounding_when_the_dtype_changes(kind, dtype) -> None:
    x = _rows()
    sae = kind.trained(x).to_sae().double()
    moved = deepcopy(sae).to(dtype)
    before, after = sae.encode_dense(x), moved.encode(x).to_dense()
    assert after.dtype == moved(x).dtype == dtype
    _assert_same_codes(sae, x, before, after, ROUNDING[dtype] * _spread(sae, x))
    same = ((before > 0) == (after > 0)).all(1)
    assert same.float().mean() > 0.8
    left, right = sae(x)[same], moved(x)[same].double()
    worst = (left - right).abs().max() / left.abs().max()
    assert worst < 2 * ROUNDING[dtype]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("far", [0.0, 1e4], ids=["near the origin", "far from it"])
def test_rows_of_any_dtype_are_centred_before_they_are_rounded(kind, dtype, far) -> None:
    x = _rows() + far
    sae = kind.trained(x).to_sae().double()
    after = deepcopy(sae).to(dtype).encode(x).to_dense()
    tolerance = max(ROUNDING[dtype], 1e-6 * far) * _spread(sae, x)
    _assert_same_codes(sae, x, sae.encode_dense(x), after, tolerance)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_dense_codes_are_the_sparse_ones_and_so_is_their_gradient(kind, dtype) -> None:
    x = _rows()
    sae = kind.trained(x).to_sae().to(dtype)
    x = x.to(dtype).requires_grad_()
    dense, sparse = sae.encode_dense(x), sae.encode(x.detach()).to_dense()
    assert torch.equal(dense, sparse)
    weights = torch.randn_like(dense)
    (grad,) = torch.autograd.grad((dense * weights).sum(), x)
    formula = (weights * (sparse > 0)) @ sae.W_enc.T * sae.norm.scale
    size = formula.abs().max()
    torch.testing.assert_close(grad / size, formula.to(dtype) / size, rtol=0, atol=ROUNDING[dtype])


def test_decoding_and_its_gradient_are_those_of_the_dense_formula(kind) -> None:
    x = _rows().double()
    sae = kind.trained(x.float()).to_sae().double()
    codes = sae.encode(x)
    values = codes.values.clone().requires_grad_()
    sparse = SparseCodes(codes.indptr, codes.features, values, codes.d_sae)
    dense = codes.to_dense().requires_grad_()
    formula = (dense @ sae.W_dec + sae.b_dec) / sae.out_norm.scale + sae.out_norm.mean
    rebuilt, weights = sae.decode(sparse), torch.randn_like(formula)
    (grad,) = torch.autograd.grad((rebuilt * weights).sum(), values)
    (expected,) = torch.autograd.grad((formula * weights).sum(), dense)
    torch.testing.assert_close(rebuilt, formula, rtol=1e-10, atol=1e-10)
    at = (codes.row_index(), codes.features.long())
    torch.testing.assert_close(grad, expected[at], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_what_a_row_encodes_does_not_depend_on_its_batch(kind, dtype, monkeypatch) -> None:
    x = _rows(50)
    sae = kind.trained(x).to_sae().to(dtype)
    whole = sae.encode(x).to_dense()
    alone = SparseCodes.cat([sae.encode(row[None]) for row in x]).to_dense()
    loud = sae.encode(torch.cat([x, 50 * x])).to_dense()[:50]
    monkeypatch.setattr("bio_interp.sae._product._DENSE_BYTES", 14 * 7 * dtype.itemsize)
    monkeypatch.setattr("bio_interp.sae._product._ROWS", 1)
    cut = sae.encode(x).to_dense()
    for other in (alone, loud, cut):
        _assert_same_codes(sae, x, whole, other, ROUNDING[dtype] * _spread(sae, x) / 4)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_saving_and_loading_changes_nothing_that_float32_holds(kind, dtype, tmp_path) -> None:
    x = _rows()
    sae = kind.trained(x).to_sae({"site": "toy"}).to(dtype)
    sae.save(tmp_path)
    again = SparseAutoencoder.load(tmp_path)
    assert again.W_enc.dtype == torch.float32
    again.to(dtype)
    assert (again.config, again.provenance) == (sae.config, sae.provenance)
    assert _equal(sae.encode(x), again.encode(x))
    assert torch.equal(sae(x), again(x))
    assert all(torch.equal(t, again.state_dict()[name]) for name, t in sae.state_dict().items())


def test_int8_moves_a_code_by_half_a_step_of_its_feature_at_most(kind, tmp_path) -> None:
    x = _rows(200)
    sae = kind.trained(x).to_sae()
    sae.save(tmp_path, weights="int8")
    small = SparseAutoencoder.load(tmp_path)
    half_step = sae.W_enc.abs().amax(0).double() / 254
    bound = sae.norm.apply_to(x.double()).abs().sum(1, keepdim=True) * half_step + 1e-5
    before, after = sae.encode_dense(x), small.encode_dense(x)
    _assert_same_codes(sae, x, before, after, bound)
    assert (before.argmax(1) == after.argmax(1)).float().mean() > 0.97
    assert torch.equal(small.feature_maxima, sae.feature_maxima)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_input_norm_folds_into_plain_tensors(kind, dtype) -> None:
    x = _rows()
    sae = kind.trained(x).to_sae().to(dtype)
    plain = fold_input_norm(sae)
    assert plain.W_enc.dtype == dtype
    assert torch.equal(plain.norm.mean, torch.zeros(6))
    assert float(plain.norm.scale) == float(plain.out_norm.scale) == 1.0
    scale = sae.out_norm.scale
    # inputs are no longer centred, so that sums are of larger numbers
    tolerance = ROUNDING[dtype] * 4 * (_spread(sae, x) + _spread(plain, x) * float(scale))
    codes, folded = sae.encode_dense(x), plain.encode_dense(x) * scale
    _assert_same_codes(sae, x, codes, folded, tolerance)
    same = ((codes > 0) == (folded > 0)).all(1)
    rebuilt, again = sae(x)[same].float(), plain(x)[same].float()
    assert same.any()
    assert (rebuilt - again).abs().max() <= tolerance / float(scale) * 4
    torch.testing.assert_close(
        plain.feature_maxima * scale, sae.feature_maxima, rtol=1e-5, atol=1e-6
    )


def _with_free_norms(sae: SparseAutoencoder, factor: Tensor) -> SparseAutoencoder:
    """The same function of the inputs, with decoder rows of norm ``factor``."""
    tensors = {name: tensor.clone() for name, tensor in sae.tensors().items()}
    tensors["W_dec"] *= factor.unsqueeze(1)
    for name in ("W_enc", "b_enc", "threshold", "feature_maxima"):
        if name in tensors:
            tensors[name] /= factor
    out_norm = None if sae.out_norm is sae.norm else sae.out_norm
    return SparseAutoencoder(sae.config, tensors, sae.norm, out_norm=out_norm)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_decoder_norms_fold_into_encoder_bias_threshold_and_maxima(kind, dtype) -> None:
    x = _rows()
    sae = kind.trained(x).to_sae().double()
    sae.W_dec.div_(sae.W_dec.norm(dim=1, keepdim=True))  # to the last bit of float64
    factor = torch.full((14,), 4.0) if sae.threshold is None else torch.logspace(-1, 1, 14)
    unit = fold_decoder_norms(_with_free_norms(sae, factor).to(dtype))
    tolerance = 3 * ROUNDING[dtype] * _spread(sae, x)
    _assert_same_codes(sae, x, sae.encode_dense(x), unit.encode_dense(x), tolerance)
    norms = unit.W_dec.float().norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(14), rtol=0, atol=max(1e-6, ROUNDING[dtype] / 4))
    torch.testing.assert_close(
        unit.feature_maxima.double(), sae.feature_maxima, rtol=ROUNDING[dtype], atol=1e-6
    )


def test_free_norms_of_features_that_compete_are_not_folded() -> None:
    sae = _exact_topk()
    free = _with_free_norms(sae, torch.logspace(-1, 1, 14))
    with pytest.raises(MismatchError, match="compete"):
        fold_decoder_norms(free)


def _exact_topk() -> SparseAutoencoder:
    from bio_interp.sae import SaeConfig

    tensors = {"W_enc": torch.randn(6, 14), "b_enc": torch.zeros(14), "b_dec": torch.zeros(6)}
    tensors["W_dec"] = torch.nn.functional.normalize(torch.randn(14, 6))
    return SparseAutoencoder(SaeConfig(6, 14, "topk", 3), tensors, InputNorm(torch.zeros(6), 1.0))


def test_a_decoder_with_free_norms_keeps_them_in_int8(tmp_path) -> None:
    x = _rows()
    free = _with_free_norms(_exact_topk(), torch.logspace(-1, 1, 14))
    free.save(tmp_path, weights="int8")
    small = SparseAutoencoder.load(tmp_path)
    torch.testing.assert_close(small.W_dec.norm(dim=1), free.W_dec.norm(dim=1), rtol=0.01, atol=0)
    assert small.fvu(x) == pytest.approx(free.fvu(x), rel=0.1)


def test_a_feature_whose_decoder_row_is_zero_stays_so(kind) -> None:
    x = _rows()
    sae = kind.trained(x).to_sae()
    sae.W_dec[5] = 0.0
    unit = fold_decoder_norms(sae)
    assert unit.W_dec[5].count_nonzero() == 0
    _assert_same_codes(sae, x, sae.encode_dense(x), unit.encode_dense(x), 1e-4)
    torch.testing.assert_close(unit.b_enc[5], sae.b_enc[5])


def test_moving_one_sae_does_not_move_another_made_with_the_same_norm(kind) -> None:
    sae = kind.trained(_rows()).to_sae()
    x = _rows()
    before = sae(x)
    out_norm = None if sae.out_norm is sae.norm else sae.out_norm
    other = SparseAutoencoder(sae.config, sae.tensors(), sae.norm, out_norm=out_norm)
    other.double().norm.mean.add_(1.0)
    assert torch.equal(sae(x), before)


def test_the_device_is_that_of_every_tensor_after_a_move(kind) -> None:
    sae = kind.trained(_rows()).to_sae()
    x = _rows()
    before = sae.encode(x)
    assert _equal(sae.to("cpu").encode(x), before)
    for moved in (deepcopy(sae).to("meta"), deepcopy(sae).to("meta", torch.bfloat16)):
        assert {t.device.type for t in moved.state_dict().values()} == {"meta"}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_codes_and_reconstructions_hold_on_a_gpu(kind, dtype) -> None:
    x = _rows()
    sae = kind.trained(x).to_sae().to(dtype)
    moved = deepcopy(sae).to("cuda")
    after = moved.encode(x.cuda()).to_dense().cpu()
    _assert_same_codes(sae, x, sae.encode_dense(x), after, ROUNDING[dtype] * _spread(sae, x))
    assert moved(x.cuda()).isfinite().all()
    back = moved.cpu()
    assert _equal(back.encode(x), sae.encode(x))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(
    ("rows", "k"),
    [(torch.zeros(0, 6), 3), (torch.zeros(1, 6), 3), (torch.full((9, 6), 7.0), 3), (None, 40)],
    ids=["no row", "one row of zeros", "constant rows", "k above d_sae"],
)
def test_no_nan_comes_out_whatever_goes_in(kind, dtype, rows: Tensor | None, k: int) -> None:
    rows = _rows() if rows is None else rows
    sae = kind.trained(_rows(), k=k).to_sae().to(dtype)
    sae.b_enc[2:5] = -1e4  # these never fire
    codes = sae.encode(rows)
    assert len(codes) == len(rows)
    assert (codes.values > 0).all()
    assert not torch.isin(codes.features, torch.tensor([2, 3, 4])).any()
    for found in (sae(rows), sae.encode_dense(rows), codes.values):
        assert found.isfinite().all()
    assert sae.fvu(rows, kind.parts(rows)[-1]) >= 0
