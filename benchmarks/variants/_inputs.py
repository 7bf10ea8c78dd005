"""What the ridge may learn from: changes of features and of neurons, and likelihoods."""

import hashlib
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _pools import Pool

from bio_interp.atlas import Atlas
from bio_interp.variants import LETTERS, log_likelihood_ratios

JOINS = (
    ("sae",), ("neurons",), ("one_hot",), ("likelihood",),
    ("sae", "neurons"), ("sae", "one_hot"), ("neurons", "one_hot"),
    ("sae", "likelihood"), ("neurons", "likelihood"), ("one_hot", "likelihood"),
    ("sae", "one_hot", "likelihood"), ("neurons", "one_hot", "likelihood"),
)  # fmt: skip


def model_inputs(atlas: Atlas, pool: Pool, cache: Path) -> dict[str, np.ndarray]:
    """Give ``sae``, ``neurons`` and ``likelihood`` of every variant, from the cache if there.

    Of features and neurons the mutant minus the wild type, as mean over all residues and as mean
    over the mutated ones, side by side: ``(variants, 2 * width)`` without constant columns.
    """
    variants = "\n".join([pool.sequence, *map(str, pool.variants)])
    key = hashlib.sha256(f"{atlas.info.model_sha256} {variants}".encode()).hexdigest()[:16]
    path = cache / f"{atlas.name}-{pool.name}-{key}.npz"
    if not path.is_file():
        started, cpu = time.perf_counter(), time.process_time()
        arrays = _measure(atlas, pool)
        taken = (time.perf_counter() - started, time.process_time() - cpu)
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(path, seconds=np.array(taken), **arrays)
    with np.load(path) as file:
        return dict(file)


def varying(columns: np.ndarray) -> np.ndarray:
    """Leave out columns that are the same in all rows."""
    return np.ascontiguousarray(columns[:, np.ptp(columns, axis=0) > 0], dtype=np.float32)


def _measure(atlas: Atlas, pool: Pool) -> dict[str, np.ndarray]:
    model, site = atlas.model, atlas.site
    causal = model.info.objective == "causal"
    ((wild_rows),) = (r.rows[site] for r in model.activations([pool.sequence], [site]))
    wild_codes = _dense(atlas, wild_rows)
    found: dict[str, list[Any]] = {"sae": [], "neurons": [], "likelihood": []}
    mutants = [variant.apply(pool.sequence) for variant in pool.variants]
    wild_score = _log_p(model, wild_rows, pool.sequence) if causal else 0.0
    for number, reading in enumerate(model.activations(mutants, [site])):
        at = list(pool.variants[number].indices)
        first = at[0] if causal else 0
        rows = reading.rows[site]
        codes = _dense(atlas, rows[first:]) - wild_codes[first:]
        found["sae"].append(_summary(codes, at, first, len(rows)))
        found["neurons"].append(_summary((rows - wild_rows)[first:], at, first, len(rows)))
        if causal:
            found["likelihood"].append(_log_p(model, rows, mutants[number]) - wild_score)
        if number % 200 == 0:
            print(f"{atlas.name} {pool.name} {number}/{len(mutants)}", file=sys.stderr, flush=True)
    if not causal:
        found["likelihood"] = log_likelihood_ratios(model, pool.sequence, pool.variants)
    scores = np.array(found.pop("likelihood"))[:, None]
    return {name: varying(np.stack(rows)) for name, rows in found.items()} | {"likelihood": scores}


def _dense(atlas: Atlas, rows: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(atlas.encode(rows).toarray())


def _summary(change: torch.Tensor, at: list[int], first: int, residues: int) -> np.ndarray:
    here = change[[index - first for index in at]].mean(0)
    return torch.cat([change.sum(0) / residues, here]).numpy()


def _log_p(model: Any, rows: torch.Tensor, sequence: str) -> float:
    """Log-likelihood of a sequence from rows that are there already (UniRep's head)."""
    log_p = model.next_residue_logits(rows).double().log_softmax(1)
    return float(log_p[range(len(sequence)), [LETTERS.index(c) for c in sequence]].sum())
