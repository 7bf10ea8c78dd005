"""Rows a second in training an SAE, against SAELens, dictionary_learning, sparsify, overcomplete.

All train on the same rows with the same sizes, a few steps a round, in turning order, each in a
process of its own as it comes. Ours is the public `bio_interp.sae.train` with all that it does in
a step: gradient projection, clipping, dead features, unit norms, logging. The peers step by their
own trainers' code; see ``_peers.py``. Then all are trained on real activations, to the same number
of rows, and compared by what they leave unexplained; see ``_real.py``.
"""

import sys
from pathlib import Path
from statistics import median
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from _harness import SHARED, finish, parse, record
from _peers import PEERS
from _real import quality
from _workers import OURS, SIZES, Worker, workers

AS_PEERS = {"topkbf16": "topk"}  # what a kind of ours is compared with
KINDS = {"d320": tuple(OURS), "d1280": ("topk", "topkbf16", "batchtopk")}
QUICK_KINDS = {"d320": ("topk", "topkbf16")}


def main() -> None:
    options = parse(__doc__)
    torch.set_num_threads(options.threads)
    rounds, steps = (1, 5) if options.quick else (4, 5)
    figures: dict[str, Any] = {"rounds": rounds, "steps_a_round": steps}
    for size, kinds in (QUICK_KINDS if options.quick else KINDS).items():
        figures[size] = measure(size, kinds, rounds, steps, options)
    if SHARED.is_dir():
        figures["real_activations"] = quality(options.quick, options.seed)
    else:
        figures["real_activations"] = f"not measured: no data at {SHARED.name}"
    packages = ("bio-interp", "torch", "sae-lens", "dictionary-learning", "eai-sparsify",
                "overcomplete")  # fmt: skip
    finish(record("sae_training", options, figures, packages=packages), options)


def measure(
    size: str, kinds: tuple[str, ...], rounds: int, steps: int, options: Any
) -> dict[str, Any]:
    """Time ours and the peers, once a round each."""
    started = {f"ours_{kind}": Worker("ours", kind, size, steps, options) for kind in kinds}
    for peer, (_, offered) in PEERS.items():
        for kind in (k for k in offered if k in kinds):
            started[f"{peer}_{kind}"] = Worker(peer, kind, size, steps, options)
    with workers(started) as ready:
        taken: dict[str, list[float]] = {name: [] for name in ready}
        for turn in range(rounds):
            names = list(ready)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                taken[name].append(ready[name].step_seconds())
                print(f"{size} {turn + 1} {name} {1e3 * taken[name][-1]:.1f} ms", file=sys.stderr)
    problems = {name: worker.problem for name, worker in started.items() if worker.problem}
    facts = {f"{n}_{key}": value for n, w in ready.items() for key, value in w.facts.items()}
    return {**summary(taken, SIZES[size].batch, kinds), **facts, "not_measured": problems}


def summary(taken: dict[str, list[float]], batch: int, kinds: tuple[str, ...]) -> dict[str, Any]:
    """Rows a second, and how many times faster ours is: medians over rounds."""
    figures: dict[str, Any] = {
        f"{name}_rows_per_second": round(batch / median(times)) for name, times in taken.items()
    }
    for kind in kinds:
        own = taken[f"ours_{kind}"]
        for name, times in taken.items():
            if not name.startswith("ours") and name.endswith(f"_{AS_PEERS.get(kind, kind)}"):
                figures[f"ours_{kind}_times_faster_than_{name}"] = over(times, own)
        if kind != "topk":
            figures[f"{kind}_time_over_topk"] = over(own, taken["ours_topk"])
    return figures


def over(times: list[float], others: list[float]) -> float:
    """Median over rounds of the ratio within a round."""
    return round(median(a / b for a, b in zip(times, others, strict=True)), 2)


if __name__ == "__main__":
    main()
