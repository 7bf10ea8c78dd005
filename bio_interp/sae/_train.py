"""Train SAEs from a stream of activations; resumable, logged, Lightning underneath."""

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bio_interp.errors import InputError, MismatchError
from bio_interp.provenance import versions
from bio_interp.sae import _pass
from bio_interp.sae._config import KernelName, TrainConfig
from bio_interp.sae._model import SparseAutoencoder
from bio_interp.sae._parallel import rank, wait_for_all
from bio_interp.sae._rows import Batches, RowSource
from bio_interp.sae._runs import SaeRun, check_runs

_log = logging.getLogger(__name__)

_READ_AHEAD = 2

OnStep = Callable[[int, Mapping[str, float]], None]
"""Called with the step, counted from 1, and the metrics, every ``log_every`` steps."""

OnSteps = Callable[[int, Mapping[str, Mapping[str, float]]], None]
"""`OnStep` of `train_many`: the metrics of each run by its name."""

Settings = Mapping[str, Mapping[str, Any]]


def train(
    rows: RowSource,
    config: TrainConfig,
    *,
    folder: Path | str,
    validation: RowSource | None = None,
    on_step: OnStep | None = None,
    provenance: Mapping[str, Any] | None = None,
    device: str = "cpu",
    prefetch: int | None = None,
) -> SparseAutoencoder:
    """Train an SAE, or go on with a training that was interrupted in `folder`.

    Started by ``torchrun`` or SLURM in several processes, they share every batch, with the result
    of one process up to rounding; each reads all the rows, all see `folder`, the first writes.

    Parameters
    ----------
    rows
        Activations of one site, float: a tensor in memory, ``(rows, d_model)``, which is mixed
        anew for each epoch (the order depends on the epoch alone); or a stream of tensors
        ``(any, d_model)``: a list, or a function from the epoch (from 0) to an iterator. Pairs of
        tensors, of the site that is read and the one that is written, train a transcoder. A
        stream must be well mixed, as `bio_interp.activations.shuffled_rows` makes them; the first
        `norm_rows` of it set the normalisation. For a run to resume, the same epoch must give the
        same rows; those before the place where it stopped are read again and dropped, unless the
        source is `StartableRows`.
    config
        Sizes and schedule.
    folder
        Holds the run: ``checkpoints/``, ``logs/version_N/metrics.csv`` (one a start) and, where
        tensorboard is installed, its file there; at the end ``sae.safetensors`` and ``sae.json``.
        Where the run is finished, it is only loaded.
    validation
        Rows, as `rows`, that are not trained on; the first epoch of them is used.
    on_step
        See `OnStep`.
    provenance
        Facts for the JSON file (parent model, site, data); training settings are added.
    device
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    prefetch
        Batches that a thread reads ahead while the SAE learns; 0 is no thread. Each takes
        ``4 * batch_rows * d_model`` bytes, and one more is in the making. None is 2 on an
        accelerator and 0 on the CPU, where a source that computes takes more from the SAE than
        it gains, and one that waits, for a disk say, is worth a thread.

    Raises
    ------
    MismatchError
        `folder` holds a run with other settings, or rows differ in width.
    InputError
        There are no rows, or they hold NaN, or they cannot be read a second time.

    Notes
    -----
    Metrics, of the last batch before each row of the log:

    ============================== =============================================================
    ``loss``                       what is minimised; its parts are ``reconstruction`` (mean
                                   square), ``penalty`` and ``auxk`` (before its coefficient)
    ``fvu``                        ``reconstruction`` over the variance of the batch
    ``l0``                         features on in a row, on average
    ``dead``                       features off for longer than `dead_after_rows`
    ``density_p10``, ``p50``, ...  percentiles over features of log10 of the share of rows in
                                   which each was on since the last row of the log (one that never
                                   was counts as half a row); TensorBoard has the histogram
    ``grad_norm``, ``lr``          norm of the gradient before it is clipped; learning rate
    ``rows_per_second``            rows of all processes; since the last row of the log
    ``epoch``, ``left_out``        of the source; rows beyond `max_norm_ratio` so far
    ``val_fvu``, ``val_l0``        of the SAE as it would ship, over all validation rows, in rows
                                   of their own; `on_step` gets the last ones
    ============================== =============================================================

    Examples
    --------
    >>> import tempfile, torch
    >>> rows = torch.randn(512, 8)
    >>> config = TrainConfig(d_sae=16, k=2, total_rows=1024, batch_rows=64)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sae = train(rows, config, folder=folder)
    >>> codes = sae.encode(rows)
    >>> codes.to_scipy().shape, sae.decode(codes).shape
    ((512, 16), torch.Size([512, 8]))
    """
    one: OnSteps | None = None
    if on_step is not None:
        one = lambda step, metrics: on_step(step, metrics[""])  # noqa: E731
    stream = _Stream(rows, validation, device, prefetch)
    return _train(stream, {"": SaeRun(config)}, Path(folder), one, provenance)[""]


