import pytest
import torch

from bio_interp.sae import InputNorm, TrainConfig
from bio_interp.sae._trainable import TrainableSae


def _run(rows: torch.Tensor, steps: int = 12, **fields) -> TrainableSae:
    settings = {"d_sae": 12, "k": 2, "total_rows": 1000, "batch_rows": len(rows), "lr": 1e-2}
    config = TrainConfig(**{**settings, **fields})
    sae = TrainableSae(InputNorm.measure(rows), config)
    sae.calibrate(rows)
    optimizer = torch.optim.Adam(sae.parameters(), lr=1e-2, fused=True)
    for _ in range(steps):
        optimizer.zero_grad()
        sae(rows).total.backward()
        sae.project_gradient()
        optimizer.step()
        sae.renormalise()
    return sae


def test_counters_say_for_how_many_rows_a_feature_was_off() -> None:
    rows = torch.randn(64, 6)
    sae = _run(rows, steps=1)
    with torch.no_grad():
        sae.b_enc[5] = -100.0
    before = int(sae.rows_since_fired[5])
    for _ in range(3):
        loss = sae(rows)
    assert int(sae.rows_since_fired[5]) == before + 3 * 64
    assert loss.dead == int((sae.rows_since_fired > sae.config.dead_after).sum())


def test_maxima_are_the_largest_activations_since_the_restart() -> None:
    rows = torch.randn(64, 6)
    sae = _run(rows, architecture="topk")
    sae.restart_statistics()
    sae(rows)
    expected = sae.to_sae().encode(rows).to_dense().amax(0)
    torch.testing.assert_close(sae.feature_maxima, expected)


def test_the_inference_threshold_keeps_k_features_a_row_on_average() -> None:
    rows = torch.randn(512, 6)
    sae = _run(rows, steps=20)
    sae.restart_statistics()
    for _ in range(3):
        sae(rows)
    codes = sae.to_sae().encode(rows)
    assert codes.values.shape[0] / len(codes) == pytest.approx(2.0, rel=0.15)


def test_training_on_does_not_change_an_sae_that_was_taken_out() -> None:
    rows = torch.randn(64, 6)
    sae = _run(rows)
    taken = sae.to_sae()
    before = taken(rows)
    with torch.no_grad():
        for parameter in sae.parameters():
            parameter.add_(1.0)
    assert torch.equal(taken(rows), before)


def test_one_seed_gives_one_start() -> None:
    rows = torch.randn(64, 6)
    first, again, other = (_run(rows, steps=0, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(first.decoder, again.decoder)
    assert not torch.equal(first.decoder, other.decoder)
