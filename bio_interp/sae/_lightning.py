"""Lightning's side of training: the loop, checkpoints, logs. Imported only by `train`."""

import logging
import signal
import sys
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import Tensor

from bio_interp.provenance import atomic_path
from bio_interp.sae._rows import Batches
from bio_interp.sae._train import OnStep
from bio_interp.sae._trainable import StepLoss, TrainableSae


class TrainingModule(LightningModule):
    """A `TrainableSae` with its optimizer, schedule and logs.

    The place in the stream of rows is part of the state, so that a checkpoint holds all that a
    run needs to go on: weights, optimizer, schedule, step, dead counters, place.
    """

    epoch: Tensor
    row: Tensor

    def __init__(self, trainable: TrainableSae, on_step: OnStep | None) -> None:
        super().__init__()
        self.trainable, self.on_step = trainable, on_step
        self.register_buffer("epoch", torch.zeros((), dtype=torch.int64))
        self.register_buffer("row", torch.zeros((), dtype=torch.int64))
        self._clock = time.perf_counter()

    def configure_optimizers(self) -> Any:
        config = self.trainable.config
        optimizer = self.trainable.optimizer()
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, config.lr_factor)
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        rows, epoch, row = batch
        parts = rows.split(self.trainable.widths, dim=1)
        if self.global_step == self.trainable.config.decay_start:
            self.trainable.restart_statistics()
        loss = self.trainable(*parts)
        self.epoch.fill_(epoch)
        self.row.fill_(row)
        if (self.global_step + 1) % self.trainable.config.log_every == 0:
            self._report(parts[-1], loss)
        return loss.total

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        self.trainable.project_gradient()  # before the gradient is clipped

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        self.trainable.renormalise()

    def _report(self, targets: Tensor, loss: StepLoss) -> None:
        config, now = self.trainable.config, time.perf_counter()
        norm = self.trainable.out_norm or self.trainable.norm
        variance = norm.apply_to(targets).var(0, correction=0).mean().clamp_min(1e-12)
        metrics = {
            "loss": float(loss.total.detach()),
            "fvu": float(loss.reconstruction / variance),
            "penalty": float(loss.penalty),
            "auxk": float(loss.auxk),
            "l0": float(loss.l0),
            "dead": float(loss.dead),
            "lr": self.trainer.optimizers[0].param_groups[0]["lr"],
            "rows_per_second": config.batch_rows * config.log_every / (now - self._clock),
        }
        self._clock = now
        self.log_dict(metrics)
        self.log("fvu_now", metrics["fvu"], prog_bar=True, logger=False)
        if self.on_step is not None:
            self.on_step(self.global_step + 1, metrics)


def fit(
    trainable: TrainableSae,
    batches: Batches,
    folder: Path,
    *,
    device: str,
    on_step: OnStep | None,
) -> None:
    """Run the steps that are left; `trainable` holds the final weights afterwards."""
    config = trainable.config
    checkpoints = folder / "checkpoints"
    last = checkpoints / "last.ckpt"
    with _quiet():
        trainer = Trainer(
            **_where(device),
            plugins=[_AtomicCheckpoints()],
            max_steps=config.steps,
            max_epochs=-1,
            logger=CSVLogger(folder, name="logs", flush_logs_every_n_steps=1),
            callbacks=[_checkpointer(checkpoints, config.checkpoint_every)],
            log_every_n_steps=config.log_every,
            gradient_clip_val=trainable.clip_outside,
            enable_progress_bar=sys.stderr.isatty(),
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
        module = TrainingModule(trainable, on_step)
        resume = str(last) if last.is_file() else None
        with _interruptible(trainer):
            trainer.fit(module, batches, ckpt_path=resume, weights_only=True)
    trainable.cpu()


class _AtomicCheckpoints(TorchCheckpointIO):
    """Checkpoints that are whole or absent; Lightning's own are moved between file systems."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        with atomic_path(Path(path)) as temporary:
            torch.save(checkpoint, temporary)


def _checkpointer(folder: Path, every: int) -> ModelCheckpoint:
    return ModelCheckpoint(
        folder,
        filename="last",
        every_n_train_steps=every,
        save_top_k=1,
        enable_version_counter=False,
        save_on_train_epoch_end=False,
    )


def _where(device: str) -> dict[str, Any]:
    kind, _, index = device.partition(":")
    accelerator = "gpu" if kind == "cuda" else kind
    return {"accelerator": accelerator, "devices": [int(index)] if index else 1}


@contextmanager
def _interruptible(trainer: Trainer) -> Generator[None]:
    """Raise `KeyboardInterrupt` on Ctrl-C: Lightning exits with 1 and goes deaf to the next."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as exit_:
        if not trainer.interrupted:
            raise
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from exit_


@contextmanager
def _quiet() -> Generator[None]:
    """Keep Lightning's advertisements and its advice on data loaders from the user."""
    names = ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero")
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
