"""Where the metrics of a training go: CSV always, TensorBoard where it is installed."""

import logging
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lightning.pytorch.loggers import CSVLogger, Logger, TensorBoardLogger
from torch import Tensor

_log = logging.getLogger(__name__)
_QUANTILES = (10, 50, 90)


class RunLogs:
    """Logs of one run, ``logs/version_N`` in its folder: one version a start."""

    def __init__(self, folder: Path) -> None:
        csv = CSVLogger(folder, name="logs", flush_logs_every_n_steps=1)
        self.loggers: list[Logger] = [csv]
        if _has_tensorboard():
            self.loggers.append(TensorBoardLogger(folder, name="logs", version=csv.version))

    def write(
        self, metrics: Mapping[str, float], step: int, *, density: Tensor | None = None
    ) -> None:
        """Write a row of metrics and, for TensorBoard, the histogram of `density`."""
        for logger in self.loggers:
            logger.log_metrics(dict(metrics), step)
            if density is not None and isinstance(logger, TensorBoardLogger):
                logger.experiment.add_histogram("density", density, step)


def log_density(fired: Tensor, rows: int) -> Tensor:
    """Compute log10 of the share of rows in which each feature was on, ``(d_sae,)``.

    A feature that was off in all of them counts as on in half a row.
    """
    return (fired.clamp_min(0.5) / rows).log10()


def density_metrics(density: Tensor) -> dict[str, float]:
    """Take the 10th, 50th and 90th percentile over features."""
    ordered = density.sort().values
    last = ordered.shape[0] - 1
    return {f"density_p{q}": float(ordered[round(q / 100 * last)]) for q in _QUANTILES}


@cache
def _has_tensorboard() -> bool:
    if find_spec("tensorboard") is not None:
        return True
    _log.info("logs are CSV; for TensorBoard's too: pip install 'bio-interp[tensorboard]'")
    return False
