"""Time on a CUDA device: the encoder's product, the parts of a step, whole steps and the peers'."""

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam

sys.path.insert(0, str(Path(__file__).parents[1] / "sae_training"))
from _peers import PEERS, Sizes

from bio_interp.sae import InputNorm, TrainConfig
from bio_interp.sae._trainable import TrainableSae
from bio_interp.sae.kernels import AdamStep, KernelSae, UnitRowAdam, load_kernels

SIZES = {
    "batch_8k_d_sae_10k": Sizes(1280, 10_240, 64, 8192, "cuda"),
    "batch_8k_d_sae_82k": Sizes(1280, 81_920, 64, 8192, "cuda"),
    "batch_65k_d_sae_82k": Sizes(1280, 81_920, 64, 65_536, "cuda"),
}
KINDS = ("topk", "batchtopk")
Run = Callable[[], Any]


def measure(sizes: Sizes, *, rounds: int, steps: int, seed: int) -> dict[str, Any]:
    """Time one size; what does not fit or does not run is said and left out."""
    torch.manual_seed(seed)
    rows = [torch.randn(sizes.batch, sizes.d_model, device="cuda") for _ in range(2)]
    runs, problems = contestants(sizes, rows)
    bound = seconds(encoder_product(sizes, rows[0]), steps)
    taken: dict[str, list[float]] = {name: [] for name in runs}
    memory: dict[str, float] = {}
    for turn in range(rounds):
        names = list(runs)
        shift = turn % max(1, len(names))
        for name in names[shift:] + names[:shift]:
            torch.cuda.reset_peak_memory_stats()
            taken[name].append(seconds(runs[name], steps))
            memory[name] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
    return {
        "encoder_product_ms": round(1e3 * bound, 3),
        "encoder_product_tflops": round(
            2 * sizes.batch * sizes.d_model * sizes.d_sae / bound / 1e12, 1
        ),
        **summary(taken, bound, sizes),
        "peak_memory_gb_all_contestants_resident": memory,
        "parts_ms": parts(sizes, rows[0], steps),
        "not_measured": problems,
    }


def summary(taken: dict[str, list[float]], bound: float, sizes: Sizes) -> dict[str, Any]:
    """Give milliseconds, the encoder's share of each step, and ours over the fastest peer."""
    found: dict[str, Any] = {}
    for name, times in taken.items():
        found[f"{name}_ms"] = round(1e3 * median(times), 3)
        found[f"{name}_rows_per_second"] = round(sizes.batch / median(times))
        found[f"{name}_encoder_share"] = round(bound / median(times), 3)
    for kind in KINDS:
        peers = {n: t for n, t in taken.items() if n.endswith(f"_{kind}") and "ours" not in n}
        for ours in (f"ours_torch_{kind}", f"ours_triton_{kind}"):
            if peers and ours in taken:
                fastest = min(peers, key=lambda name: median(peers[name]))
                ratios = [a / b for a, b in zip(taken[ours], peers[fastest], strict=True)]
                found[f"{ours}_time_over_fastest_peer"] = round(median(ratios), 3)
                found[f"fastest_peer_{kind}"] = fastest
    return found


def seconds(run: Run, steps: int) -> float:
    """Seconds of one call, the mean of `steps` after one that does not count."""
    run()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(steps):
        run()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1e3 / steps


def encoder_product(sizes: Sizes, rows: Tensor) -> Run:
    """Make the product that no step can do without."""
    x = rows.bfloat16()
    encoder = torch.randn(sizes.d_sae, sizes.d_model, device="cuda", dtype=torch.bfloat16)
    return lambda: x @ encoder.T


def contestants(sizes: Sizes, rows: list[Tensor]) -> tuple[dict[str, Run], dict[str, str]]:
    """Make a step of each, all in bfloat16 by autocast, and try it once."""
    makers: dict[str, Callable[[], Callable[[Tensor], Any]]] = {}
    for kind in KINDS:
        for kernels in ("torch", "triton"):
            makers[f"ours_{kernels}_{kind}"] = lambda kind=kind, kernels=kernels: our_step(
                sizes, kind, kernels, rows[0]
            )
        for peer, (make, offered) in PEERS.items():
            if kind in offered:
                makers[f"{peer}_{kind}"] = lambda make=make, kind=kind: make(sizes, kind)
    runs: dict[str, Run] = {}
    problems: dict[str, str] = {}
    for name, maker in makers.items():
        try:
            run = turning(maker(), rows)
            run()
            torch.cuda.synchronize()
        except Exception as error:  # whatever a contestant does not manage here
            problems[name] = f"{type(error).__name__}: {str(error)[:200]}"
            torch.cuda.empty_cache()
        else:
            runs[name] = run
    return runs, problems


