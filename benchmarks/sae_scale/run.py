"""Train an SAE of a million features on this machine, kill it once, and go on.

The rows are sparse sums of many directions whose frequencies fall off as in Zipf's law, made batch
by batch. The training runs in a process of its own that is killed with SIGKILL about half-way, is
started again, and goes on from its last checkpoint. Then rows are encoded, a block at a time.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))
from _harness import finish, parse, record

from bio_interp.sae import SparseAutoencoder, TrainConfig, train


@dataclass(frozen=True)
class Work:
    """Sizes of a run."""

    d_model: int
    d_sae: int
    k: int
    batch: int
    steps: int
    directions: int


FULL = Work(320, 1_000_000, 32, 1024, 200, 50_000)
QUICK = Work(64, 20_000, 16, 512, 60, 2_000)


def main() -> None:
    if len(sys.argv) == 4 and sys.argv[1] == "worker":
        return work(Path(sys.argv[2]), QUICK if sys.argv[3] == "quick" else FULL)
    options = parse(__doc__)
    sizes = QUICK if options.quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), sizes, options)
    return finish(
        record("sae_scale", options, figures, packages=("bio-interp", "torch", "lightning")),
        options,
    )


def measure(folder: Path, sizes: Work, options: Any) -> dict[str, Any]:
    """Start, kill, start again; then encode."""
    disk = shutil.disk_usage(folder).free
    half = sizes.steps // 2
    killed_at = until_step(folder, options, half)
    started = time.perf_counter()
    peak_mb = to_the_end(folder, options)
    resumed_seconds = time.perf_counter() - started
    steps = [json.loads(line) for line in (folder / "steps.jsonl").read_text().splitlines()]
    again = [s["step"] for s in steps if s["start"] == steps[-1]["start"]]
    settled = [s["rows_per_second"] for s in steps[2:] if s["step"] > 2]
    return {
        **{name: getattr(sizes, name) for name in ("d_model", "d_sae", "k", "batch", "steps")},
        "parameters": 2 * sizes.d_model * sizes.d_sae + sizes.d_sae + sizes.d_model,
        "killed_at_step": killed_at,
        "went_on_at_step": again[0],
        "rows_per_second_median": round(sorted(settled)[len(settled) // 2], 1),
        "seconds_after_resume": round(resumed_seconds, 1),
        "peak_memory_mb": peak_mb,
        "fvu_by_step": {s["step"]: round(s["fvu"], 4) for s in steps if s["step"] % 20 == 0},
        "fvu_first": round(steps[0]["fvu"], 4),
        "fvu_last": round(steps[-1]["fvu"], 4),
        "free_disk_gb": round(disk / 2**30, 1),
        **json.loads((folder / "encoded.json").read_text()),
    }


def until_step(folder: Path, options: Any, step: int) -> int:
    """Let it train to a step and kill it in the next."""
    process = subprocess.Popen(command(folder, options))
    try:
        while last_step(folder) < step:
            if process.poll() is not None:
                raise RuntimeError(f"the training ended with {process.returncode}")
            time.sleep(0.05)
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
    return last_step(folder)


def to_the_end(folder: Path, options: Any) -> int:
    """Go on to the end; gives the peak memory of the process in MB."""
    subprocess.run(command(folder, options), check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def command(folder: Path, options: Any) -> list[str]:
    size = "quick" if options.quick else "full"
    return [sys.executable, "-W", "ignore", __file__, "worker", str(folder), size]


def last_step(folder: Path) -> int:
    path = folder / "steps.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    return json.loads(lines[-1])["step"] if lines else 0


def work(folder: Path, sizes: Work) -> None:
    """Train, or go on training, and encode; runs in a process of its own."""
    start = time.time()

    def on_step(step: int, metrics: Any) -> None:
        facts = {"step": step, "start": start, "fvu": metrics["fvu"], "dead": metrics["dead"]}
        facts["rows_per_second"] = metrics["rows_per_second"]
        with (folder / "steps.jsonl").open("a") as file:
            file.write(json.dumps(facts) + "\n")

    config = TrainConfig(
        d_sae=sizes.d_sae,
        k=sizes.k,
        total_rows=sizes.steps * sizes.batch,
        batch_rows=sizes.batch,
        norm_rows=8 * sizes.batch,
        lr=1e-3,
        log_every=1,
        checkpoint_every=sizes.steps // 4,
        dead_after_rows=sizes.steps * sizes.batch // 2,  # a fiftieth would be five steps
    )
    sae = train(lambda epoch: rows(sizes, epoch), config, folder=folder / "run", on_step=on_step)
    (folder / "encoded.json").write_text(json.dumps(encoded(sae, sizes)))


def rows(sizes: Work, epoch: int) -> Iterator[Tensor]:
    """Make batch after batch; the directions are the same in every epoch."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(sizes.directions, sizes.d_model, generator=generator)
    directions = torch.nn.functional.normalize(directions)
    shares = (1 / torch.arange(1, sizes.directions + 1).double()).cumsum(0)
    generator.manual_seed(epoch + 1)
    while True:
        drawn = torch.rand(sizes.batch, sizes.k, generator=generator, dtype=torch.float64)
        on = torch.searchsorted(shares, drawn * shares[-1])  # (batch, k)
        strength = 0.5 + torch.rand(on.shape, generator=generator)
        yield torch.einsum("rk,rkd->rd", strength, directions[on])


def encoded(sae: SparseAutoencoder, sizes: Work) -> dict[str, Any]:
    """Encode rows that were not trained on."""
    fresh = next(rows(sizes, 10_000))
    started = time.perf_counter()
    codes = sae.encode(fresh)
    seconds = time.perf_counter() - started
    never = int((sae.feature_maxima == 0).sum())
    return {
        "encode_rows_per_second": round(len(fresh) / seconds, 1),
        "held_out_fvu": round(sae.fvu(fresh), 4),
        "held_out_l0": round(len(codes.values) / len(codes), 1),
        "share_off_since_decay_began": round(never / sizes.d_sae, 4),
    }


if __name__ == "__main__":
    main()
