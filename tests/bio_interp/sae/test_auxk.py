import pytest
import torch

from bio_interp.sae import InputNorm, TrainConfig
from bio_interp.sae._auxk import auxk_loss
from bio_interp.sae._trainable import TrainableSae


def _config(**fields) -> TrainConfig:
    settings = {"d_sae": 16, "k": 2, "total_rows": 6400, "batch_rows": 64, "dead_after_rows": 100}
    return TrainConfig(**{**settings, **fields})


def _with_silent_features(rows: torch.Tensor, **fields) -> TrainableSae:
    sae = TrainableSae(InputNorm.measure(rows), _config(**fields))
    with torch.no_grad():
        sae.b_enc[:8] = -50.0
    return sae


def _steps(sae: TrainableSae, rows: torch.Tensor, count: int) -> None:
    optimizer = torch.optim.Adam(sae.parameters(), lr=0.02)
    for step in range(count):
        loss = sae(rows[64 * (step % 50) :][:64])
        optimizer.zero_grad()
        loss.total.backward()
        sae.project_gradient()
        optimizer.step()
        sae.renormalise()


@pytest.mark.parametrize("architecture", ["topk", "batchtopk"])
def test_auxk_revives_dead_features_and_without_it_they_stay_dead(architecture: str) -> None:
    rows = torch.randn(3200, 8)
    alive = {}
    for coefficient in (0.0, 1.0):
        sae = _with_silent_features(
            rows, k=1, aux_coefficient=coefficient, architecture=architecture, aux_k=8
        )
        with torch.no_grad():
            sae.b_enc[:8] = 0.0
            sae.encoder[:8] *= 0.02
        _steps(sae, rows, 100)
        alive[coefficient] = int((sae.rows_since_fired[:8] < 100).sum())
    assert alive[0.0] <= 1
    assert alive[1.0] >= 6


def test_the_auxiliary_loss_is_the_error_on_the_residual_scaled_to_variance_1() -> None:
    x, residual = torch.randn(40, 5), torch.randn(40, 5)
    encoder, bias, decoder = torch.randn(7, 5), torch.randn(7), torch.randn(7, 5)
    top = (x[:10] @ encoder.T + bias).topk(3, dim=1)
    codes = torch.zeros(10, 7).scatter(1, top.indices, top.values.relu())
    sample = residual[:10]  # the first quarter
    wanted = sample / sample.var(0, correction=0).mean().sqrt()
    expected = (wanted - codes @ decoder).square().mean()
    torch.testing.assert_close(auxk_loss(x, residual, encoder, bias, decoder, k=3), expected)


def test_a_residual_without_variance_gives_zero_and_not_nan() -> None:
    weights = torch.randn(7, 5), torch.randn(7), torch.randn(7, 5)
    assert auxk_loss(torch.randn(9, 5), torch.zeros(9, 5), *weights, k=3) == 0
    assert auxk_loss(torch.randn(1, 5), torch.randn(1, 5), *weights, k=3) == 0


def test_auxk_moves_only_dead_features_and_enters_the_loss_once() -> None:
    rows = torch.randn(640, 8)
    quarter, none = (_with_silent_features(rows, aux_coefficient=c, aux_k=8) for c in (0.25, 0.0))
    grads = []
    for sae in (quarter, none):
        with torch.no_grad():
            sae.b_enc[:8] = -0.1
            sae.rows_since_fired[:8] = 10_000
        # dead is decided after the batch: features that fire in it are alive
        with torch.no_grad():
            sae.b_enc[:4] = -50.0
        sae.b_dec.data.fill_(0.3)
        loss = sae(rows[:64])
        loss.total.backward()
        grads.append((loss, sae.decoder.grad, sae.encoder.grad, sae.b_dec.grad))
    (with_aux, decoder, encoder, b_dec), (without, decoder_0, encoder_0, b_dec_0) = grads
    torch.testing.assert_close(
        with_aux.total.detach(), with_aux.reconstruction + 0.25 * with_aux.auxk
    )
    assert with_aux.dead >= 4
    assert with_aux.auxk > 0
    assert without.auxk == 0
    torch.testing.assert_close(b_dec, b_dec_0)  # the residual is detached, no bias in the decode
    torch.testing.assert_close(decoder[8:], decoder_0[8:])
    torch.testing.assert_close(encoder[8:], encoder_0[8:])


@pytest.mark.parametrize(("given", "k"), [(None, 4), (1, 1), (6, 6), (99, 8)])
def test_aux_k_is_half_of_d_model_or_what_was_set(given: int | None, k: int) -> None:
    """Not half of the features; the setting was once ignored; fewer may be dead."""
    rows = torch.randn(64, 8)
    sae = _with_silent_features(rows, aux_k=given)
    with torch.no_grad():
        sae.encoder[:8] *= 0.02  # above zero, and never among the largest
        sae.b_enc[:8] = 0.1
    sae.rows_since_fired[:8] = 10_000
    loss, x = sae(rows), sae.norm.apply_to(rows)
    residual = sae.objective.outcome(sae.weights, x, x).residual.detach()
    dead = sae.weights.of(torch.arange(8))
    weights = dead.encoder, dead.b_enc, dead.decoder
    by_k = [float(auxk_loss(x, residual, *weights, k=n).detach()) for n in range(1, 9)]
    assert (loss.dead, len(set(by_k))) == (8, 8)
    assert float(loss.auxk) == pytest.approx(by_k[k - 1], rel=1e-6)


def test_very_many_dead_features_take_turns(monkeypatch) -> None:
    monkeypatch.setattr("bio_interp.sae._trainable.MOST_DEAD", 8)
    sae = _with_silent_features(torch.randn(64, 6))
    turns = []
    for _ in range(3):
        sae.rows_since_fired += 64
        turns.append(sae._in_turn(torch.arange(20), 64).tolist())
    assert [len(turn) <= 8 for turn in turns] == [True] * 3
    assert sorted(number for turn in turns for number in turn) == list(range(20))


def test_the_size_of_the_residual_does_not_change_what_dead_features_learn() -> None:
    """Else they learn a small residual as it is, and are too weak to be among the largest."""
    x, residual = torch.randn(40, 5), torch.randn(40, 5)
    weights = [torch.randn(7, 5, requires_grad=True), torch.randn(7), torch.randn(7, 5)]
    large = auxk_loss(x, residual, *weights, k=3)
    small = auxk_loss(x, 0.01 * residual, *weights, k=3)
    torch.testing.assert_close(small, large)
    torch.testing.assert_close(*(torch.autograd.grad(v, weights[0])[0] for v in (small, large)))
