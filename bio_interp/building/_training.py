"""The SAE of an atlas: trained on the harvest, or loaded; checked; stored as it ships."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from bio_interp.errors import MismatchError

if TYPE_CHECKING:
    from torch import Tensor

    from bio_interp.activations import ActivationStore
    from bio_interp.building._parts import SaePart
    from bio_interp.models import LanguageModel
    from bio_interp.sae import OnStep, SparseAutoencoder, TrainConfig

_READ_ROWS = 8192
_log = logging.getLogger(__name__)


def mixed_rows(
    store: ActivationStore, fit: set[str], buffer_rows: int
) -> Callable[[int], Iterator[Tensor]]:
    """Give the rows of some proteins in a random order that the epoch alone decides.

    Blocks of the store are opened in random order and their rows mixed in a buffer.
    """
    from bio_interp.activations import shuffled_rows

    have = sum(
        int(store.offsets[i + 1] - store.offsets[i])
        for i, name in enumerate(store.accessions)
        if name in fit
    )

    def epoch(number: int) -> Iterator[Tensor]:
        import torch

        order = list(range(store.blocks))
        Random(number).shuffle(order)
        readings = (rows for block in order for _, rows in store.proteins_of(block, fit))
        return shuffled_rows(
            readings,
            buffer_rows=min(buffer_rows, have),
            batch_rows=_READ_ROWS,
            seed=number,
            dtype=torch.float16,
        )

    return epoch


def train_config(part: SaePart) -> TrainConfig:
    """Take the keys of a training."""
    from bio_interp.sae import TrainConfig

    keys = {k: v for k, v in asdict(part).items() if k not in ("load", "storage", "buffer_rows")}
    return TrainConfig(**keys, log_every=50)


def train_sae(
    store: ActivationStore,
    fit: set[str],
    part: SaePart,
    model: LanguageModel,
    site: str,
    run: Path,
    device: str,
) -> SparseAutoencoder:
    """Train, or go on with a training in the folder `run`."""
    from bio_interp.sae import train

    config = train_config(part)
    return train(
        mixed_rows(store, fit, part.buffer_rows),
        config,
        folder=run,
        provenance=_facts(model, site),
        device=device,
        on_step=reporter(config.steps),
    )


def reporter(steps: int) -> OnStep:
    """Log the metrics of a training of so many steps."""

    def report(step: int, metrics: Mapping[str, float]) -> None:
        names = ("fvu", "l0", "dead", "rows_per_second")
        figures = "FVU %.3f, L0 %.1f, %d dead, %.0f rows/s"
        _log.info(f"train: step %d of %d, {figures}", step, steps, *(metrics[n] for n in names))

    return report


def load_sae(folder: Path, model: LanguageModel, site: str) -> SparseAutoencoder:
    """Load a trained SAE and check that it belongs to the model and site.

    Raises
    ------
    MismatchError
        It was trained on another model or site, or does not find in the probe what it did.
    """
    from bio_interp.atlas import probe_rows
    from bio_interp.sae import SparseAutoencoder, check_fingerprint

    sae = SparseAutoencoder.load(folder, d_model=model.info.sites[site])
    for key, value in _facts(model, site).items():
        before = sae.provenance.get(key)
        if before is not None and before != value:
            raise MismatchError(
                f"sae.load to be an SAE of {model.info.name} at {site}",
                f"{key} {before!r} in {folder}, {value!r} here",
                "Name the model and site that it was trained on.",
            )
    problems = check_fingerprint(sae, probe_rows(model, site)) if sae.fingerprint else []
    if problems:
        raise MismatchError(
            f"sae.load to be an SAE of {model.info.name} at {site}",
            f"{folder}, which does not fit: {' '.join(problems)}",
            "Name the model and site that it was trained on.",
        )
    return sae


def store_sae(sae: SparseAutoencoder, folder: Path, part: SaePart, rows: Tensor) -> None:
    """Write the SAE as it ships, with its fingerprint on the probe rows."""
    from bio_interp.sae import fingerprint

    sae.fingerprint = fingerprint(sae, rows)
    sae.save(folder, weights=part.storage)


def sae_folder(path: Path) -> Path:
    """Take the folder of an SAE, or one of its files."""
    return path.parent if path.is_file() else path


def _facts(model: LanguageModel, site: str) -> dict[str, Any]:
    return {
        "model": model.info.name,
        "weights_sha256": model.info.weights_sha256,
        "site": site,
    }
