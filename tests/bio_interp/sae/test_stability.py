"""Features that other seeds find again."""

import pytest
import torch

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder, match, seed_stability


def sae_of(decoder: torch.Tensor) -> SparseAutoencoder:
    decoder = torch.nn.functional.normalize(decoder)
    d_sae, d_model = decoder.shape
    tensors = {"W_enc": decoder.T.clone(), "b_enc": torch.zeros(d_sae), "W_dec": decoder}
    tensors |= {"b_dec": torch.zeros(d_model), "threshold": torch.full((d_sae,), 0.5)}
    config = SaeConfig(d_model=d_model, d_sae=d_sae, architecture="batchtopk", k=1)
    return SparseAutoencoder(config, tensors, InputNorm(torch.zeros(d_model), 1.0))


def test_a_score_is_the_mean_of_the_best_cosines_computed_by_hand():
    sae = sae_of(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    one = sae_of(torch.tensor([[3.0, 4.0], [1.0, 0.0]]))  # other widths may be
    two = sae_of(torch.tensor([[0.0, 1.0], [-4.0, 3.0], [0.0, 2.0]]))
    found = seed_stability(sae, [one, two])
    # best in one: 1, 0.8, -0.6; in two: 0, 1, 0.8
    assert found.score.tolist() == pytest.approx([0.5, 0.9, 0.1])
    assert found.seeds == 2


def test_features_kept_are_told_from_those_drawn_anew():
    generator = torch.Generator().manual_seed(0)
    decoder = torch.randn(256, 64, generator=generator)
    other = torch.randn(256, 64, generator=generator)
    other[:100] = decoder[:100] + 0.05 * torch.randn(100, 64, generator=generator)
    other = other[torch.randperm(256, generator=generator)]
    sae = sae_of(decoder)
    found = seed_stability(sae, [sae_of(other)])
    assert (found.score[:100] > 0.95).all()
    assert (found.score[100:] <= found.chance).float().mean() == pytest.approx(0.95, abs=0.05)
    assert found.score.mean() == pytest.approx(match(sae, sae_of(other)).mean_best[0])


def test_two_features_may_have_one_partner():
    sae = sae_of(torch.tensor([[1.0, 0.1], [1.0, -0.1]]))
    found = seed_stability(sae, [sae_of(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))])
    assert (found.score > 0.99).all()


def test_no_others_another_width_and_itself_are_refused():
    sae = sae_of(torch.eye(3))
    with pytest.raises(InputError, match="at least one SAE"):
        seed_stability(sae, [])
    with pytest.raises(MismatchError, match="width 3"):
        seed_stability(sae, [sae_of(torch.eye(4))])
    with pytest.raises(InputError, match="the same SAE"):
        seed_stability(sae, [sae_of(torch.eye(3))])