def train_many(
    rows: RowSource,
    runs: Mapping[str, SaeRun],
    *,
    folder: Path | str,
    validation: RowSource | None = None,
    on_step: OnSteps | None = None,
    provenance: Mapping[str, Any] | None = None,
    device: str = "cpu",
    prefetch: int | None = None,
) -> dict[str, SparseAutoencoder]:
    """Train several SAEs and transcoders in one pass over one stream of rows.

    What each becomes is, bit for bit, what `train` alone makes of the same rows: they share
    the stream and nothing else. They are held in memory together.

    Parameters
    ----------
    rows
        As in `train`; parts may be mappings from the name of a site to its rows, all of the same
        tokens. A row that is beyond `max_norm_ratio` at any site in use is left out at all.
    runs
        By name. They may differ in everything but what belongs to the stream: `total_rows`,
        `batch_rows`, `norm_rows`, `max_norm_ratio`, and the steps between logs, checkpoints and
        validations.
    folder
        Holds ``checkpoints/`` of all, and what `train` writes for each in a folder of its name.
        Runs that are finished there are only loaded, so that more can be added later.
    validation, on_step, provenance, device, prefetch
        As in `train`; the site that a run names is added to its facts.

    Returns
    -------
    dict of SparseAutoencoder
        By the names of the runs.

    Raises
    ------
    MismatchError
        As in `train`, or the checkpoint is of other runs.
    InputError
        As in `train`, or runs differ in what they share, or name a site that the rows lack.

    Examples
    --------
    >>> import tempfile, torch
    >>> rows = {"layer.1": torch.randn(512, 8), "layer.2": torch.randn(512, 8)}
    >>> config = TrainConfig(d_sae=16, k=2, total_rows=1024, batch_rows=64)
    >>> runs = {site: SaeRun(config, read=(site,)) for site in rows}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     saes = train_many(rows, runs, folder=folder)
    >>> saes["layer.2"].provenance["site"]
    'layer.2'
    """
    check_runs(runs)
    return _train(
        _Stream(rows, validation, device, prefetch), runs, Path(folder), on_step, provenance
    )


@dataclass(frozen=True, slots=True)
class _Stream:
    rows: RowSource
    validation: RowSource | None
    device: str
    prefetch: int | None


def _train(
    stream: _Stream,
    runs: Mapping[str, SaeRun],
    folder: Path,
    on_step: OnSteps | None,
    provenance: Mapping[str, Any] | None,
) -> dict[str, SparseAutoencoder]:
    for name, run in runs.items():
        _refuse_other_settings(folder / name, run.settings())
    left = {n: run for n, run in runs.items() if not (folder / n / "sae.json").is_file()}
    for run in left.values():
        _refuse_kernels(run.config.kernels, stream.device)
    checkpoint = folder / "checkpoints" / "last.ckpt"
    saes: dict[str, SparseAutoencoder] = {}
    while set(left) - set(saes):
        todo = {name: run for name, run in left.items() if name not in saes}
        state = _pass.resumed(checkpoint, runs) if checkpoint.is_file() else None
        state = state or _pass.started(stream.rows, todo)
        settings = {name: runs[name].settings() for name in state.trainables}
        _fit(stream, state, folder, settings, on_step)
        for name, trainable in state.trainables.items():
            facts = {**runs[name].facts(), **(provenance or {})}
            facts |= {"training": runs[name].config.to_dict(), "versions": versions()}
            saes[name] = trainable.to_sae(facts)
            if rank() == 0:
                saes[name].save(folder / name)
        if rank() == 0:
            _pass.remove_spent(folder)
        wait_for_all()
    _pass.remove_spent(folder)  # a kill may have come just before
    return {n: saes[n] if n in saes else SparseAutoencoder.load(folder / n) for n in runs}


def _fit(
    stream: _Stream, state: _pass.Pass, folder: Path, settings: Settings, on_step: OnSteps | None
) -> None:
    from bio_interp.sae._fit import fit
    from bio_interp.sae._validation import ValidationRows

    rows, config = state.config.batch_rows, state.config
    batches = Batches(
        stream.rows,
        rows,
        state.sites,
        limits=state.limits,
        start=state.start,
        opened=state.opened,
        count=config.steps - state.step,
        prefetch=_read_ahead(stream),
    )
    validation = None
    if stream.validation is not None:
        validation = ValidationRows(stream.validation, rows, state.sites, state.limits)
    fit(
        state,
        batches,
        folder,
        settings=settings,
        device=stream.device,
        on_metrics=on_step,
        validation=validation,
    )


def _refuse_kernels(name: KernelName, device: str) -> None:
    """Refuse kernels that cannot run here at once, not after the first rows."""
    if name != "torch":
        from bio_interp.sae.kernels import load_kernels

        load_kernels(name, device)


def _read_ahead(stream: _Stream) -> int:
    if stream.prefetch is None:
        return 0 if stream.device == "cpu" else _READ_AHEAD
    return stream.prefetch


def _refuse_other_settings(folder: Path, settings: Mapping[str, Any]) -> None:
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


def _differences(stored: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Name the settings that changed; one that an older version did not have is not one."""
    old, new = ({**s, **s["config"], "config": None} for s in (stored, settings))
    changed = [key for key in new if key in old and old[key] != new[key]]
    return ", ".join(f"{key}: {old.get(key)} there, {new[key]} here" for key in changed)
