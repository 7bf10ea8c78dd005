import json

import pytest
import torch

from bio_interp.errors import InputError
from bio_interp.sae import SparseAutoencoder, SparseCodes, check_fingerprint, fingerprint
from bio_interp.sae._fingerprint import strongest


def test_the_same_sae_and_rows_pass_after_save_as_int8_and_load(sae, planted, tmp_path) -> None:
    rows = planted.rows[:2500]
    sae.fingerprint = fingerprint(sae, rows)
    sae.save(tmp_path, weights="int8")
    assert check_fingerprint(SparseAutoencoder.load(tmp_path), rows) == []
    assert json.loads((tmp_path / "sae.json").read_text())["fingerprint"] == sae.fingerprint


def test_rows_read_in_half_precision_pass(sae, planted) -> None:
    rows = planted.rows[:2500]
    assert check_fingerprint(sae, rows.bfloat16().float(), fingerprint(sae, rows)) == []


def test_rows_of_another_site_of_the_same_width_are_told(sae, planted) -> None:
    rows = planted.rows[:2500]
    rotation = torch.linalg.qr(torch.randn(32, 32)).Q
    problems = check_fingerprint(sae, (rows - 5.0) @ rotation + 5.0, fingerprint(sae, rows))
    assert any("FVU" in problem for problem in problems)
    assert any("strongest" in problem for problem in problems)


def test_rows_one_residue_off_are_told_by_the_firing_pattern(sae, planted) -> None:
    rows = planted.rows[:2500]
    problems = check_fingerprint(sae, rows.roll(1, 0), fingerprint(sae, rows))
    assert len(problems) == 1
    assert "strongest" in problems[0]


def test_another_width_or_number_of_rows_is_told(sae, planted) -> None:
    rows = planted.rows[:2500]
    stored = fingerprint(sae, rows)
    assert "width 32" in check_fingerprint(sae, torch.ones(2500, 8), stored)[0]
    assert "2500 rows" in check_fingerprint(sae, rows[:2400], stored)[0]


def test_a_missing_fingerprint_is_a_problem(trained, planted) -> None:
    sae = SparseAutoencoder.load(trained["topk"][1])
    assert "without a fingerprint" in check_fingerprint(sae, planted.rows[:2500])[0]


def test_too_few_probe_rows_are_refused(sae, planted) -> None:
    with pytest.raises(InputError, match="2000"):
        fingerprint(sae, planted.rows[:1999])


def test_the_strongest_feature_of_a_silent_row_is_minus_one() -> None:
    codes = SparseCodes.from_dense(torch.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 0.0]]))
    assert strongest(codes).tolist() == [-1, 1, 0]
