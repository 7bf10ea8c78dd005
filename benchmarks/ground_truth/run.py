"""What each architecture recovers of planted features, beside dictionary_learning and SAELens.

Every contestant trains on the same rows, once each, with the same width, k, batches and schedule.
The learning rate is one of a grid, chosen for each contestant alike by the mean matched cosine on
worlds of their own, which no reported seed uses. See docs/ground-truth.md for what the scores mean.
"""

import logging
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from _harness import finish, parse, record
from _peers import KINDS, PEERS, Task, Train

from bio_interp.sae import (
    PlantedFeatures,
    SparseAutoencoder,
    TrainConfig,
    measure,
    recovery,
    train,
)

SIZES = {"d_model": 64, "d_sae": 256, "k": 6, "batch": 512, "steps": 1000}
QUICK = {"d_model": 24, "d_sae": 64, "k": 3, "batch": 256, "steps": 150}
RATES = (3e-3, 1e-2, 3e-2)
SCORED = 20_000
VALIDATION, ROWS_SEED = 1000, 10**6
OURS = (*KINDS[:2], "matryoshka_topk", *KINDS[2:])
FIGURES = ("mcc", "mmcs", "found", "f1", "f1_best", "absorption", "splitting",
           "fvu", "l0", "dead")  # fmt: skip


def main() -> None:
    options = parse(__doc__)
    torch.set_num_threads(options.threads)
    logging.disable(logging.INFO)
    warnings.filterwarnings("ignore")
    sizes = QUICK if options.quick else SIZES
    rates = (1e-2,) if options.quick else RATES
    seeds = [options.seed + i for i in range(1 if options.quick else 5)]
    contestants: dict[str, tuple[Train, str]] = {f"ours_{kind}": (ours, kind) for kind in OURS}
    for peer, run in PEERS.items():
        contestants |= {f"{peer}_{kind}": (run, kind) for kind in KINDS}
    problems: dict[str, str] = {}
    chosen = choose_rates(contestants, sizes, rates, problems)
    scores: dict[str, list[dict[str, Any]]] = {name: [] for name in chosen}
    for done, seed in enumerate(seeds, 1):
        world, rows = plant(sizes, seed)
        for name, lr in chosen.items():
            score = attempt(name, contestants[name], sizes, lr, seed, world, rows, problems)
            scores[name] += [score] if score else []
        figures = {
            "sizes": sizes,
            "world": {**WORLD, **few(sizes)},
            "rates": rates,
            "seeds": seeds[:done],
            "scored_rows": SCORED,
            "contestants": {
                name: {"lr": chosen[name], **summary(found)} for name, found in scores.items()
            },
            "not_measured": problems,
        }
        packages = ("bio-interp", "torch", "sae-lens", "dictionary-learning")
        finish(record("ground_truth", options, figures, packages=packages), options)


WORLD: dict[str, Any] = {
    "exponent": 0.6,
    "parents": 10,
    "children": 3,
    "child_probability": 0.3,
    "group_size": 4,
    "correlation": 0.4,
    "noise": 0.05,
}


def few(sizes: dict[str, int]) -> dict[str, int]:
    """Plant fewer families in a small world."""
    return {"parents": 4, "children": 2} if sizes["d_sae"] < 100 else {}


def plant(sizes: dict[str, int], seed: int) -> tuple[PlantedFeatures, Tensor]:
    """Make the world of a seed, and all rows to train on in it."""
    fields = {**WORLD, **few(sizes), "on": sizes["k"], "seed": seed}
    world = PlantedFeatures(sizes["d_model"], sizes["d_sae"], **fields)
    return world, torch.cat(list(world.source(sizes["batch"] * sizes["steps"], ROWS_SEED)(0)))


def choose_rates(
    contestants: dict[str, tuple[Train, str]],
    sizes: dict[str, int],
    rates: tuple[float, ...],
    problems: dict[str, str],
) -> dict[str, float]:
    """Choose each contestant's learning rate on a world that is not reported."""
    if len(rates) == 1:
        return dict.fromkeys(contestants, rates[0])
    world, rows = plant(sizes, VALIDATION)
    chosen: dict[str, float] = {}
    for name, contestant in contestants.items():
        found = {
            lr: attempt(name, contestant, sizes, lr, VALIDATION, world, rows, problems)
            for lr in rates
        }
        reached = {lr: score["mcc"] for lr, score in found.items() if score}
        if reached:
            chosen[name] = max(reached, key=lambda lr: reached[lr])
    return chosen


def attempt(
    name: str,
    contestant: tuple[Train, str],
    sizes: dict[str, int],
    lr: float,
    seed: int,
    world: PlantedFeatures,
    rows: Tensor,
    problems: dict[str, str],
) -> dict[str, Any] | None:
    """Train and score one; what a peer does not manage here is kept as its problem."""
    run, kind = contestant
    begin = time.perf_counter()
    try:
        sae = run(Task(**sizes, lr=lr, seed=seed), kind, rows)
    except Exception as error:
        problems[name] = f"{type(error).__name__}: {str(error)[:200]}"
        print(f"{name}: {problems[name]}", file=sys.stderr, flush=True)
        return None
    score = scored(sae, world)
    shown = " ".join(f"{key} {score[key]:.3f}" for key in FIGURES if score[key] is not None)
    spent = time.perf_counter() - begin
    print(f"seed {seed} lr {lr} {name}: {shown} ({spent:.1f} s)", file=sys.stderr, flush=True)
    return score


def ours(task: Task, kind: str, rows: Tensor) -> SparseAutoencoder:
    """Train with the public `train`, with its defaults but for what the task sets."""
    config = TrainConfig(
        d_sae=task.d_sae,
        k=task.k,
        total_rows=task.steps * task.batch,
        architecture=kind.removeprefix("matryoshka_"),  # type: ignore[arg-type]
        prefixes=task.prefixes if kind.startswith("matryoshka") else (),
        batch_rows=task.batch,
        lr=task.lr,
        seed=task.seed,
        checkpoint_every=10**6,
    )
    with tempfile.TemporaryDirectory() as folder:
        return train(list(rows.split(4096)), config, folder=Path(folder) / "run")


def scored(sae: SparseAutoencoder, world: PlantedFeatures) -> dict[str, Any]:
    """Score on rows that nobody trained on."""
    metrics = measure(sae, (x for x, _ in world.parts(SCORED, -2)))
    return {**metrics.to_dict(), **recovery(sae, world, SCORED).to_dict()}


def summary(scores: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and standard deviation over seeds of every figure, and each seed's."""
    figures: dict[str, Any] = {}
    for key in FIGURES:
        values = [score[key] for score in scores if score[key] is not None]
        if values:
            figures[key] = round(mean(values), 4)
            figures[f"{key}_sd"] = round(stdev(values), 4) if len(values) > 1 else None
            figures[f"{key}_by_seed"] = [round(value, 4) for value in values]
    return figures


if __name__ == "__main__":
    main()
