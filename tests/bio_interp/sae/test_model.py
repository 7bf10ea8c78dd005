import pytest
import torch

from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder, SparseCodes


def _random(architecture: str = "batchtopk", d_model: int = 6, d_sae: int = 11, k: int = 2):
    decoder = torch.nn.functional.normalize(torch.randn(d_sae, d_model))
    tensors = {
        "W_enc": torch.randn(d_model, d_sae),
        "b_enc": torch.randn(d_sae),
        "W_dec": decoder,
        "b_dec": torch.randn(d_model),
    }
    if architecture != "topk":
        tensors["threshold"] = torch.full((d_sae,), 0.7)
    config = SaeConfig(d_model, d_sae, architecture, k)
    return SparseAutoencoder(config, tensors, InputNorm(torch.randn(d_model), 0.5))


def test_its_repr_is_one_line_with_its_sizes() -> None:
    assert repr(_random()) == "SparseAutoencoder(batchtopk, d_model=6, d_sae=11, k=2)"


def test_encode_follows_the_formula_of_the_docstring() -> None:
    sae, x = _random(), torch.randn(5, 6)
    pre = (x - sae.norm.mean) * 0.5 @ sae.W_enc + sae.b_enc
    expected = pre * (pre > 0.7)
    torch.testing.assert_close(sae.encode(x).to_dense(), expected)
    rebuilt = (expected @ sae.W_dec + sae.b_dec) / 0.5 + sae.norm.mean
    torch.testing.assert_close(sae(x), rebuilt)


def test_dense_and_sparse_encodings_agree(sae, planted) -> None:
    x = planted.rows[:500]
    torch.testing.assert_close(sae.encode(x).to_dense(), sae.encode_dense(x))


def test_codes_of_a_row_do_not_depend_on_the_batch(sae, planted) -> None:
    x = planted.rows[:64].clone()
    alone = SparseCodes.cat([sae.encode(row[None]) for row in x])
    x[32:] *= 100.0
    together = sae.encode(x).to_dense()[:32]
    torch.testing.assert_close(together, alone.to_dense()[:32], rtol=1e-4, atol=1e-4)


def test_chosen_features_are_exact_and_keep_their_numbers() -> None:
    sae, x = _random(), torch.randn(40, 6)
    chosen = torch.tensor([9, 2, 2, 5])
    some = sae.encode(x, features=chosen).to_dense()
    torch.testing.assert_close(some[:, [2, 5, 9]], sae.encode(x).to_dense()[:, [2, 5, 9]])
    assert some[:, [0, 1, 3, 4, 6, 7, 8, 10]].count_nonzero() == 0


def test_no_chosen_feature_gives_empty_codes() -> None:
    codes = _random().encode(torch.randn(3, 6), features=torch.tensor([], dtype=torch.int64))
    assert (len(codes), codes.values.numel(), codes.d_sae) == (3, 0, 11)


def test_topk_refuses_chosen_features_because_features_compete() -> None:
    with pytest.raises(MismatchError, match="compete"):
        _random("topk").encode(torch.randn(3, 6), features=torch.tensor([1]))


@pytest.mark.parametrize("bad", [[11], [-1, 3]])
def test_a_feature_that_is_not_there_is_named(bad: list[int]) -> None:
    with pytest.raises(NotFoundError, match="0 to 10"):
        _random().encode(torch.randn(3, 6), features=torch.tensor(bad))


@pytest.mark.parametrize("mask", [torch.tensor([True, False, True]), torch.tensor([1.0])])
def test_a_mask_is_not_taken_for_indices(mask: torch.Tensor) -> None:
    with pytest.raises(InputError, match="integers"):
        _random().encode(torch.randn(3, 6), features=mask)


def test_a_sum_that_overflows_half_precision_gives_no_nan() -> None:
    sae = _random().half()
    sae.b_enc[3:6] = -6e4
    sae.W_enc[:, 3:6] = -1e4
    x = torch.full((2, 6), 100.0)
    assert sae.encode_dense(x).isfinite().all()
    assert torch.equal(sae.encode_dense(x), sae.encode(x).to_dense())


