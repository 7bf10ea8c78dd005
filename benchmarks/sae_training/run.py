"""Rows a second in training an SAE, against SAELens, dictionary_learning, sparsify, overcomplete.

All train on the same rows with the same sizes, a few steps a round, in turning order. Ours is the
public `bio_interp.sae.train` with all that it does in a step: gradient projection, clipping, dead
features, unit norms, logging. The peers step by their own trainers' code; see ``_peers.py``.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from _harness import SHARED, finish, parse, record
from _peers import PEERS, Sizes, Step
from _real import quality

from bio_interp.sae import TrainConfig, train

SIZES = {
    "d320": Sizes(320, 5120, 32, 2048),
    "d1280": Sizes(1280, 10_240, 64, 2048),
}
OURS: dict[str, dict[str, Any]] = {
    "topk": {"architecture": "topk"},
    "topkbf16": {"architecture": "topk", "precision": "bf16"},
    "batchtopk": {"architecture": "batchtopk"},
    "matryoshka": {"architecture": "batchtopk"},
    # so short a run ends below what it is steered to: the L0 that is timed is near 32
    "jumprelu": {"architecture": "jumprelu", "k": 44},
}
SETTLING = 150  # steps until jumprelu's thresholds keep about k features on
AS_PEERS = {"topkbf16": "topk"}  # what a kind of ours is compared with
L0: dict[str, float] = {}  # of the last step that was timed
Timed = Callable[[], list[float]]


def main() -> None:
    options = parse(__doc__)
    torch.set_num_threads(options.threads)
    rounds, steps = (1, 5) if options.quick else (5, 8)
    figures: dict[str, Any] = {"rounds": rounds, "steps_a_round": steps}
    for name, sizes in SIZES.items():
        if options.quick and name != "d320":
            continue
        figures[name] = measure(sizes, rounds, steps, options.seed, every=name == "d320")
    if SHARED.is_dir():
        figures["real_activations"] = quality(options.quick, options.seed)
    else:
        figures["real_activations"] = f"not measured: no data at {SHARED.name}"
    packages = ("bio-interp", "torch", "sae-lens", "dictionary-learning", "eai-sparsify",
                "overcomplete")  # fmt: skip
    finish(record("sae_training", options, figures, packages=packages), options)


def measure(sizes: Sizes, rounds: int, steps: int, seed: int, *, every: bool) -> dict[str, Any]:
    """Time ours and the peers; `every` also takes the architectures beside TopK."""
    rows = mixed(sizes, seed)
    kinds = list(OURS) if every else ["topk", "topkbf16", "batchtopk"]
    runs: dict[str, Timed] = {f"ours_{k}": partial(our_steps, sizes, k, rows, steps) for k in kinds}
    problems: dict[str, str] = {}
    for peer, (make, offered) in PEERS.items():
        for kind in (k for k in offered if k in kinds):
            try:
                step = make(sizes, kind)
                step(rows[: sizes.batch])
            except Exception as error:  # whatever a peer does not manage here
                problems[f"{peer}_{kind}"] = f"{type(error).__name__}: {str(error)[:200]}"
            else:
                runs[f"{peer}_{kind}"] = partial(peer_steps, sizes, step, rows, steps)
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds):
        names = list(runs)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            taken[name].append(median(runs[name]()))
            print(f"round {turn + 1} {name} {1e3 * taken[name][-1]:.1f} ms", file=sys.stderr)
    l0 = {f"ours_{kind}_l0": round(L0[kind], 1) for kind in kinds}
    return {**summary(taken, sizes), **l0, "not_measured": problems}


def summary(taken: dict[str, list[float]], sizes: Sizes) -> dict[str, Any]:
    """Rows a second, and how many times faster ours is: medians over rounds."""
    figures: dict[str, Any] = {
        f"{name}_rows_per_second": round(sizes.batch / median(times))
        for name, times in taken.items()
    }
    for kind in OURS:
        own = taken.get(f"ours_{kind}")
        for name, times in taken.items() if own else ():
            if not name.startswith("ours") and name.endswith(f"_{AS_PEERS.get(kind, kind)}"):
                ratios = [peer / mine for mine, peer in zip(own, times, strict=True)]
                figures[f"ours_{kind}_times_faster_than_{name}"] = round(median(ratios), 2)
        if own and kind != "topk":
            pairs = zip(own, taken["ours_topk"], strict=True)
            figures[f"{kind}_time_over_topk"] = round(median(a / b for a, b in pairs), 2)
    return figures


def mixed(sizes: Sizes, seed: int) -> Tensor:
    """Make rows that are sparse sums of directions, in float32."""
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn(2 * sizes.d_model, sizes.d_model, generator=generator)
    on = torch.rand(8 * sizes.batch, 2 * sizes.d_model, generator=generator) < 0.03
    return on.float() @ torch.nn.functional.normalize(directions)


def our_steps(sizes: Sizes, kind: str, rows: Tensor, steps: int) -> list[float]:
    """Seconds a step of `train`, logging among them, after it has settled."""
    settling = -(-(SETTLING if kind == "jumprelu" else 2) // steps)
    fields: dict[str, Any] = {
        "d_sae": sizes.d_sae,
        "k": sizes.k,
        "total_rows": (settling + 1) * steps * sizes.batch,
        "batch_rows": sizes.batch,
        "norm_rows": sizes.batch,
        "log_every": steps,
        "checkpoint_every": 10**6,
        "dead_after_rows": 10**9,  # in so few steps none is; the peers' limits are far, too
        "prefixes": tuple(sizes.prefixes) if kind == "matryoshka" else (),
    }
    config = TrainConfig(**{**fields, **OURS[kind]})
    times: list[float] = []

    def on_step(step: int, metrics: Mapping[str, float]) -> None:
        times.append(time.perf_counter())
        L0[kind] = metrics["l0"]

    with tempfile.TemporaryDirectory() as folder:
        train(list(rows.split(sizes.batch)), config, folder=Path(folder) / "run", on_step=on_step)
    return [(times[-1] - times[-2]) / steps]


def peer_steps(sizes: Sizes, step: Step, rows: Tensor, steps: int) -> list[float]:
    """Seconds of some steps of a peer."""
    times: list[float] = []
    for number in range(steps):
        first = number % 8 * sizes.batch
        begin = time.perf_counter()
        step(rows[first : first + sizes.batch])
        times.append(time.perf_counter() - begin)
    return times


if __name__ == "__main__":
    main()
