import pytest
import torch

from bio_interp.sae._by_feature import ByFeature
from bio_interp.sae._product import Product
from bio_interp.sae._select import select_batchtopk, select_topk
from bio_interp.sae._sparse_ops import sparse_decode, sparse_pre_activations


@pytest.mark.parametrize("select", [select_topk, select_batchtopk])
@pytest.mark.parametrize(
    ("rows", "d_model", "d_sae", "k"), [(17, 7, 23, 3), (1, 3, 5, 1), (9, 5, 4, 9)]
)
def test_gradients_equal_autograd_of_the_dense_formula(
    select, rows: int, d_model: int, d_sae: int, k: int
) -> None:
    x = torch.randn(rows, d_model, dtype=torch.float64)
    weights = [
        torch.randn(shape, dtype=torch.float64, requires_grad=True)
        for shape in ((d_sae, d_model), (d_sae,), (d_sae, d_model))
    ]
    encoder, bias, decoder = weights
    pre = x @ encoder.T + bias
    codes = select(Product(encoder.detach(), bias.detach()), x, k)
    dense = pre * (codes.to_dense() > 0)
    expected = torch.autograd.grad((dense @ decoder - x).square().mean(), weights)

    by_feature = ByFeature.of(codes)
    values = sparse_pre_activations(x, encoder, bias, codes, by_feature)
    rebuilt = sparse_decode(values, decoder, codes, by_feature)
    got = torch.autograd.grad((rebuilt - x).square().mean(), weights)

    for mine, theirs in zip(got, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-10, atol=1e-12)


def test_a_batch_in_which_nothing_fires_decodes_to_zeros_and_zero_gradients() -> None:
    encoder, decoder = torch.ones(4, 2, requires_grad=True), torch.ones(4, 2, requires_grad=True)
    bias, x = torch.zeros(4, requires_grad=True), torch.ones(3, 2)
    codes = select_topk(Product(-torch.ones(4, 2), torch.zeros(4)), torch.ones(3, 2), 2)
    by_feature = ByFeature.of(codes)
    values = sparse_pre_activations(x, encoder, bias, codes, by_feature)
    rebuilt = sparse_decode(values, decoder, codes, by_feature)
    grads = torch.autograd.grad(rebuilt.sum(), [encoder, bias, decoder])
    assert torch.equal(rebuilt, torch.zeros(3, 2))
    assert all(torch.equal(grad, torch.zeros_like(grad)) for grad in grads)
