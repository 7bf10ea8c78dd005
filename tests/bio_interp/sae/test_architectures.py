"""What each architecture computes, against its formula written out densely."""

import pytest
import torch
from torch import Tensor

from bio_interp.errors import InputError
from bio_interp.sae import InputNorm, TrainConfig, measure, train
from bio_interp.sae._trainable import TrainableSae

ALL = [
    {"architecture": "topk"},
    {"architecture": "batchtopk"},
    {"architecture": "topk", "prefixes": (3, 8)},
    {"architecture": "batchtopk", "prefixes": (3, 8)},
    {"architecture": "jumprelu"},
    {"architecture": "gated"},
    {"architecture": "relu"},
]
SETTINGS = {"sparsity": 2.0, "sparsity_warmup": 0.0, "bandwidth": 0.6}


def _started(kind, **more) -> tuple[TrainableSae, Tensor]:
    """In float64, away from every symmetry of the start, with four features that are dead."""
    rows = torch.randn(40, 6)
    sae = kind.started(rows, **SETTINGS, **more).double()
    with torch.no_grad():
        for parameter in sae.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        sae.renormalise()
        sae.b_enc[:4] -= 5.0
        if sae.config.architecture == "gated":
            sae.objective.b_gate[:4] -= 5.0
        if sae.config.architecture == "jumprelu":
            sae.objective.theta.abs_()
        sae.rows_since_fired[:4] = 10_000
    return sae, rows.double()


def _dense_values(sae: TrainableSae, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Write values ``(rows, d_sae)`` and penalty out as the papers do."""
    config, objective, width = sae.config, sae.objective, target.shape[1]
    pre = x @ sae.encoder.T + sae.b_enc
    if config.architecture == "topk":
        values = pre * (pre >= pre.topk(config.k, dim=1).values[:, -1:]) * (pre > 0)
    elif config.architecture == "batchtopk":
        lowest = pre.flatten().topk(config.k * len(x)).values[-1]
        values = pre * (pre >= lowest) * (pre > 0)
    elif config.architecture == "jumprelu":
        theta = objective.theta + (objective.theta.clamp_min(1e-3) - objective.theta).detach()
        ramp = ((pre - theta) / config.bandwidth + 0.5).clamp(0, 1)
        values = pre * (pre > theta) + theta.detach() * (ramp - ramp.detach())
        return values, config.sparsity * torch.tanh(4 * values).sum(1).mean() / width
    elif config.architecture == "gated":
        gate = x @ sae.encoder.T + objective.b_gate
        values = (x @ sae.encoder.T * objective.r_mag.exp() + sae.b_enc).relu() * (gate > 0)
        frozen = gate.relu() @ sae.decoder.detach() + sae.b_dec.detach()
        penalty = config.sparsity * gate.relu().sum(1).mean() / width
        return values, penalty + (target - frozen).square().mean()
    else:
        values = pre.relu()
        return values, config.sparsity * values.sum(1).mean() / width
    return values, torch.zeros((), dtype=x.dtype)


def _dense_revival(sae: TrainableSae, x: Tensor, values: Tensor, residual: Tensor) -> Tensor:
    dead = [f for f in range(4) if not (values[:, f] > 0).any()]
    assert dead
    projected = x @ sae.encoder[dead].T
    pre = projected + sae.b_enc[dead]
    below = {
        "jumprelu": lambda: sae.objective.theta.clamp_min(1e-3)[dead] - pre,
        "gated": lambda: (
            -torch.minimum(
                projected + sae.objective.b_gate[dead],
                projected * sae.objective.r_mag[dead].exp() + sae.b_enc[dead],
            )
        ),
        "relu": lambda: -pre,
    }
    paid = torch.zeros((), dtype=x.dtype)
    if sae.config.architecture in below:
        paid = 3e-6 * below[sae.config.architecture]().relu().sum(1).mean()
        if sae.config.architecture != "jumprelu":  # which AuxK reaches below its threshold
            return paid
    top = pre[:10].topk(min(3, len(dead)), dim=1)  # d_model // 2 of the dead, a quarter of the rows
    codes = torch.zeros_like(pre[:10]).scatter(1, top.indices, top.values.relu())
    wanted = residual.detach()[:10]
    wanted = wanted / wanted.var(0, correction=0).mean().sqrt()
    return paid + (wanted - codes @ sae.decoder[dead]).square().mean() / 32


def _dense_loss(sae: TrainableSae, x: Tensor, target: Tensor) -> Tensor:
    """Write the loss out for autograd to differentiate."""
    target = target if sae.skip is None else target - x @ sae.skip
    values, penalty = _dense_values(sae, x, target)
    ends = sae.config.prefixes or (14,)
    left = [target - values[:, :e] @ sae.decoder[:e] - sae.b_dec for e in ends]
    loss = torch.stack([residual.square().mean() for residual in left]).mean() + penalty
    return loss + _dense_revival(sae, x, values, left[-1])


def test_loss_and_gradients_are_those_of_the_dense_formula(kind) -> None:
    sae, rows = _started(kind)
    parts = kind.parts(rows)
    normed = [n.apply_to(p) for n, p in zip((sae.norm, sae.out_norm), parts, strict=False)]
    names, parameters = zip(*sae.named_parameters(), strict=True)
    expected = _dense_loss(sae, normed[0], normed[-1])
    wanted = torch.autograd.grad(expected, parameters, allow_unused=True)
    loss = sae(*parts)
    got = torch.autograd.grad(loss.total, parameters, allow_unused=True)
    torch.testing.assert_close(loss.total, expected, rtol=1e-10, atol=1e-12)
    for name, mine, theirs in zip(names, got, wanted, strict=True):
        zero = torch.zeros((), dtype=torch.float64)
        torch.testing.assert_close(
            zero if mine is None else mine,
            zero if theirs is None else theirs,
            rtol=1e-10,
            atol=1e-12,
            msg=lambda text, name=name: f"{name}: {text}",
        )


def test_the_sae_for_use_gives_the_codes_of_training(kind) -> None:
    if kind.fields["architecture"] == "batchtopk":
        pytest.skip("trains over a batch, is used with a threshold")
    sae, rows = _started(kind)
    used = sae.to_sae()
    trained = sae.objective.codes(sae.weights, sae.norm.apply_to(rows))
    torch.testing.assert_close(used.encode(rows).to_dense(), trained.to_dense())


@pytest.mark.parametrize("fields", ALL, ids=str)
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


def test_a_feature_below_its_threshold_is_off_however_the_penalty_is_weighed(planted) -> None:
    config = TrainConfig(d_sae=14, k=3, total_rows=4000, architecture="jumprelu", sparsity=2.0)
    sae = TrainableSae(InputNorm.measure(planted.rows[:500]), config)
    with torch.no_grad():
        sae.objective.theta.fill_(1e3)
    assert sae.to_sae().encode(planted.rows[:500]).values.numel() == 0


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
