from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bio_interp.sae.kernels import Entries


@dataclass(frozen=True)
class Case:
    entries: Entries
    x: Tensor
    decoder: Tensor
    b_dec: Tensor
    target: Tensor


def ragged(counts: list[int], d_sae: int, widest: int, spare: int = 0) -> Entries:
    """Rows of `counts` entries of distinct features, and `spare` slots of no row at the end."""
    features = [torch.randperm(d_sae)[:count].sort().values for count in counts]
    rows = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    values = torch.rand(sum(counts)) + 0.1
    return Entries(
        F.pad(torch.cat(features), (0, spare), value=d_sae).int(),
        F.pad(values, (0, spare)),
        F.pad(rows, (0, spare)).int(),
        F.pad(torch.tensor(counts).cumsum(0), (1, 0)).int(),
        d_sae,
        widest,
    )


def case(entries: Entries, d_in: int, d_out: int, dtype: torch.dtype) -> Case:
    rows = len(entries)
    decoder = F.normalize(torch.randn(entries.d_sae, d_out))
    return Case(
        entries,
        torch.randn(rows, d_in).to(dtype),
        decoder.to(dtype),
        torch.randn(d_out),
        torch.randn(rows, d_out).to(dtype),
    )


def assert_near(got: Tensor, wanted: Tensor, tolerance: float) -> None:
    """Compare norms of the difference and of what is wanted; NaN never passes."""
    assert got.shape == wanted.shape
    off = (got.float() - wanted.float()).norm()
    assert off <= tolerance * wanted.float().norm(), f"off by {off}, norm {wanted.norm()}"


TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 8e-3}  # the interpreter cuts bfloat16 off
SHAPES = {
    "k=1": lambda: ragged([1, 1, 1], 9, 1),
    "rows with nothing on": lambda: ragged([0, 3, 0], 9, 3, spare=4),
    "all features on": lambda: ragged([17, 17], 17, 17),
    "rows longer than a tile of slots": lambda: ragged([18, 2], 20, 3),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("d_out", [1, 33, 130])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("route", ["sparse", "dense"])
def test_decoding_loss_and_gradient_of_values_equal_the_reference(
    interpreted, reference, shape: str, d_out: int, dtype: torch.dtype, route: str
) -> None:
    c = case(SHAPES[shape](), 5, d_out, dtype)
    found = interpreted(decoder=route).decode(c.entries, c.decoder, c.b_dec.to(dtype), c.target)
    wanted = reference.decode(c.entries, c.decoder, c.b_dec.to(dtype), c.target)
    assert found.residual.dtype == dtype
    tolerance = TOLERANCE[dtype] * (4 if route == "dense" else 1)
    for part in ("residual", "loss", "grad_values"):
        assert_near(getattr(found, part), getattr(wanted, part), tolerance)
    assert torch.equal(found.grad_values == 0, c.entries.values == 0)


@pytest.mark.parametrize(
    ("chunk", "dtype"), [(2, torch.float32), (256, torch.float32), (4, torch.bfloat16)], ids=str
)
@pytest.mark.parametrize("shape", SHAPES)
def test_weight_gradients_equal_the_reference(
    interpreted, reference, shape: str, chunk: int, dtype: torch.dtype
) -> None:
    c = case(SHAPES[shape](), 14, 17, dtype)
    decoded = reference.decode(c.entries, c.decoder, c.b_dec.to(dtype), c.target)
    kernels, scale = interpreted(decoder="sparse", chunk=chunk), torch.tensor(0.7)
    found, again = (kernels.weight_gradients(c.entries, decoded, c.x, scale) for _ in range(2))
    wanted = reference.weight_gradients(c.entries, decoded, c.x, scale)
    for mine, repeated, theirs in zip(found, again, wanted, strict=True):
        assert_near(mine, theirs, 1e-5)
        assert torch.equal(mine, repeated)


def test_a_feature_that_is_on_in_every_row_is_summed_in_chunks(interpreted, reference) -> None:
    rows = 70
    features = torch.tensor([[1, 4]] * rows, dtype=torch.int32)
    entries = Entries.of_rows(features, torch.rand(rows, 2) + 0.1, 6)
    c = case(entries, 6, 6, torch.float32)
    decoded = reference.decode(entries, c.decoder, c.b_dec, c.target)
    kernels = interpreted(decoder="sparse", chunk=16)
    found = kernels.weight_gradients(entries, decoded, c.x, torch.ones(()))
    wanted = reference.weight_gradients(entries, decoded, c.x, torch.ones(()))
    for mine, theirs in zip(found, wanted, strict=True):
        assert_near(mine, theirs, 1e-5)
        silent = [0, 2, 3, 5]
        assert torch.equal(mine[silent], torch.zeros_like(mine[silent]))


def test_gradients_of_the_dense_decoder_equal_the_reference(interpreted, reference) -> None:
    c = case(ragged([4, 0, 7], 12, 7, spare=3), 5, 9, torch.float32)
    decoded = reference.decode(c.entries, c.decoder, c.b_dec, c.target)
    scale = torch.tensor(0.7)
    found = interpreted(decoder="dense").weight_gradients(c.entries, decoded, c.x, scale)
    wanted = reference.weight_gradients(c.entries, decoded, c.x, scale)
    for mine, theirs in zip(found, wanted, strict=True):
        assert_near(mine, theirs, 1e-5)
