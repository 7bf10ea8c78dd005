import json
from itertools import permutations

import pytest
import torch

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae import InputNorm, SaeConfig, SparseAutoencoder, measure
from bio_interp.sae._metrics import MetricSums

D_MODEL, D_SAE, D_OUT = 6, 10, 4


def _sae(*, d_out: int | None = None, skip: bool = False, seed: int = 0) -> SparseAutoencoder:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    width = d_out or D_MODEL
    tensors = {
        "W_enc": draw(D_MODEL, D_SAE),
        "b_enc": draw(D_SAE),
        "W_dec": torch.nn.functional.normalize(draw(D_SAE, width)),
        "b_dec": draw(width),
        "threshold": torch.full((D_SAE,), 0.3),
    }
    tensors["threshold"][3] = 1e6  # never on
    if skip:
        tensors["W_skip"] = draw(D_MODEL, width)
    out = InputNorm(draw(width), 0.7)
    return SparseAutoencoder(
        SaeConfig(D_MODEL, D_SAE, "jumprelu", 3, d_out),
        tensors,
        InputNorm(draw(D_MODEL), 1.3),
        out_norm=out if d_out else None,
    )


def _rows(count: int = 500, width: int = D_MODEL) -> torch.Tensor:
    rows = torch.randn(count, width, generator=torch.Generator().manual_seed(1))
    return 40.0 + rows * torch.arange(1.0, width + 1)


def _by_hand(sae: SparseAutoencoder, x: torch.Tensor, y: torch.Tensor) -> dict[str, object]:
    x, y = x.double(), y.double()
    weights = {name: tensor.double() for name, tensor in sae.tensors().items()}
    inner = (x - sae.norm.mean.double()) * sae.norm.scale.double()
    pre = inner @ weights["W_enc"] + weights["b_enc"]
    codes = pre * (pre > weights["threshold"])
    out = codes @ weights["W_dec"] + weights["b_dec"]
    if "W_skip" in weights:
        out = out + inner @ weights["W_skip"]
    centre = sae.out_norm.mean.double()
    rebuilt = out / sae.out_norm.scale.double() + centre
    total = (y - y.mean(0)).square().sum()
    return {
        "fvu": float((y - rebuilt).square().sum() / total),
        "l0": float((codes > 0).double().sum(1).mean()),
        "dead": float((codes > 0).any(0).logical_not().double().mean()),
        "cosine": float(torch.cosine_similarity(y - centre, rebuilt - centre).mean()),
        "density": (codes > 0).double().mean(0),
        "maxima": codes.max(0).values.clamp_min(0),
    }


@pytest.mark.parametrize(("d_out", "skip"), [(None, False), (D_OUT, False), (D_OUT, True)])
def test_every_figure_equals_a_dense_computation_by_hand(d_out: int | None, skip: bool) -> None:
    sae, x = _sae(d_out=d_out, skip=skip), _rows()
    y = _rows(width=D_OUT) if d_out else x
    found, wanted = measure(sae, x, target=y), _by_hand(sae, x, y)
    for name in ("fvu", "l0", "dead", "cosine"):
        assert getattr(found, name) == pytest.approx(wanted[name], rel=1e-5), name
    assert torch.equal(found.density, wanted["density"])
    torch.testing.assert_close(found.maxima.double(), wanted["maxima"], rtol=1e-5, atol=1e-5)
    assert 0 < found.dead < 1
    assert found.rows == 500


def test_parts_in_any_order_give_the_figures_of_the_whole() -> None:
    sae, rows = _sae(), _rows()
    whole = measure(sae, rows)
    parts = rows.split([1, 250, 0, 249])
    for order in permutations(range(4)):
        found = measure(sae, iter([parts[i] for i in order]))
        for name in ("rows", "fvu", "l0", "dead", "cosine"):
            assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-9), name
        assert torch.equal(found.density, whole.density)
        assert found.maxima == pytest.approx(whole.maxima, rel=1e-6)


