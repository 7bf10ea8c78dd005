import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae import (
    InputNorm,
    PlantedFeatures,
    Recovery,
    SaeConfig,
    SparseAutoencoder,
    TrainConfig,
    recovery,
    train,
)

D_MODEL, PLANTED = 40, 32
# 26 roots, of which 0, 1, 2 have the children 26 and 27, 28 and 29, 30 and 31. Fewer features than
# dimensions, so that linear encoders can read each feature exactly
WORLD = PlantedFeatures(D_MODEL, PLANTED, on=4, parents=3, children=2, offset=2.0)
ROWS = 3000


def _sae(reads: Tensor, decoder: Tensor, bias: float = 0.0) -> SparseAutoencoder:
    """`reads` says how latents add up features: ``pre = features @ reads.T + bias``."""
    d_sae = reads.shape[0]
    tensors = {
        "W_enc": torch.linalg.pinv(WORLD.directions) @ reads.T,
        "b_enc": torch.full((d_sae,), bias),
        "W_dec": torch.nn.functional.normalize(decoder),
        "b_dec": torch.zeros(D_MODEL),
        "threshold": torch.full((d_sae,), 1e-4),
    }
    config = SaeConfig(D_MODEL, d_sae, "jumprelu", 4)
    return SparseAutoencoder(config, tensors, InputNorm(WORLD.mean, 1.0))


def _score(reads: Tensor, decoder: Tensor, **more: float) -> Recovery:
    return recovery(_sae(reads, decoder, **more), WORLD, ROWS)


def test_the_perfect_dictionary_has_perfect_scores_in_any_order_of_latents() -> None:
    order = torch.randperm(PLANTED)
    score = _score(torch.eye(PLANTED)[order], WORLD.directions[order])
    assert score.mcc == pytest.approx(1.0, abs=1e-6)
    assert (score.f1, score.f1_best, score.found) == (1.0, 1.0, 1.0)
    assert (score.absorption, score.absorption_pairs, score.splitting) == (0.0, 6, 0.0)
    assert torch.equal(order[score.latent], torch.arange(PLANTED))


def _absorbed() -> tuple[Tensor, Tensor]:
    reads, decoder = torch.eye(PLANTED), WORLD.directions.clone()
    reads[0, 26] = -100.0  # the parent's latent is off where its first child is on
    decoder[26] = WORLD.directions[26] + WORLD.directions[0]
    return reads, decoder


def test_a_planted_absorption_is_counted_in_the_rows_of_its_pair_alone() -> None:
    score = _score(*_absorbed())
    assert score.absorption == pytest.approx(1 / 6)
    assert score.splitting == 0.0
    assert score.mcc > 0.95
    assert float(score.f1_by_feature[0]) < 0.9
    assert float(score.f1_by_feature[1]) == 1.0


def test_a_silent_parent_is_not_absorbed_by_a_child_that_does_not_contain_it() -> None:
    reads, _ = _absorbed()
    assert _score(reads, WORLD.directions).absorption == 0.0


def test_a_child_that_contains_its_parent_absorbs_nothing_while_the_parent_is_on() -> None:
    _, decoder = _absorbed()
    assert _score(torch.eye(PLANTED), decoder).absorption == 0.0


def test_a_parent_that_was_never_found_is_not_counted_as_absorbed() -> None:
    reads, decoder = _absorbed()
    decoder[0] = torch.randn(D_MODEL)
    score = _score(reads, decoder)
    assert (score.absorption, score.absorption_pairs) == (0.0, 4)
    none = _score(torch.eye(PLANTED), torch.randn(PLANTED, D_MODEL))
    assert (none.absorption, none.absorption_pairs) == (None, 0)
    assert json.loads(json.dumps(none.to_dict(), allow_nan=False))["absorption"] is None


def test_an_absorber_nearer_to_the_parent_does_not_pass_for_a_latent_of_the_parent() -> None:
    reads, decoder = _absorbed()
    decoder[26] = 0.5 * WORLD.directions[26] + WORLD.directions[0]
    assert _score(reads, decoder).absorption == pytest.approx(1 / 6)


def test_a_second_latent_of_the_parent_that_fires_prevents_absorption() -> None:
    reads, decoder = _absorbed()
    second = torch.zeros(1, PLANTED)
    second[0, 0] = 1.0
    near = WORLD.directions[:1] + 0.05 * torch.randn(1, D_MODEL)
    score = _score(torch.cat([reads, second]), torch.cat([decoder, near]))
    assert score.absorption == 0.0


