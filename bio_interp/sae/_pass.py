"""The state of one pass over a stream: SAEs in training, sites, place. Started or resumed."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae._config import TrainConfig
from bio_interp.sae._norm import InputNorm, outlier_severity
from bio_interp.sae._rows import Opened, Place, RowSource
from bio_interp.sae._runs import SaeRun
from bio_interp.sae._sites import Sites, by_name
from bio_interp.sae._trainable import TrainableSae

_log = logging.getLogger(__name__)

Taps = dict[str, tuple[str, str]]
"""Site that each run reads, and the one that it writes."""


@dataclass(slots=True)
class Pass:
    """What one pass trains and where it stands.

    Attributes
    ----------
    trainables
        The SAEs, by name of their run.
    taps
        See `Taps`.
    sites
        The sites that are used.
    limits
        Largest norm of a row at each site, ``(sites,)``.
    left_out
        Rows that had a larger one, so far.
    start, step
        Where the stream goes on, and steps that are done.
    opened
        The first epoch, where it is already open.
    """

    trainables: dict[str, TrainableSae]
    taps: Taps
    sites: Sites
    limits: Tensor
    left_out: int = 0
    start: Place = field(default_factory=Place)
    step: int = 0
    opened: Opened | None = None

    @property
    def config(self) -> TrainConfig:
        """One of the settings, for what they share."""
        return next(iter(self.trainables.values())).config

    def parts(self, rows: Tensor) -> dict[str, tuple[Tensor, ...]]:
        """Hand each run the rows that it reads and, to a transcoder, those that it writes."""
        apart = self.sites.apart(rows)
        return {
            name: tuple(apart[site] for site in _distinct(self.taps[name])) for name in self.taps
        }

    def saved(self) -> dict[str, Any]:
        """Write out, for a checkpoint, what the weights do not say."""
        return {
            "taps": {name: list(taps) for name, taps in self.taps.items()},
            "sites": dict(zip(self.sites.names, self.sites.widths, strict=True)),
        }


def started(rows: RowSource, runs: Mapping[str, SaeRun]) -> Pass:
    """Look at the first rows: sites, limits, normalisation, first weights."""
    config = next(iter(runs.values())).config
    opened = Opened.look(rows, config.norm_rows)
    known = tuple(by_name(opened.seen[0]))
    taps = {name: run.taps(known) for name, run in runs.items()}
    sites = Sites.of(opened.seen[0], {site for pair in taps.values() for site in pair})
    head = opened.head(sites, config.norm_rows)
    limits = sites.norm_limits(head, config.max_norm_ratio)
    kept = sites.within(head, limits)
    if not bool(kept.all()):
        share = 1 - float(kept.float().mean())
        _log.info("%.3f%% of the first rows are left out for their norm", 100 * share)
    parts = sites.apart(head[kept])
    _advise(parts, centred=all(run.config.centre for run in runs.values()))
    trainables = {name: _first(parts, taps[name], run.config) for name, run in runs.items()}
    return Pass(trainables, taps, sites, limits, opened=opened)


def resumed(checkpoint: Path, runs: Mapping[str, SaeRun]) -> Pass:
    """Build SAEs of the checkpoint's sizes; Lightning fills in weights and optimizer."""
    saved = torch.load(checkpoint, weights_only=True, map_location="cpu", mmap=True)
    weights, stream = saved["state_dict"], saved.get("pass", {"taps": {}})
    names = list(stream["taps"])
    if not names or not set(names) <= set(runs):
        raise MismatchError(
            f"the checkpoint {checkpoint} to be of these runs ({', '.join(runs)})",
            f"one of {', '.join(names) or 'an older version'}",
            "Give another folder, or the runs that it was started with.",
        )
    taps: Taps = {name: (pair[0], pair[1]) for name, pair in stream["taps"].items()}
    sites = Sites(tuple(stream["sites"]), tuple(stream["sites"].values()))
    trainables: dict[str, TrainableSae] = {}
    for number, name in enumerate(names):
        norms = [
            InputNorm(weights[f"{key}.mean"].clone(), float(weights[f"{key}.scale"]))
            for key in (f"trainables.{number}.{norm}" for norm in ("norm", "out_norm"))
            if f"{key}.mean" in weights
        ]
        out_norm = norms[1] if len(norms) > 1 else None
        trainables[name] = _new(norms[0], runs[name].config, out_norm)
    start = Place(int(weights["epoch"]), int(weights["row"]))
    _log.info("resuming at step %d, epoch %d, row %d", saved["global_step"], start.epoch, start.row)
    limits, left_out = weights["limits"].clone(), int(weights["left_out"])
    return Pass(trainables, taps, sites, limits, left_out, start, saved["global_step"])


def remove_spent(folder: Path) -> None:
    """Remove the checkpoint, and what a kill left of others, if all of its runs are finished."""
    checkpoint = folder / "checkpoints" / "last.ckpt"
    if checkpoint.is_file():
        saved = torch.load(checkpoint, weights_only=True, map_location="cpu", mmap=True)
        names = saved.get("pass", {"taps": [""]})["taps"]
        if not all((folder / name / "sae.json").is_file() for name in names):
            return
    for spent in checkpoint.parent.glob("*.ckpt"):
        spent.unlink(missing_ok=True)


def _first(parts: Mapping[str, Tensor], taps: tuple[str, str], config: TrainConfig) -> TrainableSae:
    own = [parts[site] for site in _distinct(taps)]
    norms = [InputNorm.measure(part, centre=config.centre) for part in own]
    trainable = _new(norms[0], config, norms[1] if len(norms) > 1 else None)
    trainable.calibrate(*(part[: config.batch_rows] for part in own))
    return trainable


def _new(norm: InputNorm, config: TrainConfig, out_norm: InputNorm | None) -> TrainableSae:
    if config.kernels == "torch":
        return TrainableSae(norm, config, out_norm)
    from bio_interp.sae.kernels import KernelSae

    return KernelSae(norm, config, out_norm)


def _distinct(taps: tuple[str, str]) -> tuple[str, ...]:
    return taps[:1] if taps[0] == taps[1] else taps


def _advise(parts: Mapping[str, Tensor], *, centred: bool) -> None:
    for site, part in parts.items():
        if not part.shape[0]:
            raise InputError(
                "rows with a norm within max_norm_ratio of the median",
                "none among the first norm_rows",
                "Set max_norm_ratio to None.",
            )
        gamma = outlier_severity(part)
        advice = " (above 1: features would die without centring)" if gamma > 1 else ""
        done = "inputs are mean-centred" if centred else "set `centre` to subtract the mean"
        _log.info(
            "outlier severity gamma%s = %.2f%s; %s",
            f" of {site}" if site else "",
            gamma,
            advice,
            done,
        )
