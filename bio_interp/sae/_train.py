"""Train an SAE from a stream of activations; resumable, logged, Lightning underneath."""

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bio_interp.errors import InputError, MismatchError
from bio_interp.provenance import versions, write_json
from bio_interp.sae._config import TrainConfig
from bio_interp.sae._model import SparseAutoencoder
from bio_interp.sae._norm import InputNorm, outlier_severity
from bio_interp.sae._rows import Batches, Opened, Place, RowSource
from bio_interp.sae._trainable import TrainableSae

_log = logging.getLogger(__name__)

OnStep = Callable[[int, Mapping[str, float]], None]
"""Called with the step, counted from 1, and the metrics, every ``log_every`` steps."""


def train(
    rows: RowSource,
    config: TrainConfig,
    *,
    folder: Path,
    on_step: OnStep | None = None,
    provenance: Mapping[str, Any] | None = None,
    device: str = "cpu",
) -> SparseAutoencoder:
    """Train an SAE, or go on with a training that was interrupted in `folder`.

    Parameters
    ----------
    rows
        Activations of one site, float, in tensors of shape ``(any, d_model)``: a list, or a
        function from the epoch (from 0) to an iterator. Pairs of tensors, of the site that is
        read and the one that is written, train a transcoder. Well mixed, as
        `bio_interp.activations.shuffled_rows` makes them; the first `norm_rows` of them set the
        normalisation. For a run to resume, the same epoch must give the same rows.
    config
        Sizes and schedule.
    folder
        Holds the run: ``checkpoints/``, ``logs/version_N/metrics.csv`` (one a start), and at the
        end ``sae.safetensors`` and ``sae.json``. Where the run is finished, it is only loaded.
    on_step
        See `OnStep`.
    provenance
        Facts for the JSON file (parent model, site, data); training settings are added.
    device
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.

    Raises
    ------
    MismatchError
        `folder` holds a run with other settings, or rows differ in width.
    InputError
        There are no rows, or they hold NaN, or they cannot be read a second time.

    Examples
    --------
    >>> import tempfile
    >>> rows = torch.randn(512, 8)
    >>> config = TrainConfig(d_sae=16, k=2, total_rows=1024, batch_rows=64)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sae = train([rows], config, folder=Path(folder))
    >>> codes = sae.encode(rows)
    >>> codes.to_scipy().shape, sae.decode(codes).shape
    ((512, 16), torch.Size([512, 8]))
    """
    if config.kernels != "torch":
        from bio_interp.sae.kernels import load_kernels

        load_kernels(config.kernels, device)  # refuse at once, not after the first rows
    settings = {"config": config.to_dict()}
    _refuse_other_settings(folder, settings)
    if (folder / "sae.json").is_file():
        return SparseAutoencoder.load(folder)
    checkpoint = folder / "checkpoints" / "last.ckpt"
    if checkpoint.is_file():
        trainable, start = _resumed(checkpoint, config)
        batches = Batches(rows, config.batch_rows, trainable.widths, start=start)
    else:
        opened = Opened.look(rows, config.norm_rows)
        trainable = _started(opened.head(config.norm_rows), config)
        batches = Batches(rows, config.batch_rows, opened.widths, opened=opened)
    from bio_interp.sae._lightning import fit

    write_json(folder / "train.json", settings)
    fit(trainable, batches, folder, device=device, on_step=on_step)
    facts = {**(provenance or {}), "training": settings["config"], "versions": versions()}
    sae = trainable.to_sae(facts)
    sae.save(folder)
    for spent in checkpoint.parent.glob("*.ckpt"):
        spent.unlink()
    return sae


def _started(head: Sequence[Tensor], config: TrainConfig) -> TrainableSae:
    gamma = outlier_severity(head[0])
    advice = " (above 1: features would die without centring)" if gamma > 1 else ""
    _log.info("outlier severity gamma = %.2f%s; inputs are mean-centred", gamma, advice)
    norms = [InputNorm.measure(part) for part in head]
    trainable = _make(norms, config)
    trainable.calibrate(*(part[: config.batch_rows] for part in head))
    return trainable


def _resumed(checkpoint: Path, config: TrainConfig) -> tuple[TrainableSae, Place]:
    """Build an SAE of the checkpoint's sizes; Lightning fills in weights and optimizer."""
    saved = torch.load(checkpoint, weights_only=True, map_location="cpu", mmap=True)
    weights = saved["state_dict"]
    norms = [
        InputNorm(weights[f"{name}.mean"].clone(), float(weights[f"{name}.scale"]))
        for name in ("trainable.norm", "trainable.out_norm")
        if f"{name}.mean" in weights
    ]
    start = Place(int(weights["epoch"]), int(weights["row"]))
    _log.info("resuming at step %d, epoch %d, row %d", saved["global_step"], start.epoch, start.row)
    return _make(norms, config), start


def _make(norms: list[InputNorm], config: TrainConfig) -> TrainableSae:
    kind = TrainableSae
    if config.kernels != "torch":
        from bio_interp.sae.kernels import KernelSae

        kind = KernelSae
    return kind(norms[0], config, norms[1] if len(norms) > 1 else None)


def _refuse_other_settings(folder: Path, settings: dict[str, Any]) -> None:
    path = folder / "train.json"
    if not path.is_file():
        return
    try:
        stored = json.loads(path.read_text())
        stored["config"].keys()
    except (ValueError, OSError, TypeError, KeyError, AttributeError) as error:
        raise InputError("a settings file", f"{path}: {error}", "Give another folder.") from error
    if _differences(stored, settings):
        raise MismatchError(
            f"the settings of the run in {os.fspath(folder)}",
            f"other ones ({_differences(stored, settings)})",
            "Give another folder, or remove this one to start anew.",
        )


def _differences(stored: dict[str, Any], settings: dict[str, Any]) -> str:
    """Name the settings that changed; one that an older version did not have is not one."""
    old, new = stored["config"], settings["config"]
    changed = [key for key in new if key in old and old[key] != new[key]]
    return ", ".join(f"{key}: {old.get(key)} there, {new[key]} here" for key in changed)
