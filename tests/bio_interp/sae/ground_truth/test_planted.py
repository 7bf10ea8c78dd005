import pytest
import torch

from bio_interp.errors import InputError
from bio_interp.sae import PlantedFeatures, outlier_severity
from bio_interp.sae.ground_truth._matching import Matching

WORLD = PlantedFeatures(
    24, 60, on=5, parents=4, children=3, child_probability=0.25, group_size=4, correlation=0.5
)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_rows_are_the_sums_of_the_features_that_are_on() -> None:
    world = PlantedFeatures(24, 60, on=5, offset=3.0)
    x, truth = world.sample(200, _generator())
    torch.testing.assert_close(x, truth.to_dense() @ world.directions + world.mean)
    assert float(world.mean.norm()) == pytest.approx(3.0)
    torch.testing.assert_close(world.directions.norm(dim=1), torch.ones(60))


def test_features_are_on_as_often_as_stated_whatever_their_group_and_parents() -> None:
    rows = 40_000
    _, truth = WORLD.sample(rows, _generator())
    counts = torch.bincount(truth.features, minlength=60)
    expected = WORLD.frequencies.double()
    error = (rows * expected * (1 - expected)).sqrt()
    assert float(((counts - rows * expected).abs() / error).max()) < 4.5
    assert float(expected.sum()) == pytest.approx(5.0, abs=1e-4)


def test_frequencies_fall_as_zipf_says_below_the_cap() -> None:
    world = PlantedFeatures(8, 100, on=2, exponent=0.7)
    ranks = torch.arange(1, 101, dtype=torch.float64)
    ratio = world.frequencies.double() * ranks**0.7
    torch.testing.assert_close(ratio, ratio[:1].expand(100), rtol=1e-5, atol=0)
    capped = PlantedFeatures(8, 100, on=6, exponent=1.5)
    assert float(capped.frequencies.max()) == 0.5
    assert float(capped.frequencies.sum()) == pytest.approx(6.0, abs=1e-4)


def test_a_child_is_on_only_with_its_parent_and_as_often_as_stated() -> None:
    _, truth = WORLD.sample(20_000, _generator())
    on = truth.to_dense() > 0
    for child in range(WORLD.roots, 60):
        parent = int(WORLD.parent_of[child])
        assert 0 <= parent < 4
        assert not bool((on[:, child] & ~on[:, parent]).any())
        share = float(on[on[:, parent], child].double().mean())
        assert share == pytest.approx(0.25, abs=0.03)


def test_members_of_a_group_go_together_and_others_do_not() -> None:
    world = PlantedFeatures(8, 40, on=8, exponent=0.0, group_size=4, correlation=0.6)
    _, truth = world.sample(20_000, _generator())
    on = (truth.to_dense() > 0).double()
    correlation = torch.corrcoef(on.T)
    group = torch.arange(40) % 10
    within = (group[:, None] == group) & ~torch.eye(40, dtype=torch.bool)
    across = group[:, None] != group
    assert float(correlation[within].min()) > 0.2
    assert float(correlation[across].abs().max()) < 0.04


def test_magnitudes_are_about_one_with_the_stated_spread_and_above_zero() -> None:
    _, truth = PlantedFeatures(8, 40, on=8, spread=0.3).sample(20_000, _generator())
    assert float(truth.values.mean()) == pytest.approx(1.0, abs=0.01)
    assert float(truth.values.std()) == pytest.approx(0.3, abs=0.01)
    assert float(truth.values.min()) > 0


def test_noise_and_offset_are_what_was_asked() -> None:
    world = PlantedFeatures(32, 40, on=1e-3, noise=0.5, offset=10.0)
    x, _ = world.sample(5000, _generator())
    assert float((x - world.mean).std()) == pytest.approx(0.5, rel=0.05)
    assert outlier_severity(x) == pytest.approx(10 / (0.5 * 32**0.5), rel=0.05)


def test_the_same_seed_gives_the_same_rows_and_epochs_differ() -> None:
    source = WORLD.source(5000, seed=3)
    first, again = torch.cat(list(source(0))), torch.cat(list(source(0)))
    assert torch.equal(first, again)
    assert first.shape == (5000, 24)
    assert not torch.equal(first, torch.cat(list(source(1))))
    other = PlantedFeatures(24, 60, on=5, seed=1)
    assert not torch.equal(other.directions, WORLD.directions)


def test_the_truth_is_not_what_an_sae_of_the_same_seed_starts_from() -> None:
    drawn = torch.randn(60, 24, generator=_generator(0))
    start = torch.nn.functional.normalize(drawn)
    assert float(Matching.of(start, WORLD.directions).cosines.mean()) < 0.6


def test_worlds_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="features on in a row"):
        PlantedFeatures(8, 10, on=6)
    with pytest.raises(InputError, match="fewer parents"):
        PlantedFeatures(8, 10, on=1, parents=4, children=2)
    with pytest.raises(InputError, match="correlation"):
        PlantedFeatures(8, 10, on=1, correlation=1.0)
    with pytest.raises(InputError, match="d_model"):
        PlantedFeatures(0, 10, on=1)
