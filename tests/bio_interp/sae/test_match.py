from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import bio_interp as bi
from bio_interp.errors import InputError, MismatchError
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder, TrainConfig, match, train


def _sae(decoder, *, k=4, seed=0) -> SparseAutoencoder:
    """An SAE with these directions, tied, without biases."""
    decoder = torch.nn.functional.normalize(decoder)
    d_sae, d_model = decoder.shape
    tensors = {
        "W_enc": decoder.T.clone(),
        "b_enc": torch.zeros(d_sae),
        "W_dec": decoder,
        "b_dec": torch.zeros(d_model),
    }
    norm = InputNorm(torch.zeros(d_model), 1.0)
    return SparseAutoencoder(SaeConfig(d_model, d_sae, "topk", k), tensors, norm)


def _random(d_sae, d_model=32, seed=0) -> SparseAutoencoder:
    generator = torch.Generator().manual_seed(seed)
    return _sae(torch.randn(d_sae, d_model, generator=generator))


def _permuted(sae, order) -> SparseAutoencoder:
    return _sae(sae.W_dec.detach()[order])


ROWS = torch.randn(3000, 32, generator=torch.Generator().manual_seed(9))


@pytest.mark.parametrize("rows", [None, ROWS])
def test_a_permuted_copy_is_matched_perfectly(rows) -> None:
    sae, order = _random(96), torch.randperm(96)
    found = match(sae, _permuted(sae, order), rows)
    assert torch.equal(order[found.features_b], found.features_a)
    assert found.features_a.tolist() == list(range(96))
    assert found.score.min() > 0.999
    assert found.summary()["significant"] == found.summary()["above_null"] == 1.0
    assert found.mean_best == pytest.approx((1.0, 1.0), abs=1e-5)


@pytest.mark.parametrize("rows", [None, (ROWS, ROWS.flip(0))])
def test_independent_saes_are_not_matched_above_chance(rows) -> None:
    found_any, above = 0, 0
    for seed in range(20):
        found = match(_random(128, seed=2 * seed), _random(128, seed=2 * seed + 1), rows, seed=seed)
        found_any += bool((found.q < 0.05).any())
        above += int((found.p <= 0.05).sum())
    assert found_any <= 3
    assert above <= 0.06 * 2560


def test_directions_that_all_features_share_earn_nothing() -> None:
    generator = torch.Generator().manual_seed(1)
    common = 3 * torch.randn(32, generator=generator)  # every cosine is near 0.9
    one, other = (_sae(torch.randn(256, 32, generator=generator) + common) for _ in range(2))
    found = match(one, other)
    assert found.score.mean() > 0.8
    assert found.summary()["significant"] < 0.02


def test_features_that_fire_in_runs_are_no_match_because_of_the_runs() -> None:
    """Rows in blocks of one direction: chance that moved single rows would be beaten by runs."""
    generator = torch.Generator().manual_seed(2)
    one = _random(64, seed=1)
    runs = [torch.randn(60, 32, generator=generator).repeat_interleave(50, 0) for _ in range(2)]
    found = match(one, _random(64, seed=3), tuple(runs), lengths=[50] * 60)
    assert found.summary()["above_null"] <= 0.11
    naive = match(one, _random(64, seed=3), tuple(runs), lengths=[1] * 3000)
    assert naive.summary()["above_null"] > 0.3


def test_two_seeds_on_planted_directions_match_above_chance(planted, tmp_path: Path) -> None:
    saes = []
    for seed in (1, 2):
        config = TrainConfig(
            d_sae=64, k=3, total_rows=150_000, batch_rows=512, lr=4e-3, norm_rows=4096, seed=seed
        )
        saes.append(train(list(planted.rows.split(1000)), config, folder=tmp_path / str(seed)))
    by_cosine, by_rows = match(*saes), match(*saes, planted.rows[:10_000])
    for found in (by_cosine, by_rows):
        assert found.summary()["significant"] > 0.6
    pairs = [set(zip(f.features_a.tolist(), f.features_b.tolist(), strict=True))
             for f in (by_cosine, by_rows)]  # fmt: skip
    assert len(pairs[0] & pairs[1]) > 30


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 10**6), st.booleans(), st.booleans())
def test_swapping_the_two_transposes_the_match(d_a, d_b, seed, fire, greedy) -> None:
    a, b = _random(d_a, 8, seed), _random(d_b, 8, seed + 1)
    rows = ROWS[:300, :8] if fire else None
    with pytest.MonkeyPatch.context() as patch:
        if greedy:
            patch.setattr("bio_interp.sae._match._EXACT_SCORES", 0)
        there, back = match(a, b, rows, permutations=1), match(b, a, rows, permutations=1)
    pairs = sorted(zip(there.features_a.tolist(), there.features_b.tolist(), strict=True))
    returned = sorted(zip(back.features_b.tolist(), back.features_a.tolist(), strict=True))
    assert pairs == returned
    assert there.mean_best == pytest.approx(back.mean_best[::-1], abs=1e-6)
    assert len(pairs) == len({x for x, _ in pairs}) == len({y for _, y in pairs})


def test_many_features_are_matched_best_first_in_blocks(monkeypatch) -> None:
    sae, order = _random(200), torch.randperm(200)
    noisy = _sae(sae.W_dec.detach()[order] + 0.02 * torch.randn(200, 32))
    exact = match(sae, noisy)
    monkeypatch.setattr("bio_interp.sae._match._EXACT_SCORES", 1000)
    monkeypatch.setattr("bio_interp.sae._similarity._BLOCK_SCORES", 7 * 200)
    greedy = match(sae, noisy)
    assert (exact.exact, greedy.exact) == (True, False)
    assert torch.equal(exact.features_b, greedy.features_b)
    assert torch.allclose(exact.score, greedy.score)
    assert torch.equal(order[greedy.features_b], greedy.features_a)


def test_the_table_and_the_summary_say_what_was_found() -> None:
    found = bi.match(_random(20), _random(30, seed=1))
    table = found.to_polars()
    assert table.columns == ["feature_a", "feature_b", "score", "p", "q"]
    assert table.height == len(found) == found.summary()["pairs"] == 20
    assert (found.q >= found.p - 1e-12).all()
    assert found.p.min() > 0


def test_other_widths_need_rows() -> None:
    one, other = _random(20, 16), _random(20, 8)
    with pytest.raises(MismatchError, match="widths 16 and 8"):
        match(one, other)
    rows = torch.randn(500, 16)
    found = match(one, other, (rows, rows[:, :8].contiguous()))
    assert found.measure == "co-firing"


def test_rows_that_do_not_fit_are_refused() -> None:
    sae = _random(20)
    with pytest.raises(MismatchError, match="same rows"):
        match(sae, sae, (ROWS[:100], ROWS[:90]))
    with pytest.raises(MismatchError, match="lengths"):
        match(sae, sae, ROWS[:100], lengths=[50])
    with pytest.raises(InputError, match="features fire"):
        match(sae, sae, torch.zeros(10, 32))
    with pytest.raises(InputError, match="permutations"):
        match(sae, sae, permutations=0)
