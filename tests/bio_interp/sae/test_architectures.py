"""What each architecture computes, against its formula written out densely."""

import pytest
import torch
from torch import Tensor

from bio_interp.errors import InputError
from bio_interp.sae import InputNorm, TrainConfig, measure, train
from bio_interp.sae._trainable import TrainableSae

D_IN, D_SAE, ROWS = 6, 14, 40
ALL = [
    {"architecture": "topk"},
    {"architecture": "batchtopk"},
    {"architecture": "topk", "prefixes": (3, 8)},
    {"architecture": "batchtopk", "prefixes": (3, 8)},
    {"architecture": "jumprelu", "sparsity": 2.0},
    {"architecture": "gated", "sparsity": 2.0},
    {"architecture": "relu", "sparsity": 2.0},
]


def _started(fields: dict, **more) -> tuple[TrainableSae, Tensor]:
    settings = {"d_sae": D_SAE, "k": 3, "total_rows": 4000, "batch_rows": ROWS, "bandwidth": 0.6}
    config = TrainConfig(**{**settings, "sparsity_warmup": 0.0, **fields, **more})
    rows = torch.randn(ROWS, D_IN, dtype=torch.float64)
    sae = TrainableSae(InputNorm(rows.mean(0), 1.0), config).double()
    sae.calibrate(rows)
    with torch.no_grad():
        for parameter in sae.objective.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        sae.b_enc.add_(0.1 * torch.randn(D_SAE))
        sae.b_dec.add_(0.1 * torch.randn(D_IN))
    return sae, rows


def _dense_loss(sae: TrainableSae, x: Tensor) -> Tensor:
    """Write the loss out as the papers do, for autograd to differentiate."""
    config, objective = sae.config, sae.objective
    pre = x @ sae.encoder.T + sae.b_enc
    penalty = torch.zeros((), dtype=x.dtype)
    if config.architecture == "topk":
        values = pre * (pre >= pre.topk(config.k, dim=1).values[:, -1:]) * (pre > 0)
    elif config.architecture == "batchtopk":
        lowest = pre.flatten().topk(config.k * len(x)).values[-1]
        values = pre * (pre >= lowest) * (pre > 0)
    elif config.architecture == "jumprelu":
        theta = objective.theta.clamp_min(0.0)
        ramp = ((pre - theta) / config.bandwidth + 0.5).clamp(0, 1)
        values = pre * (pre > theta) + theta.detach() * (ramp - ramp.detach())
        penalty = config.sparsity * torch.tanh(4 * values).sum(1).mean() / D_IN
    elif config.architecture == "gated":
        gate = x @ sae.encoder.T + objective.b_gate
        values = (x @ sae.encoder.T * objective.r_mag.exp() + sae.b_enc).relu() * (gate > 0)
        frozen = gate.relu() @ sae.decoder.detach() + sae.b_dec.detach()
        penalty = config.sparsity * gate.relu().sum(1).mean() / D_IN
        penalty = penalty + (x - frozen).square().mean()
    else:
        values = pre.relu()
        penalty = config.sparsity * values.sum(1).mean() / D_IN
    ends = config.prefixes or (D_SAE,)
    errors = [(x - values[:, :e] @ sae.decoder[:e] - sae.b_dec).square().mean() for e in ends]
    return torch.stack(errors).mean() + penalty


@pytest.mark.parametrize("fields", ALL, ids=str)
def test_loss_and_gradients_are_those_of_the_dense_formula(fields: dict) -> None:
    sae, rows = _started(fields)
    x = sae.norm.apply_to(rows)
    names, parameters = zip(*sae.named_parameters(), strict=True)
    expected = _dense_loss(sae, x)
    wanted = torch.autograd.grad(expected, parameters, allow_unused=True)
    loss = sae(rows)
    got = torch.autograd.grad(loss.total, parameters, allow_unused=True)
    torch.testing.assert_close(loss.total, expected)
    for name, mine, theirs in zip(names, got, wanted, strict=True):
        zero = torch.zeros(())
        torch.testing.assert_close(
            zero if mine is None else mine,
            zero if theirs is None else theirs,
            msg=lambda text, name=name: f"{name}: {text}",
        )


@pytest.mark.parametrize("fields", [f for f in ALL if f["architecture"] != "batchtopk"], ids=str)
def test_the_sae_for_use_gives_the_codes_of_training(fields: dict) -> None:
    sae, rows = _started(fields)
    used = sae.to_sae()
    trained = sae.objective.codes(sae.weights, sae.norm.apply_to(rows))
    torch.testing.assert_close(used.encode(rows).to_dense(), trained.to_dense())


@pytest.mark.parametrize("fields", ALL, ids=str)
def test_saving_and_loading_changes_no_code(fields: dict, tmp_path) -> None:
    sae, rows = _started(fields)
    used = sae.float().to_sae()
    used.save(tmp_path)
    again = type(used).load(tmp_path)
    assert torch.equal(again(rows.float()), used(rows.float()))


@pytest.mark.parametrize(
    "fields",
    [{k: v for k, v in f.items() if k != "sparsity"} for f in ALL],
    ids=str,
)
def test_every_architecture_finds_the_planted_directions_at_the_sparsity_asked_for(
    fields: dict, planted, tmp_path
) -> None:
    config = TrainConfig(
        d_sae=64, k=3, total_rows=200_000, batch_rows=512, lr=1e-2, norm_rows=4096, **fields
    )
    sae = train(list(planted.rows.split(1000)), config, folder=tmp_path)
    cosine = (sae.W_dec @ planted.directions.T).amax(0)
    found = measure(sae, planted.rows[:5000])
    held = (cosine.mean() > 0.9, 2.3 < found.l0 < 3.7, found.dead < 0.2)
    assert held == (True, True, True), (cosine.mean(), found)


def test_a_feature_below_its_threshold_is_off_however_the_penalty_is_weighed() -> None:
    sae, rows = _started({"architecture": "jumprelu", "sparsity": 2.0})
    with torch.no_grad():
        sae.objective.theta.fill_(1e3)
    assert sae.to_sae().encode(rows).values.numel() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"architecture": "softmax"},
        {"architecture": "relu", "prefixes": (2,)},
        {"architecture": "topk", "prefixes": (0, 3)},
        {"architecture": "topk", "prefixes": (3, 99)},
    ],
)
def test_settings_that_make_no_sense_are_refused(fields: dict) -> None:
    with pytest.raises(InputError):
        TrainConfig(d_sae=10, k=2, total_rows=5000, **fields)


@pytest.mark.parametrize("skip", [False, True])
def test_a_transcoder_writes_another_site_than_it_reads(skip: bool, planted, tmp_path) -> None:
    turn = torch.linalg.qr(torch.randn(32, 32)).Q[:, :20]
    written = planted.rows @ turn
    pairs = list(zip(planted.rows.split(1000), written.split(1000), strict=True))
    config = TrainConfig(
        d_sae=64, k=3, total_rows=200_000, batch_rows=512, lr=4e-3, norm_rows=4096, skip=skip
    )
    transcoder = train(pairs, config, folder=tmp_path)
    assert transcoder(planted.rows[:5]).shape == (5, 20)
    assert transcoder.fvu(planted.rows[:2000], written[:2000]) < (0.05 if skip else 0.5)
    again = type(transcoder).load(tmp_path)
    assert torch.equal(again(planted.rows[:50]), transcoder(planted.rows[:50]))
