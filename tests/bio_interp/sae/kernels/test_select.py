import pytest
import torch
from torch import Tensor

from bio_interp.sae._product import Product
from bio_interp.sae._select import select_batchtopk, select_topk

RULES = {"select_topk": select_topk, "select_batchtopk": select_batchtopk}
SIZES = [(4, 13, 40, 3), (2, 7, 17, 17), (2, 70, 130, 1), (2, 5, 9, 20)]  # rows, width, d_sae, k
CASES = [*[(s, torch.float32) for s in SIZES], (SIZES[0], torch.bfloat16)]


def planted(rows: int, d_model: int, d_sae: int, dtype: torch.dtype) -> tuple[Tensor, ...]:
    """Rows of which the first is zero, weights, and a bias that keeps most features off."""
    x = torch.randn(rows, d_model).to(dtype)
    x[0] = 0
    bias = torch.full((d_sae,), -1.0).to(dtype)
    return x, torch.randn(d_sae, d_model).to(dtype), bias


def floors(x: Tensor, encoder: Tensor, bias: Tensor, k: int) -> dict[str, Tensor]:
    """Guesses: none, one that lists nearly all, one a row, and one that fits some rows only."""
    pre = (x.float() @ encoder.float().T + bias.float()).sort(dim=1, descending=True).values
    fitting = 0.9 * pre[:, min(k, pre.shape[1]) - 1]
    mixed = fitting.clone()
    mixed[-1] = 1e9
    return {
        "unknown": torch.full((len(x),), torch.inf),
        "low": torch.zeros(len(x)),
        "fitting": fitting,
        "mixed": mixed,
    }


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_the_reference_selects_what_the_plain_step_selects(
    reference, rule: str, sizes: tuple[int, ...]
) -> None:
    x, encoder, bias = planted(*sizes[:3], torch.float32)
    entries = getattr(reference, rule)(x, encoder, bias, sizes[3], torch.zeros(len(x)))
    expected = RULES[rule](Product(encoder, bias, screen=False), x, sizes[3])
    # some processors add up a product of few rows in another order
    torch.testing.assert_close(entries.to_dense(), expected.to_dense(), rtol=1e-6, atol=0)
    assert entries.features.shape[0] == min(sizes[3], sizes[2]) * sizes[0]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("route", ["dense", "fused"])
@pytest.mark.parametrize(("sizes", "dtype"), CASES, ids=str)
def test_kernels_select_what_the_reference_selects_whatever_the_guess(
    interpreted, reference, rule: str, route: str, sizes: tuple[int, ...], dtype: torch.dtype
) -> None:
    x, encoder, bias = planted(*sizes[:3], dtype)
    kernels = interpreted(selection=route)
    exact = (x, encoder, bias)
    if route == "fused":  # keeps float32 of the product where a dense matrix would round
        exact = (x.float(), encoder.float(), bias.float())
    for name, floor in floors(x, encoder, bias, sizes[3]).items():
        found = getattr(kernels, rule)(x, encoder, bias, sizes[3], floor)
        wanted = getattr(reference, rule)(*exact, sizes[3], floor)
        for part in ("features", "rows", "indptr"):
            assert torch.equal(getattr(found, part), getattr(wanted, part)), (name, part)
        torch.testing.assert_close(found.values, wanted.values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_rows_of_several_blocks_are_selected_whole(
    interpreted, reference, rule: str, monkeypatch
) -> None:
    monkeypatch.setattr("bio_interp.sae.kernels.device._choice._LONGEST", 16)
    x, encoder, bias = planted(3, 7, 75, torch.float32)
    kernels = interpreted(selection="dense")
    for floor in (torch.zeros(3), torch.full((3,), torch.inf)):
        found = getattr(kernels, rule)(x, encoder, bias, 4, floor)
        wanted = getattr(reference, rule)(x, encoder, bias, 4, floor)
        assert torch.equal(found.to_dense(), wanted.to_dense())


@pytest.mark.parametrize("rule", RULES)
def test_equal_values_go_to_the_lowest_features_of_the_first_rows(interpreted, rule: str) -> None:
    x, encoder, bias = torch.ones(3, 2), torch.ones(50, 2), torch.zeros(50)
    kernels = interpreted(selection="dense")
    for floor in (torch.zeros(3), torch.full((3,), torch.inf)):
        entries = getattr(kernels, rule)(x, encoder, bias, 4, floor)
        if rule == "select_topk":
            assert entries.features.tolist() == [0, 1, 2, 3] * 3
        else:
            assert entries.features.tolist() == list(range(12))
            assert entries.indptr.tolist() == [0, 12, 12, 12]


def test_a_row_that_takes_all_slots_of_the_batch_is_kept_whole(interpreted, reference) -> None:
    """Its list overflows, and the search runs over the dense rows."""
    x, encoder, bias = torch.randn(20, 6), torch.randn(200, 6), torch.zeros(200)
    x[1:] *= 1e-3
    floor = torch.full((20,), 1e-3)
    found = interpreted(selection="dense").select_batchtopk(x, encoder, bias, 4, floor)
    wanted = reference.select_batchtopk(x, encoder, bias, 4, floor)
    assert torch.equal(found.to_dense(), wanted.to_dense())
    assert int(found.indptr[1]) > 64  # more than the list of a row holds


@pytest.mark.parametrize("rule", RULES)
def test_nan_is_never_on(interpreted, rule: str) -> None:
    x, encoder, bias = torch.randn(3, 4), torch.randn(20, 4), torch.zeros(20)
    x[1, 2] = torch.nan
    for floor in (torch.zeros(3), torch.full((3,), torch.inf)):
        dense = getattr(interpreted(selection="dense"), rule)(x, encoder, bias, 2, floor).to_dense()
        assert torch.equal(dense[1], torch.zeros(20))
        assert (dense[0] > 0).any()