def turning(step: Callable[[Tensor], Any], rows: list[Tensor]) -> Run:
    """Take a step on each batch in turn."""
    number = [0]

    def run() -> None:
        number[0] += 1
        with torch.autocast("cuda", torch.bfloat16):
            step(rows[number[0] % len(rows)])

    return run


def our_step(sizes: Sizes, kind: str, kernels: str, rows: Tensor) -> Callable[[Tensor], Any]:
    """Make a step with projection, clipping, counters and unit rows."""
    settings = {"total_rows": 10**9, "log_every": 10**6, "batch_rows": sizes.batch}
    settings |= {"kernels": kernels, "precision": "bf16"}
    config = TrainConfig(sizes.d_sae, sizes.k, architecture=kind, **settings)
    is_own = kernels == "triton"
    make = KernelSae if is_own else TrainableSae
    trainable = make(InputNorm.measure(rows[:4096].cpu()), config).to("cuda")
    groups = [{"params": list(trainable.parameters()), "lr": config.peak_lr}]
    optimizer = UnitRowAdam(groups, [trainable]) if is_own else Adam(groups, fused=True)

    def step(x: Tensor) -> None:
        optimizer.zero_grad()
        trainable(x).total.backward()
        trainable.finish_gradient()
        optimizer.step()
        trainable.renormalise()

    return step


def parts(sizes: Sizes, rows: Tensor, steps: int) -> dict[str, Any]:
    """Time each function of the kernels on its own, the selection by both routes."""
    from bio_interp.sae.kernels.device._triton import TritonKernels

    kernels = load_kernels("triton", "cuda")
    x = rows.bfloat16()
    weights = torch.nn.functional.normalize(torch.randn(sizes.d_sae, sizes.d_model, device="cuda"))
    low, bias = weights.bfloat16(), torch.zeros(sizes.d_sae, device="cuda", dtype=torch.bfloat16)
    floor = torch.full((sizes.batch,), torch.inf, device="cuda")
    first = kernels.select_topk(x, low, bias, sizes.k, floor)
    good = 0.9 * first.values.view(sizes.batch, -1).amin(1)
    lowest = (0.9 * first.lowest()).expand(sizes.batch).contiguous()
    b_dec, one = torch.zeros(sizes.d_model, device="cuda"), torch.ones((), device="cuda")
    decoded = kernels.decode(first, low, b_dec, x)
    grads = kernels.weight_gradients(first, decoded, x, one)
    moments = torch.zeros_like(weights), torch.zeros_like(weights)
    numbers = AdamStep(1e-4, 0.9, 0.999, 1e-8, 1)
    runs: dict[str, Run] = {
        "decode": lambda: kernels.decode(first, low, b_dec, x),
        "weight_gradients": lambda: kernels.weight_gradients(first, decoded, x, one),
        "squares": lambda: kernels.squares(weights, grads[2], unit=True),
        "adam": lambda: kernels.adam(weights, grads[2], moments, one, numbers, unit=True),
    }
    for route in ("dense", "fused"):
        by = TritonKernels(selection=route)
        for name, guess in (("good", good), ("none", floor)):
            label = f"select_topk_{route}_guess_{name}"
            runs[label] = lambda by=by, guess=guess: by.select_topk(x, low, bias, sizes.k, guess)
        runs[f"select_batchtopk_{route}"] = lambda by=by: by.select_batchtopk(
            x, low, bias, sizes.k, lowest
        )
    found: dict[str, Any] = {}
    for name, run in runs.items():
        try:
            found[name] = round(1e3 * seconds(run, steps), 3)
        except Exception as error:  # out of memory, or a kernel that does not run here
            found[name] = f"{type(error).__name__}: {str(error)[:200]}"
    return found
