"""The SAEs of a pass as Lightning trains them. Imported only when `train` runs."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from bio_interp.sae._logs import RunLogs, density_metrics, log_density
from bio_interp.sae._parallel import copy_from_first, mean
from bio_interp.sae._pass import Pass
from bio_interp.sae._rows import Batch
from bio_interp.sae._trainable import StepLoss, TrainableSae
from bio_interp.sae._validation import Judge, ValidationRows

OnMetrics = Callable[[int, Mapping[str, Mapping[str, float]]], None]


class TrainingModule(LightningModule):
    """The SAEs of a pass with their optimizer, schedules and logs.

    Each has a gradient, a clip and a learning rate of its own: what one becomes does not depend on
    the others. The place in the stream of rows is part of the state, so that a checkpoint holds
    all that a run needs to go on: weights, optimizer, schedule, step, dead counters, place.
    """

    epoch: Tensor
    row: Tensor
    left_out: Tensor
    limits: Tensor

    def __init__(
        self,
        state: Pass,
        logs: Mapping[str, RunLogs],
        on_metrics: OnMetrics | None,
        validation: ValidationRows | None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.state, self.logs, self.on_metrics = state, logs, on_metrics
        self.validation = validation
        self.trainables = nn.ModuleList(state.trainables.values())
        self.register_buffer("limits", state.limits)
        for name, value in (("epoch", 0), ("row", 0), ("left_out", state.left_out)):
            self.register_buffer(name, torch.tensor(value, dtype=torch.int64))
        self._judges: dict[str, Judge] = {}
        self._validated: dict[str, dict[str, float]] = {}
        self._clock = time.perf_counter()

    def configure_optimizers(self) -> Any:
        trainables = list(self.state.trainables.values())
        groups = [{"params": list(t.parameters()), "lr": t.config.peak_lr} for t in trainables]
        optimizer = self._adam(groups)
        factors = [t.config.lr_factor for t in trainables]
        return [optimizer], [torch.optim.lr_scheduler.LambdaLR(optimizer, factors)]

    def _adam(self, groups: list[dict[str, Any]]) -> torch.optim.Adam:
        trainables = list(self.state.trainables.values())
        if all(t.config.kernels == "torch" for t in trainables):
            return torch.optim.Adam(groups, fused=True)
        from bio_interp.sae.kernels import UnitRowAdam

        return UnitRowAdam(groups, trainables)

    def on_fit_start(self) -> None:
        copy_from_first(self)
        self._clock = time.perf_counter()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["pass"] = self.state.saved()

    def training_step(self, batch: Batch, batch_idx: int) -> None:
        optimizer: Any = self.optimizers()
        schedule: Any = self.lr_schedulers()
        step = self.global_step
        optimizer.zero_grad()
        parts = self.state.parts(batch.rows)
        results = {name: self._learn(t, parts[name]) for name, t in self.state.trainables.items()}
        rates = [group["lr"] for group in optimizer.param_groups]
        optimizer.step()
        for trainable in self.state.trainables.values():
            trainable.renormalise()
        schedule.step()
        self.epoch.fill_(batch.epoch)
        self.row.fill_(batch.row)
        self.left_out.add_(batch.left_out)
        if (step + 1) % self.state.config.log_every == 0:
            self._report(step, parts, results, rates)

    def on_validation_epoch_start(self) -> None:
        self._judges = {n: Judge(t.to_sae()) for n, t in self.state.trainables.items()}

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        for name, part in self.state.parts(batch).items():
            self._judges[name].add(*part)

    def on_validation_epoch_end(self) -> None:
        self._validated = {n: judge.metrics(self.device) for n, judge in self._judges.items()}
        self._judges = {}
        for name, metrics in self._validated.items():
            self.logs[name].write(metrics, self.global_step - 1)

    def on_train_end(self) -> None:
        """Validate what was trained, unless the last step did."""
        if self.validation is None or self.global_step % self.state.config.validate_every == 0:
            return
        self.on_validation_epoch_start()
        for number, rows in enumerate(self.validation):
            self.validation_step(rows.to(self.device), number)
        self.on_validation_epoch_end()

    def _learn(self, trainable: TrainableSae, parts: tuple[Tensor, ...]) -> tuple[StepLoss, Tensor]:
        if self.global_step == trainable.config.decay_start:
            trainable.restart_statistics()
        loss = trainable(*parts)
        self.manual_backward(loss.total)
        return loss, trainable.finish_gradient()

    def _report(
        self,
        step: int,
        parts: Mapping[str, tuple[Tensor, ...]],
        results: Mapping[str, tuple[StepLoss, Tensor]],
        rates: list[float],
    ) -> None:
        config, now = self.state.config, time.perf_counter()
        shared = {
            "rows_per_second": config.batch_rows * config.log_every / (now - self._clock),
            "epoch": float(self.epoch),
            "left_out": float(self.left_out),
        }
        self._clock = now
        found: dict[str, dict[str, float]] = {}
        for (name, (loss, norm)), rate in zip(results.items(), rates, strict=True):
            trainable = self.state.trainables[name]
            density = log_density(trainable.fired, config.batch_rows * config.log_every)
            trainable.fired.zero_()
            own = step_metrics(trainable, parts[name][-1], loss)
            own |= {"grad_norm": float(norm), "lr": rate, **shared, **density_metrics(density)}
            self.logs[name].write(own, step, density=density)
            found[name] = own | self._validated.get(name, {})
        fvu = sum(metrics["fvu"] for metrics in found.values()) / len(found)
        self.log("fvu", fvu, prog_bar=True, logger=False)
        if self.on_metrics is not None and self.trainer.is_global_zero:
            self.on_metrics(step + 1, found)


def step_metrics(trainable: TrainableSae, targets: Tensor, loss: StepLoss) -> dict[str, float]:
    """Measure a batch, over the rows of all processes; see `bio_interp.sae.train`."""
    norm = trainable.out_norm or trainable.norm
    target = norm.apply_to(targets)
    variance = mean((target - mean(target.mean(0))).square().mean())
    parts = [loss.total.detach(), loss.reconstruction, loss.penalty, loss.auxk]
    values = mean(torch.stack([*parts, loss.total.new_tensor(float(loss.l0))])).tolist()
    metrics = dict(zip(("loss", "reconstruction", "penalty", "auxk", "l0"), values, strict=True))
    fvu = metrics["reconstruction"] / max(float(variance), 1e-12)
    return {**metrics, "fvu": fvu, "dead": float(loss.dead)}