def test_planted_splits_are_counted_once_a_feature() -> None:
    copies = torch.tensor([5, 5, 9])
    near = WORLD.directions[copies] + 0.05 * torch.randn(3, D_MODEL)
    eye = torch.eye(PLANTED)
    score = _score(torch.cat([eye, eye[copies]]), torch.cat([WORLD.directions, near]))
    assert score.splitting == pytest.approx(2 / PLANTED)
    assert score.mcc == pytest.approx(1.0, abs=1e-6)


def test_a_random_dictionary_scores_as_chance_does() -> None:
    score = _score(torch.eye(PLANTED), torch.randn(PLANTED, D_MODEL))
    chance = [_score(torch.eye(PLANTED), torch.randn(PLANTED, D_MODEL)).mcc for _ in range(5)]
    assert score.mcc == pytest.approx(sum(chance) / 5, abs=0.05)
    assert score.mcc < 0.5
    assert score.f1 < 0.3
    assert (score.found, score.splitting) == (0.0, 0.0)


def test_a_latent_of_the_opposite_direction_is_no_match() -> None:
    assert _score(torch.eye(PLANTED), -WORLD.directions).mcc < 0.5


def test_features_without_a_latent_count_nothing() -> None:
    score = _score(torch.eye(PLANTED)[:20], WORLD.directions[:20])
    assert score.mcc == pytest.approx(20 / PLANTED, abs=1e-6)
    assert score.latent[20:].tolist() == [-1] * 12
    assert score.mmcs > score.mcc
    assert score.f1 == pytest.approx(20 / PLANTED)


def test_f1_best_forgives_a_latent_that_is_always_a_little_on() -> None:
    score = _score(torch.eye(PLANTED), WORLD.directions, bias=0.05)
    assert score.f1_best == 1.0
    assert score.f1 < 0.4


def test_f1_equals_a_count_of_every_threshold_by_hand() -> None:
    reads = torch.eye(PLANTED) + 0.3 * torch.randn(PLANTED, PLANTED)
    sae = _sae(reads, WORLD.directions)
    score = recovery(sae, WORLD, 700, seed=5)
    own, best = [], []
    parts = list(WORLD.parts(700, 5, part_rows=2048))
    codes = torch.cat([sae.encode(x).to_dense() for x, _ in parts])
    truth = torch.cat([true.to_dense() for _, true in parts]) > 0
    for feature in truth.any(0).nonzero().squeeze(1).tolist():
        value = codes[:, int(score.latent[feature])]
        f1s = []
        for cut in [0.0, *value[value > 0].tolist()]:
            on = value >= cut if cut else value > 0
            right = float((on & truth[:, feature]).sum())
            f1s.append(2 * right / float(on.sum() + truth[:, feature].sum()))
        own.append(f1s[0])
        best.append(max(f1s))
    assert score.f1 == pytest.approx(sum(own) / len(own))
    assert score.f1_best == pytest.approx(sum(best) / len(best))


def test_training_on_a_source_of_planted_rows_finds_the_features(tmp_path: Path) -> None:
    world = PlantedFeatures(24, 48, on=2, exponent=0.3, offset=5.0)
    config = TrainConfig(d_sae=48, k=2, total_rows=300_000, batch_rows=512, lr=6e-3, norm_rows=4096)
    short = TrainConfig(d_sae=48, k=2, total_rows=1024, batch_rows=512, lr=6e-3)
    before = recovery(train(world.source(1024), short, folder=tmp_path / "short"), world, 2000)
    score = recovery(train(world.source(50_000), config, folder=tmp_path / "run"), world, 5000)
    assert before.mcc < 0.65
    assert score.mcc > 0.8
    assert score.f1_best > before.f1_best + 0.3


def test_an_sae_of_another_width_and_no_rows_are_refused() -> None:
    with pytest.raises(InputError, match="one row"):
        recovery(_sae(torch.eye(PLANTED), WORLD.directions), WORLD, 0)
    with pytest.raises(MismatchError, match="width 24"):
        recovery(_sae(torch.eye(PLANTED), WORLD.directions), PlantedFeatures(24, 48, on=2))
