"""Lightning's trainer as `train` uses it: checkpoints, devices, signals. Imported only by it."""

import logging
import os
import signal
import sys
import warnings
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.callbacks.progress.tqdm_progress import Tqdm
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.strategies import DDPStrategy

from bio_interp.errors import InputError
from bio_interp.provenance import atomic_path, write_json
from bio_interp.sae._config import TrainConfig
from bio_interp.sae._lightning import OnMetrics, TrainingModule
from bio_interp.sae._logs import RunLogs
from bio_interp.sae._memory import reused_memory
from bio_interp.sae._pass import Pass
from bio_interp.sae._rows import Batches
from bio_interp.sae._validation import ValidationRows


def fit(
    state: Pass,
    batches: Batches,
    folder: Path,
    *,
    settings: Mapping[str, Any],
    device: str,
    on_metrics: OnMetrics | None,
    validation: ValidationRows | None,
) -> None:
    """Run the steps that are left; the SAEs of `state` hold the final weights afterwards."""
    config = state.config
    last = folder / "checkpoints" / "last.ckpt"
    with _quiet(), closing(batches):
        logs = {name: RunLogs(folder / name) for name in state.trainables}
        trainer = Trainer(
            **_where(device, config.batch_rows),
            **_shown(logs, last.parent, config),
            plugins=[_AtomicCheckpoints(), *_environment()],
            default_root_dir=folder,
            max_steps=config.steps,
            max_epochs=-1,
            val_check_interval=config.validate_every,
            check_val_every_n_epoch=None,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
        if trainer.is_global_zero:
            for name in state.trainables:
                write_json(folder / name / "train.json", settings[name])
        module = TrainingModule(state, logs, on_metrics, validation)
        resume = str(last) if last.is_file() else None
        memory = reused_memory() if device == "cpu" else nullcontext()
        with _interruptible(trainer), memory:
            trainer.fit(module, batches, validation, ckpt_path=resume, weights_only=True)
    module.cpu()


def _shown(logs: Mapping[str, RunLogs], checkpoints: Path, config: TrainConfig) -> dict[str, Any]:
    """Set what is written and shown: logs, checkpoints, a bar on a terminal."""
    bar = sys.stderr.isatty()
    return {
        "logger": [logger for log in logs.values() for logger in log.loggers],
        "log_every_n_steps": config.log_every,
        "callbacks": [_checkpointer(checkpoints, config.checkpoint_every), *[_Bar()] * bar],
        "enable_progress_bar": bar,
        "enable_model_summary": False,
    }


class _AtomicCheckpoints(TorchCheckpointIO):
    """Checkpoints that are whole or absent; Lightning's own are moved between file systems."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        with atomic_path(Path(path)) as temporary:
            torch.save(checkpoint, temporary)


class _Bar(TQDMProgressBar):
    """Lightning's bar on stderr, out of all steps: it knows no end of a stream."""

    @property
    def total_train_batches(self) -> int:
        """Steps in all."""
        return self.trainer.max_steps

    def init_train_tqdm(self) -> Tqdm:
        """See `TQDMProgressBar`."""
        return Tqdm(
            desc="train",
            disable=self.is_disabled,
            leave=True,
            dynamic_ncols=True,
            file=sys.stderr,
            bar_format=self.BAR_FORMAT,
        )

    def init_validation_tqdm(self) -> Tqdm:
        """See `TQDMProgressBar`."""
        return Tqdm(disable=True)


class _DataParallel(DDPStrategy):
    """Lightning's processes, ranks and checkpoints; each SAE averages its own gradient."""

    def configure_ddp(self) -> None:
        """Leave the module as it is: torch's wrapper allows one backward pass a step."""


def _checkpointer(folder: Path, every: int) -> ModelCheckpoint:
    return ModelCheckpoint(
        folder,
        filename="last",
        every_n_train_steps=every,
        save_top_k=1,
        enable_version_counter=False,
        save_on_train_epoch_end=False,
    )


def _where(device: str, batch_rows: int) -> dict[str, Any]:
    kind, _, index = device.partition(":")
    accelerator = "gpu" if kind == "cuda" else kind
    local, nodes = _launched()
    if local * nodes == 1:
        return {"accelerator": accelerator, "devices": [int(index)] if index else 1}
    if batch_rows % (local * nodes):
        raise InputError(
            f"batch_rows that {local * nodes} processes can share evenly",
            str(batch_rows),
            "Set batch_rows to a multiple of the number of processes.",
        )
    return {
        "accelerator": accelerator,
        "devices": local,
        "num_nodes": nodes,
        "strategy": _DataParallel(),
    }


def _environment() -> list[TorchElasticEnvironment | SLURMEnvironment]:
    """Find the launcher that started this process; none where it was started alone."""
    if TorchElasticEnvironment.detect():
        return [TorchElasticEnvironment()]
    if not SLURMEnvironment.detect():
        return []
    try:  # else Lightning would requeue the job and go on from a checkpoint of its own
        return [SLURMEnvironment(auto_requeue=False)]
    except RuntimeError as error:
        raise InputError(
            "tasks of SLURM that are counted a node",
            "--ntasks",
            "Give --ntasks-per-node, or the job name 'interactive' to train in one process.",
        ) from error


def _launched() -> tuple[int, int]:
    """Count processes a node, and nodes, that the launcher started."""
    environment = next(iter(_environment()), None)
    if isinstance(environment, TorchElasticEnvironment):
        local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        return local, max(1, int(os.environ["WORLD_SIZE"]) // local)
    if environment is not None:
        nodes = int(os.environ.get("SLURM_NNODES", "1"))
        return max(1, int(os.environ["SLURM_NTASKS"]) // nodes), nodes
    return 1, 1


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