@pytest.mark.parametrize("shape", [(3, 7), (6,), (1, 3, 6)])
def test_activations_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(MismatchError, match=r"\(rows, 6\)"):
        _random().encode(torch.randn(shape))


@pytest.mark.parametrize("architecture", ["topk", "batchtopk"])
def test_zero_rows_give_zero_rows(architecture: str) -> None:
    sae = _random(architecture)
    codes = sae.encode(torch.empty(0, 6))
    assert (len(codes), sae.decode(codes).shape, sae.fvu(torch.empty(0, 6))) == (0, (0, 6), 0.0)


def test_k_larger_than_the_dictionary_keeps_all_that_is_positive() -> None:
    sae, x = _random("topk", k=50), torch.randn(4, 6)
    torch.testing.assert_close(
        sae.encode(x).to_dense(), (sae.norm.apply_to(x) @ sae.W_enc + sae.b_enc).relu()
    )


def test_fvu_of_rows_without_variance_is_a_number_and_never_nan() -> None:
    sae = _random()
    assert sae.fvu(torch.ones(5, 6)) == float("inf")
    assert sae.fvu(torch.randn(1, 6)) == float("inf")


def test_fvu_is_zero_for_perfect_and_one_for_the_mean() -> None:
    sae, x = _random(), torch.randn(100, 6)
    sae.W_dec.zero_()
    sae.b_dec.zero_()
    sae.norm.mean.copy_(x.mean(0))
    assert sae.fvu(x) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-4), (torch.bfloat16, 0.15)])
def test_other_dtypes_give_the_same_reconstruction(sae, planted, dtype, tolerance) -> None:
    x = planted.rows[:200] - 5.0
    shifted = SparseAutoencoder(
        sae.config,
        sae.tensors(),
        InputNorm(sae.norm.mean - 5.0, float(sae.norm.scale)),
    )
    before = shifted(x)
    after = shifted.to(dtype)(x.to(dtype)).float()
    worst = (before - after).norm(dim=1) / before.norm(dim=1)
    assert worst.median() < tolerance


def test_many_rows_are_encoded_in_parts_with_the_same_result(monkeypatch) -> None:
    sae, x = _random(), torch.randn(50, 6)
    whole = sae.encode(x).to_dense()
    monkeypatch.setattr("bio_interp.sae._product._DENSE_BYTES", 4 * 11 * 7)
    monkeypatch.setattr("bio_interp.sae._product._ROWS", 1)
    torch.testing.assert_close(sae.encode(x).to_dense(), whole)


def test_gradients_reach_inputs_and_values() -> None:
    sae, x = _random(), torch.randn(3, 6, requires_grad=True)
    sae.encode_dense(x).sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0
    codes = sae.encode(x.detach())
    values = codes.values.clone().requires_grad_()
    sae.decode(SparseCodes(codes.indptr, codes.features, values, 11)).sum().backward()
    assert values.grad is not None


def test_codes_of_another_dictionary_are_not_decoded() -> None:
    with pytest.raises(MismatchError, match="11 features"):
        _random().decode(SparseCodes.from_dense(torch.ones(1, 12)))


def test_tensors_of_the_wrong_shape_are_refused() -> None:
    sae = _random()
    tensors = {**sae.tensors(), "W_enc": torch.zeros(11, 6)}
    with pytest.raises(MismatchError, match="W_enc"):
        SparseAutoencoder(sae.config, tensors, sae.norm)


@pytest.mark.parametrize(
    "fields",
    [
        {"k": 0},
        {"d_sae": -1},
        {"architecture": "softmax"},
        {"d_out": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(fields: dict) -> None:
    good = {"d_model": 4, "d_sae": 8, "architecture": "batchtopk", "k": 2}
    with pytest.raises(InputError):
        SaeConfig(**{**good, **fields})


def test_an_encoder_that_was_made_ready_follows_changes_of_its_weights() -> None:
    sae, x = _random(), torch.randn(20, 6)
    before = sae.encode(x)
    with torch.no_grad():
        sae.b_enc.add_(1.0)
    after = sae.encode(x)
    assert len(after.values) > len(before.values)
    double = sae.double().encode(x.double())
    assert double.values.dtype == torch.float64
    torch.testing.assert_close(double.to_dense().float(), after.to_dense())
