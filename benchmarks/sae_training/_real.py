"""Final FVU on activations of real proteins, at equal rows, width, k and learning rate.

Half of what decides whether a fast trainer is any good: the SAEs of all are measured on proteins
that none was trained on, by `bio_interp.sae.measure`, each by its own forward rule.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bio_interp import load_model, read_proteins
from bio_interp.sae import SparseAutoencoder, TrainConfig, measure, train

sys.path.insert(0, str(Path(__file__).parents[1]))
from _harness import SHARED
from ground_truth._peers import Task
from ground_truth._peers import dictionary_learning as train_dictionary_learning
from ground_truth._peers import sae_lens as train_sae_lens

CORPUS = SHARED / "corpus/swissprot_2014_reps50.fasta.zst"
SITES = {  # model, site, d_sae, k, rows, epochs
    "reference": ("reference", "layer.3", 2560, 32, 300_000, 2),
    "unirep": ("unirep", "layer.1", 4096, 64, 120_000, 2),
}
BATCH, HELD_OUT = 2048, 20_000
Trained = Callable[[Task, str, Tensor], SparseAutoencoder]


def quality(quick: bool, seed: int) -> dict[str, Any]:
    """Train all on the same rows; give the FVU of each on others."""
    figures: dict[str, Any] = {}
    for name, (model, site, d_sae, k, wanted, epochs) in SITES.items():
        if quick and name != "reference":
            continue
        wanted = 20_000 if quick else wanted
        rows = real_rows(model, site, wanted + HELD_OUT, seed)
        fresh, rows = rows[:HELD_OUT], shuffled(rows[HELD_OUT:], epochs, seed)
        steps = len(rows) // BATCH
        lr = 2e-4 / (d_sae / 2**14) ** 0.5  # what three of the four take by default
        task = Task(rows.shape[1], d_sae, k, BATCH, steps, lr, seed)
        figures[name] = {"d_model": rows.shape[1], "d_sae": d_sae, "k": k, "rows": steps * BATCH}
        for trainer, run in TRAINERS.items():
            found = measure(run(task, "topk", rows), fresh)
            figures[name][f"{trainer}_topk_fvu"] = round(found.fvu, 5)
            figures[name][f"{trainer}_topk_dead"] = round(found.dead, 4)
            print(name, trainer, found.to_dict()["fvu"], file=sys.stderr, flush=True)
        peers = [v for n, v in figures[name].items() if n.endswith("_fvu") and "ours" not in n]
        figures[name]["ours_over_best_peer"] = round(figures[name]["ours_topk_fvu"] / min(peers), 4)
    return figures


def real_rows(model: str, site: str, count: int, seed: int) -> Tensor:
    """Read so many residues of corpus proteins, protein after protein."""
    every = 37 + seed

    def sequences() -> Iterator[str]:
        for number, protein in enumerate(read_proteins(CORPUS)):
            if number % every == 0 and len(protein) <= 500:
                yield protein.sequence

    parts: list[Tensor] = []
    have = 0
    for reading in load_model(model).activations(sequences(), [site]):
        parts.append(reading.rows[site].clone())
        have += len(parts[-1])
        if have >= count:
            break
    return torch.cat(parts)[:count]


def shuffled(rows: Tensor, epochs: int, seed: int) -> Tensor:
    """Mix the rows anew for each epoch: every trainer gets the same order."""
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(len(rows), generator=generator) for _ in range(epochs)]
    return rows[torch.cat(orders)]


def ours(task: Task, kind: str, rows: Tensor) -> SparseAutoencoder:
    """Train with `bio_interp.sae.train`."""
    config = TrainConfig(
        d_sae=task.d_sae,
        k=task.k,
        total_rows=task.steps * task.batch,
        batch_rows=task.batch,
        architecture=kind,  # type: ignore[arg-type]
        lr=task.lr,
        seed=task.seed,
    )
    with tempfile.TemporaryDirectory() as folder:
        return train(list(rows.split(task.batch)), config, folder=Path(folder) / "run")


def sparsify(task: Task, kind: str, rows: Tensor) -> SparseAutoencoder:
    """Train sparsify's SparseCoder with Adam, from the mean of the first batch as it does."""
    from sparsify import SparseCoder, SparseCoderConfig

    from bio_interp.sae import InputNorm, SaeConfig

    torch.manual_seed(task.seed)
    config = SparseCoderConfig(num_latents=task.d_sae, k=task.k)
    coder = SparseCoder(task.d_model, config)
    mean = rows[: task.batch].mean(0)
    coder.b_dec.data.copy_(mean)
    optimizer = torch.optim.Adam(coder.parameters(), lr=task.lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min(1.0, (s + 1) / task.warmup, (task.steps - s) / task.decay)
    )
    for x in rows.split(task.batch)[: task.steps]:
        coder.set_decoder_norm_to_unit_norm()
        coder(x).fvu.backward()
        coder.remove_gradient_parallel_to_decoder_directions()
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    coder.set_decoder_norm_to_unit_norm()
    bias = coder.encoder.bias - coder.encoder.weight @ coder.b_dec
    tensors = {"W_enc": coder.encoder.weight.T, "b_enc": bias}
    tensors |= {"W_dec": coder.W_dec, "b_dec": coder.b_dec}
    tensors = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    norm = InputNorm(torch.zeros(task.d_model), 1.0)
    sae = SparseAutoencoder(SaeConfig(task.d_model, task.d_sae, "topk", task.k), tensors, norm)
    with torch.no_grad():
        theirs = coder(rows[:256]).sae_out
    torch.testing.assert_close(sae(rows[:256]), theirs, rtol=1e-3, atol=1e-3)
    return sae


TRAINERS: dict[str, Trained] = {
    "ours": ours,
    "sae_lens": train_sae_lens,
    "dictionary_learning": train_dictionary_learning,
    "sparsify": sparsify,
}
