"""Stages without a recipe: harvest a file of proteins, train on a file of activations."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bio_interp.building._claim import claim
from bio_interp.building._training import mixed_rows, reporter
from bio_interp.errors import InputError
from bio_interp.models import LoadOptions, load_model
from bio_interp.sequences import read_proteins

if TYPE_CHECKING:
    from torch import Tensor

    from bio_interp.activations import ActivationStore
    from bio_interp.sae import SparseAutoencoder

_BUFFER_ROWS = 1_000_000
_log = logging.getLogger(__name__)


def harvest_file(
    source: Path | str,
    model: str,
    site: str,
    folder: Path,
    *,
    options: LoadOptions | None = None,
    shard: tuple[int, int] = (1, 1),
) -> ActivationStore:
    """Read the proteins of a file with a model, and keep the activations of a site.

    What is there is not read again, so a harvest that was interrupted goes on.

    Parameters
    ----------
    source
        FASTA or Swiss-Prot file.
    model, site
        Such as ``"esm2_t6_8M_UR50D"`` and ``"layer.4"``.
    folder
        Of the store.
    options
        How to load the model.
    shard
        ``(i, n)``: the i-th of n parts; all parts may run at once.

    Raises
    ------
    NotFoundError
        There is no such model or site.
    MismatchError
        The folder holds the activations of other proteins, or another model or site.
    """
    from bio_interp.activations import ActivationStore, check_sites

    proteins = {p.accession: p for p in read_proteins(source)}
    loaded = load_model(model, options)
    check_sites(loaded.info, [site])
    store = ActivationStore.create(
        folder,
        list(proteins.values()),
        d_model=loaded.info.sites[site],
        settings={
            "model.name": model,
            "model.site": site,
            "model.weights_sha256": loaded.info.weights_sha256,
        },
    )
    store.harvest(loaded, site, proteins, shard=shard)
    return store


def train_file(
    activations: Path,
    folder: Path,
    settings: Mapping[str, Any],
    *,
    device: str = "cpu",
) -> SparseAutoencoder:
    """Train an SAE on activations in a file or folder, or go on with such a training.

    Parameters
    ----------
    activations
        Folder of `harvest_file`, or a ``.npy`` or ``.safetensors`` file of one matrix,
        ``(rows, d_model)``.
    folder
        Of the run, and of the SAE at its end.
    settings
        Fields of `bio_interp.sae.TrainConfig`; without ``total_rows`` every row is seen once. And
        ``buffer_rows``, a million where not given: rows of a folder that are mixed in memory. (Of
        a file any row may follow any other.)
    device
        Where the SAE is trained.

    Raises
    ------
    InputError
        There are no such activations, or fewer rows than a batch.
    MismatchError
        The folder holds a training with other settings or other activations.
    """
    from torch import Tensor

    from bio_interp.sae import TrainConfig, train

    rows, facts = _open(activations)
    count = facts["data"]["rows"]
    fields = {"total_rows": count, **settings}
    buffer_rows = fields.pop("buffer_rows", _BUFFER_ROWS)
    config = TrainConfig(**fields)
    claim(folder, facts["data"], "Give another folder, or remove this one to start anew.")
    _log.info("%s rows of %s, trained on %s", f"{count:,}", activations, f"{config.total_rows:,}")
    return train(
        rows if isinstance(rows, Tensor) else mixed_rows(rows, set(rows.accessions), buffer_rows),
        config,
        folder=folder,
        provenance=facts,
        device=device,
        on_step=reporter(config.steps),
    )


def _open(path: Path) -> tuple[Tensor | ActivationStore, dict[str, Any]]:
    """Open activations, and say which they are; of a store also who read them."""
    from bio_interp.activations import ActivationStore, map_rows

    if not path.is_dir():
        rows = map_rows(path)
        shape = {"rows": rows.shape[0], "d_model": rows.shape[1]}
        return rows, {"data": {"file": path.name, **shape, "dtype": str(rows.dtype)}}
    store = ActivationStore.open(path)
    if missing := len(store.missing()):
        raise InputError(
            f"a whole harvest in {path}",
            f"{missing} of {store.blocks} blocks not there yet",
            "Run `bio-interp harvest` to its end.",
        )
    known = {"model": "model.name", "site": "model.site", "weights_sha256": "model.weights_sha256"}
    facts = {name: store.settings[key] for name, key in known.items() if key in store.settings}
    data = {"file": path.name, "rows": int(store.offsets[-1]), "d_model": store.d_model}
    return store, {**facts, "data": {**data, **store.settings}}