def test_sums_of_shards_merge_into_the_sums_of_all() -> None:
    sae, rows = _sae(), _rows()
    shards = []
    for part in rows.split(130):
        shard = MetricSums.of(sae)
        shard.add(sae, part, part)
        shards.append(shard)
    left, right = MetricSums.of(sae), MetricSums.of(sae)
    for shard in shards:
        left.merge(shard)
    for shard in reversed(shards):
        right.merge(shard)
    for sums in (left, right):
        assert sums.metrics().fvu == pytest.approx(measure(sae, rows).fvu, rel=1e-9)


def test_variance_is_exact_far_from_the_origin() -> None:
    sae, near = _sae(), _rows().double()
    far = near + 1e6
    exact_weights = {name: tensor.double() for name, tensor in sae.tensors().items()}
    norm = InputNorm(sae.norm.mean.double(), 1.3)
    moved = SparseAutoencoder(sae.config, exact_weights, norm)
    sums = MetricSums.of(moved)
    for part in far.split(7):
        sums.add(moved, part, part)
    exact = float((near - near.mean(0)).square().sum())
    assert sums.scatter == pytest.approx(exact, rel=1e-9)


def test_an_sae_and_measure_agree_on_fvu() -> None:
    sae, rows = _sae(), _rows()
    assert sae.fvu(rows) == measure(sae, rows).fvu


def test_the_rows_own_mean_has_fvu_one_and_perfect_rows_have_zero() -> None:
    rows = _rows(200)
    tensors = {
        "W_enc": torch.eye(D_MODEL),
        "b_enc": torch.zeros(D_MODEL),
        "W_dec": torch.eye(D_MODEL),
        "b_dec": torch.zeros(D_MODEL),
        "threshold": torch.zeros(D_MODEL),
    }
    config = SaeConfig(D_MODEL, D_MODEL, "jumprelu", 3)
    whole = SparseAutoencoder(config, tensors, InputNorm(torch.full((D_MODEL,), -100.0), 1.0))
    assert measure(whole, rows).fvu < 1e-10
    assert measure(whole, rows).cosine == pytest.approx(1.0)
    never = {**tensors, "threshold": torch.full((D_MODEL,), torch.inf)}
    mean = SparseAutoencoder(config, never, InputNorm(rows.mean(0), 1.0))
    found = measure(mean, rows)
    assert found.fvu == pytest.approx(1.0)
    assert (found.dead, found.l0, found.cosine) == (1.0, 0.0, 0.0)


def test_rows_without_variance_have_infinite_fvu_which_is_none_in_json() -> None:
    found = measure(_sae(), torch.ones(5, D_MODEL))
    assert found.fvu == float("inf")
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["fvu"] is None


def test_density_quantiles_are_densities_of_features_in_order() -> None:
    found = measure(_sae(), _rows())
    quantiles = list(found.density_quantiles.values())
    assert quantiles == sorted(quantiles)
    assert (quantiles[0], quantiles[-1]) == (float(found.density.min()), float(found.density.max()))
    assert found.to_dict()["density_quantiles"]["0.5"] == found.density_quantiles["0.5"]


def test_pairs_of_parts_measure_a_transcoder() -> None:
    sae, x, y = _sae(d_out=D_OUT), _rows(), _rows(width=D_OUT)
    pairs = list(zip(x.split(99), y.split(99), strict=True))
    assert measure(sae, pairs).fvu == pytest.approx(measure(sae, x, target=y).fvu, rel=1e-9)


def test_no_rows_and_wrong_widths_are_refused() -> None:
    with pytest.raises(InputError, match="at least one row"):
        measure(_sae(), [])
    with pytest.raises(MismatchError, match="width 6"):
        measure(_sae(), _rows(5), target=_rows(5, D_OUT))
    with pytest.raises(MismatchError, match=r"\(rows, 6\)"):
        measure(_sae(), _rows(5, 7))
    with pytest.raises(InputError, match="one tensor"):
        measure(_sae(), [_rows(5)], target=_rows(5))
