"""Contestants in processes of their own: what one does to its process does not touch another.

``python _workers.py NAME KIND SIZES STEPS SEED THREADS`` says ``ready`` or what went wrong, then
for each line ``go`` that it reads it takes some steps and prints the seconds of one; at the end of
its input it prints its peak memory.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from _peers import PEERS, Sizes, Step

SIZES = {
    "d320": Sizes(320, 5120, 32, 2048),
    "d1280": Sizes(1280, 10_240, 64, 2048),
}
OURS: dict[str, dict[str, Any]] = {
    "topk": {"architecture": "topk"},
    "topkbf16": {"architecture": "topk", "precision": "bf16"},
    "batchtopk": {"architecture": "batchtopk"},
    "matryoshka": {"architecture": "batchtopk"},
    # steered so that the L0 that is timed is near 32
    "jumprelu": {"architecture": "jumprelu", "k": 33},
}
SETTLING = 150  # steps until jumprelu's thresholds keep about k features on


class Worker:
    """A contestant, started; `problem` says why it cannot take part."""

    def __init__(self, name: str, kind: str, size: str, steps: int, options: Any) -> None:
        words = [name, kind, size, str(steps), str(options.seed), str(options.threads)]
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.facts: dict[str, Any] = {}
        self.problem = ""

    def wait(self) -> None:
        """Wait until it is ready, or has given up."""
        answer = self._answer()
        self.problem = "" if answer == "ready" else answer or "ended at its start"

    def step_seconds(self) -> float:
        """Let it take its steps; gives the seconds of one."""
        self._say("go\n")
        return float(self._answer())

    def end(self) -> None:
        """Let it go; its facts are read."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        answer = self._answer()
        self.facts = json.loads(answer) if answer.startswith("{") else {}
        self._process.wait()

    def _say(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def _answer(self) -> str:
        """Read its next line; others' libraries print what they like."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("> "):
                return line[2:].strip()
        return ""


@contextmanager
def workers(started: Mapping[str, Worker]) -> Iterator[dict[str, Worker]]:
    """Wait for all; give those that can take part."""
    for worker in started.values():
        worker.wait()
    try:
        yield {name: worker for name, worker in started.items() if not worker.problem}
    finally:
        for worker in started.values():
            worker.end()


def mixed(sizes: Sizes, seed: int) -> Tensor:
    """Make rows that are sparse sums of directions, in float32."""
    generator = torch.Generator().manual_seed(seed + 1000)
    directions = torch.randn(2 * sizes.d_model, sizes.d_model, generator=generator)
    on = torch.rand(8 * sizes.batch, 2 * sizes.d_model, generator=generator) < 0.03
    return on.float() @ torch.nn.functional.normalize(directions)


def our_steps(sizes: Sizes, kind: str, rows: Tensor, steps: int) -> tuple[float, float]:
    """Seconds a step of `train`, logging among them, after it has settled; and its L0."""
    from bio_interp.sae import TrainConfig, train

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
    times: list[tuple[float, float]] = []

    def on_step(step: int, metrics: Mapping[str, float]) -> None:
        times.append((time.perf_counter(), metrics["l0"]))

    with tempfile.TemporaryDirectory() as folder:
        train(list(rows.split(sizes.batch)), config, folder=Path(folder) / "run", on_step=on_step)
    return (times[-1][0] - times[-2][0]) / steps, times[-1][1]


def peer_steps(sizes: Sizes, step: Step, rows: Tensor, steps: int) -> float:
    """Seconds of a step of a peer."""
    times: list[float] = []
    for number in range(steps):
        first = number % 8 * sizes.batch
        begin = time.perf_counter()
        step(rows[first : first + sizes.batch])
        times.append(time.perf_counter() - begin)
    return median(times)


def main() -> None:
    name, kind, size, steps, seed, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    sizes, facts = SIZES[size], {}
    rows = mixed(sizes, int(seed))
    try:
        step = None if name == "ours" else PEERS[name][0](sizes, kind)
        if step is not None:
            step(rows[: sizes.batch])
    except Exception as error:  # whatever a peer does not manage here
        print(f"> {type(error).__name__}: {str(error)[:200]}", flush=True)
        return
    print("> ready", flush=True)
    for _ in sys.stdin:
        if step is None:
            seconds, facts["l0"] = our_steps(sizes, kind, rows, int(steps))
        else:
            seconds = peer_steps(sizes, step, rows, int(steps))
        print(f"> {seconds}", flush=True)
    facts["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"> {json.dumps(facts)}", flush=True)


if __name__ == "__main__":
    main()
