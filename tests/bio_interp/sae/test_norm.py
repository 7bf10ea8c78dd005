import pytest
import torch

from bio_interp.errors import InputError
from bio_interp.sae import InputNorm, outlier_severity


def test_measured_rows_are_centred_with_mean_square_one() -> None:
    rows = torch.randn(1000, 8) * 30 + 200
    normal = InputNorm.measure(rows).apply_to(rows)
    assert normal.mean(0).abs().max() < 1e-4
    assert normal.square().mean() == pytest.approx(1.0, abs=1e-4)


def test_undo_undoes() -> None:
    rows = torch.randn(10, 8) * 30 + 200
    norm = InputNorm.measure(rows)
    torch.testing.assert_close(norm.undo(norm.apply_to(rows)), rows)


def test_normalising_leaves_the_input_as_it_was() -> None:
    rows = torch.randn(10, 8)
    before = rows.clone()
    InputNorm.measure(rows).apply_to(rows)
    assert torch.equal(rows, before)


def test_constant_rows_get_scale_one_and_no_nan() -> None:
    norm = InputNorm.measure(torch.full((10, 3), 7.0))
    assert float(norm.scale) == 1.0
    assert torch.equal(norm.apply_to(torch.full((2, 3), 7.0)), torch.zeros(2, 3))


def test_outlier_severity_is_the_ratio_of_the_norms() -> None:
    rows = torch.randn(200_000, 4, generator=torch.Generator().manual_seed(1)) * 2 + 6
    assert outlier_severity(rows) == pytest.approx(3.0, rel=0.02)
    assert outlier_severity(torch.ones(3, 2)) == float("inf")


def test_outlier_severity_of_no_rows_is_refused() -> None:
    with pytest.raises(InputError):
        outlier_severity(torch.empty(0, 4))
