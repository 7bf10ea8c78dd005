import pytest
import torch

from bio_interp.sae.architectures import Weights
from bio_interp.sae.kernels import sparse_loss


@pytest.mark.parametrize("who", ["reference", "interpreted"])
@pytest.mark.parametrize("rule", ["select_topk", "select_batchtopk"])
def test_gradients_equal_autograd_of_the_dense_formula(request, who: str, rule: str) -> None:
    kernels = request.getfixturevalue(who)
    if who == "interpreted":
        kernels = kernels(decoder="sparse")
    x, target = torch.randn(4, 6), torch.randn(4, 9, requires_grad=True)
    shapes = ((15, 6), (15,), (15, 9), (9,))
    leaves = [torch.randn(shape, requires_grad=True) for shape in shapes]
    encoder, b_enc, decoder, b_dec = leaves
    leaves.append(target)
    pre = x @ encoder.T + b_enc
    floor = torch.zeros(4)
    entries = getattr(kernels, rule)(x, encoder.detach(), b_enc.detach(), 3, floor)
    dense = pre * (entries.to_dense() > 0)
    expected = 3 * (target - dense @ decoder - b_dec).square().mean()
    loss, residual = sparse_loss(kernels, entries, Weights(*leaves[:4]), x, target)
    assert not residual.requires_grad
    torch.testing.assert_close(3 * loss, expected)
    wanted = torch.autograd.grad(expected, leaves)
    found = torch.autograd.grad(3 * loss, leaves)
    for mine, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)
