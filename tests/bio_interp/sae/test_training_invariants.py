"""What holds while an SAE is trained, for every architecture."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook

from bio_interp.sae import TrainConfig, train
from bio_interp.sae._trainable import TrainableSae


@pytest.mark.parametrize(
    ("rows", "fields"),
    [
        (torch.full((20, 6), 3.0), {}),
        (torch.zeros(20, 6), {}),
        (torch.ones(1, 6), {"total_rows": 100}),
        (torch.linspace(-1, 1, 120).reshape(20, 6).sin(), {"k": 40}),
        (torch.linspace(-1, 1, 120).reshape(20, 6), {"dead_after_rows": 1}),
        (torch.linspace(-1, 1, 120).reshape(20, 6), {"aux_k": 99, "dead_after_rows": 30}),
    ],
    ids=["constant", "zero", "one row", "k above d_sae", "nearly all dead", "aux_k above the dead"],
)
def test_no_nan_whatever_the_rows(kind, rows: Tensor, fields: dict) -> None:
    sae = kind.started(rows, **fields)
    with torch.no_grad():
        sae.b_enc[:4] = -1e4  # these never fire
    kind.step(sae, [rows] * 12)
    assert all(tensor.isfinite().all() for tensor in sae.state_dict().values())
    assert sae.feature_maxima[:4].count_nonzero() == 0
    assert sae.rows_since_fired[:4].tolist() == [12 * len(rows)] * 4
    used = sae.to_sae().double()
    assert used(rows.double()).isfinite().all()
    for batch in (rows[:1], rows[:0]):
        assert used.encode_dense(batch).isfinite().all()


@contextmanager
def _watched(monkeypatch) -> Iterator[tuple[list[float], list[float]]]:
    """Give how far rows are from unit norm as a step begins, and how radial its gradient was."""
    norms: list[float] = []
    radial: list[float] = []
    seen: list[tuple[TrainableSae, Tensor]] = []
    forward = TrainableSae.forward

    def watch(sae: TrainableSae, *parts: Tensor):
        before = sae.decoder.detach().clone()
        seen[:] = [(sae, before)]
        norms.append(float((before.norm(dim=1) - 1).abs().max()))
        return forward(sae, *parts)

    def after_step(*_: object) -> None:
        sae, before = seen[0]
        along = (sae.decoder.grad * before).sum(1).abs().max()
        radial.append(float(along / sae.decoder.grad.norm(dim=1).max().clamp_min(1e-12)))

    monkeypatch.setattr(TrainableSae, "forward", watch)
    hook = register_optimizer_step_post_hook(after_step)
    try:
        yield norms, radial
    finally:
        hook.remove()


def test_features_have_unit_norm_after_every_step_and_gradients_were_projected_before(
    kind, monkeypatch, tmp_path
) -> None:
    rows = 2 * torch.randn(200, 6) + 3
    parts = kind.parts(rows)
    source = [parts if kind.transcodes else rows]
    config = TrainConfig(d_sae=14, k=3, total_rows=800, batch_rows=40, lr=2e-2, **kind.fields)
    with _watched(monkeypatch) as (norms, radial):
        sae = train(source, config, folder=tmp_path)
    assert (len(norms), len(radial)) == (20, 20)
    assert max(norms) < 1e-5
    assert max(radial) < 1e-5
    torch.testing.assert_close(sae.W_dec.norm(dim=1), torch.ones(14))
    assert sae.W_dec.shape == (14, parts[-1].shape[1])


def test_the_loss_and_its_gradient_are_means_over_rows(kind) -> None:
    """Each row twice is the same mean (micro-batches were summed: sparsify)."""
    rows = 2 * torch.randn(40, 6) + 3
    sae = kind.trained(rows, dead_after_rows=1).double()
    results = []
    for batch in (rows, rows.repeat_interleave(2, 0)):
        state = {name: tensor.clone() for name, tensor in sae.state_dict().items()}
        loss = sae(*kind.parts(batch.double()))
        grads = torch.autograd.grad(loss.total, list(sae.parameters()), allow_unused=True)
        results.append([loss.total.detach(), *(g for g in grads if g is not None)])
        sae.load_state_dict(state)
    for once, twice in zip(*results, strict=True):
        torch.testing.assert_close(once, twice, rtol=1e-9, atol=1e-12)


def test_the_sae_for_use_is_the_one_that_was_trained(kind) -> None:
    """Rows, targets and reconstructions are compared in one space: B10."""
    rows = 200 * torch.randn(40, 6) + 500
    sae = kind.trained(rows)
    used, parts = sae.to_sae(), kind.parts(rows)
    loss = sae(*parts)
    if sae.config.architecture == "batchtopk":  # trains over a batch, is used with a threshold
        codes = sae.objective.codes(sae.weights, sae.norm.apply_to(rows))
        rebuilt = used.decode(codes)
    else:
        rebuilt = used(rows)
    missed = (parts[-1] - rebuilt) * used.out_norm.scale
    torch.testing.assert_close(loss.reconstruction, missed.square().mean(), rtol=1e-4, atol=1e-6)
    assert 1e-3 < loss.reconstruction < 1.5
