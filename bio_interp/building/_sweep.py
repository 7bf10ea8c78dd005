"""A sweep: one pass of a model trains SAEs of many sites, widths and k, and measures them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from bio_interp.building._claim import claim
from bio_interp.building._grid import Proteins, Sweep, Variant, training_bytes
from bio_interp.building._sweep_table import sweep_table
from bio_interp.errors import InputError
from bio_interp.models import LanguageModel, LoadOptions, load_model, resolve_device
from bio_interp.provenance import atomic_path, sha256_text, write_json
from bio_interp.reports import memory_bytes, pareto_plots
from bio_interp.sequences import read_proteins

if TYPE_CHECKING:
    from bio_interp.activations import ModelRows
    from bio_interp.models import SpliceKey
    from bio_interp.sae import SparseAutoencoder

_GRID = ("sites", "widths", "k", "architectures", "seeds", "checkpoint_every")
_log = logging.getLogger(__name__)


def sweep(
    what: Sweep,
    sequences: Path | str,
    folder: Path | str,
    *,
    split: Path | None = None,
    options: LoadOptions | None = None,
) -> pl.DataFrame:
    """Train the SAEs of a sweep in one pass of the model, and measure them on held-out proteins.

    The model reads the proteins once (again only for more rows than they have), for all sites
    together; the rows are mixed in one buffer and every SAE takes a step on each batch. A sweep
    that was interrupted at any moment goes on; one that is finished takes more SAEs, which need
    a pass of their own.

    Parameters
    ----------
    what
        What to train.
    sequences
        FASTA or Swiss-Prot file.
    folder
        Gets ``saes/NAME/`` for every SAE, ``sweep.parquet`` and ``sweep.tsv``, a row an SAE (see
        `bio_interp.building.SWEEP_COLUMNS`), and the plots ``fvu`` and ``ce_recovered`` against
        L0, as PNG and SVG.
    split
        A `bio_interp.sequences.Split`: SAEs are trained on its fold ``fit`` and measured on
        ``select``. Without one, proteins are held out one by one, and one that is measured on may
        have relatives among those trained on.
    options
        How to load the model; the SAEs are trained on the same device.

    Returns
    -------
    polars.DataFrame
        The table.

    Raises
    ------
    InputError
        The buffer and the SAEs do not fit into the memory that is free, or there are too few
        proteins.
    NotFoundError
        There is no such model or site.
    MismatchError
        The folder holds a sweep of other proteins or settings; the message names them.
    """
    from bio_interp.activations import ModelRows

    folder, options = Path(folder), options or LoadOptions()
    model = load_model(what.model, options)
    sites = what.at(model.info)
    proteins = Proteins.deal(list(read_proteins(sequences)), split, what.heldout_proteins)
    rows = ModelRows(model, sites, [p.sequence for p in proteins.fit], buffer_rows=what.buffer_rows)
    variants = what.variants(sites, what.rows or rows.rows)
    device = str(resolve_device(options.device))
    _state(what, proteins, rows, variants, device)
    claim(
        folder,
        _settings(what, model, proteins),
        "Give another folder, or remove this one to start anew.",
    )
    saes = _train(model, rows, variants, folder / "saes", device)
    measuring = _Measuring(model, proteins, folder / "measured", what.fidelity_proteins)
    table = sweep_table(variants, measuring.figures(variants, saes), proteins.apart)
    _save(table, folder)
    return table


def _settings(what: Sweep, model: LanguageModel, proteins: Proteins) -> dict[str, Any]:
    """Say what all SAEs of a folder share; the grid may grow."""
    sets = {"fit": proteins.fit, "heldout": proteins.heldout}
    hashes = {k: sha256_text(f"{p.accession}\t{p.sequence}" for p in v) for k, v in sets.items()}
    shared = {key: value for key, value in asdict(what).items() if key not in _GRID}
    return {**shared, "weights_sha256": model.info.weights_sha256, **hashes}


def _state(
    what: Sweep,
    proteins: Proteins,
    rows: ModelRows,
    variants: Mapping[str, Variant],
    device: str,
) -> None:
    """Say what will happen, and what memory it takes; refuse what does not fit."""
    apart = {
        "cluster": "no homologue of them is trained on",
        "protein": "chosen by protein, without --split: relatives of them may be trained on, "
        "so the figures flatter",
    }[proteins.apart]
    total = next(iter(variants.values())).config.total_rows
    _log.info(
        "%d SAEs at %d sites, trained on %s residues of %s proteins (%.3g passes of the model)",
        *(len(variants), len(rows.sites), f"{total:,}", f"{len(proteins.fit):,}"),
        total / rows.rows,
    )
    _log.info("measured on %s others (%s)", f"{len(proteins.heldout):,}", apart)
    training = training_bytes(variants, dict(zip(rows.sites, rows.widths, strict=True)))
    held = {"buffer": rows.buffer_bytes, **({"training": training} if device == "cpu" else {})}
    _, free = memory_bytes()
    parts = ", ".join(f"{name} {size / 1e9:.2f} GB" for name, size in held.items())
    known = "" if free is None else f", free {free / 1e9:.1f} GB"
    there = "" if device == "cpu" else f"; training {training / 1e9:.2f} GB on {device}"
    _log.info("memory: %s%s%s", parts, known, there)
    if free is not None and sum(held.values()) > free:
        raise InputError(
            f"{sum(held.values()) / 1e9:.1f} GB of free memory ({parts})",
            f"{free / 1e9:.1f} GB",
            f"Lower --buffer-rows (now {what.buffer_rows:,}), or sweep over fewer sites and widths "
            "at a time; later calls with the same folder add to it.",
        )


def _train(
    model: LanguageModel,
    rows: ModelRows,
    variants: Mapping[str, Variant],
    folder: Path,
    device: str,
) -> dict[str, SparseAutoencoder]:
    from bio_interp.sae import SaeRun, train_many

    config = next(iter(variants.values())).config
    facts = {"model": model.info.name, "weights_sha256": model.info.weights_sha256}
    return train_many(
        rows,
        {name: SaeRun(v.config, read=(v.site,)) for name, v in variants.items()},
        folder=folder,
        on_step=_reporter(config.steps),
        provenance=facts,
        device=device,
    )


def _reporter(steps: int) -> Callable[[int, Mapping[str, Mapping[str, float]]], None]:
    def report(step: int, metrics: Mapping[str, Mapping[str, float]]) -> None:
        fvu = [each["fvu"] for each in metrics.values()]
        speed = min(each["rows_per_second"] for each in metrics.values())
        text = "sweep: step %d of %d, %d SAEs, FVU %.3f to %.3f, %.0f rows/s"
        _log.info(text, step, steps, len(fvu), min(fvu), max(fvu), speed)

    return report


@dataclass(frozen=True)
class _Measuring:
    """What is measured of SAEs, kept in a file each."""

    model: LanguageModel
    proteins: Proteins
    folder: Path
    fidelity_proteins: int

    def figures(
        self, variants: Mapping[str, Variant], saes: Mapping[str, SparseAutoencoder]
    ) -> dict[str, dict[str, Any]]:
        """Give all figures by name; those that are on disk are not measured again."""
        found = {name: {**self._read(name, "rows")} for name in variants}
        self._rows({n: v for n, v in variants.items() if not found[n]}, saes)
        sites = dict.fromkeys(v.site for v in variants.values())
        for site in sites if self.fidelity_proteins else ():
            of_site = [n for n, v in variants.items() if v.site == site]
            self._fidelity(site, [n for n in of_site if not self._read(n, "fidelity")], saes)
        return {n: {**self._read(n, "rows"), **self._read(n, "fidelity")} for n in variants}

    def _rows(self, variants: Mapping[str, Variant], saes: Mapping[str, SparseAutoencoder]) -> None:
        from bio_interp.building._heldout import measure_rows

        if not variants:
            return
        _log.info("sweep: L0, FVU and densities on %d proteins", len(self.proteins.heldout))
        sequences = [p.sequence for p in self.proteins.heldout]
        of = {name: (v.site, saes[name]) for name, v in variants.items()}
        for name, figures in measure_rows(self.model, sequences, of).items():
            write_json(self._path(name, "rows"), figures)

    def _fidelity(
        self, site: str, names: Sequence[str], saes: Mapping[str, SparseAutoencoder]
    ) -> None:
        from bio_interp.interventions import fidelity_many

        if not names:
            return
        some = self.proteins.heldout[: self.fidelity_proteins]
        _log.info("sweep: fidelity of %d SAEs at %s on %d proteins", len(names), site, len(some))
        clusters = [self.proteins.clusters.get(p.accession, p.accession) for p in some]
        splices: dict[str, dict[SpliceKey, SparseAutoencoder]]
        splices = {name: {site: saes[name]} for name in names}
        found = fidelity_many(self.model, splices, [p.sequence for p in some], clusters=clusters)
        for name, figures in found.items():
            write_json(self._path(name, "fidelity"), figures.to_dict())

    def _read(self, name: str, kind: str) -> dict[str, Any]:
        path = self._path(name, kind)
        return json.loads(path.read_text()) if path.is_file() else {}

    def _path(self, name: str, kind: str) -> Path:
        return self.folder / kind / f"{name}.json"


def _save(table: pl.DataFrame, folder: Path) -> None:
    with atomic_path(folder / "sweep.parquet") as path:
        table.write_parquet(path)
    with atomic_path(folder / "sweep.tsv") as path:
        table.write_csv(path, separator="\t", float_precision=6)
    for column in ("fvu", "ce_recovered"):
        if table[column].is_not_null().any():
            pareto_plots(table, column, folder / column)
