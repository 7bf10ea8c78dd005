"""What every benchmark shares: options, the record of machine and versions, alternating rounds."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("BIO_INTERP_SHARED_DATA", ROOT.parent / "shared/data"))


def parse(description: str | None, argv: list[str] | None = None) -> argparse.Namespace:
    """Read ``[--quick] [--json FILE] [--threads N] [--seed N]``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="same code, smaller work")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


def machine(threads: int) -> dict[str, Any]:
    """Describe this machine without naming it."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY", "default"),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": round(os.getloadavg()[0], 2),
    }


def record(
    name: str, options: argparse.Namespace, figures: Mapping[str, Any], *, packages: tuple[str, ...]
) -> dict[str, Any]:
    """Put figures beside what is needed to read them: machine, versions, date, command."""
    return {
        "benchmark": name,
        "quick": options.quick,
        "command": _command(options),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": machine(options.threads),
        "versions": {"python": platform.python_version(), **_versions(packages)},
        **figures,
    }


def finish(result: Mapping[str, Any], options: argparse.Namespace) -> None:
    """Write the record to ``--json``, or to standard output."""
    text = json.dumps(result, indent=2) + "\n"
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(text)
        print(f"written to {options.json}", file=sys.stderr)
    else:
        print(text)


@dataclass(frozen=True)
class Rounds:
    """Seconds of each run in each round, by name: on the clock, and of processor time.

    Where other work shares the machine, the clock says little and processor time still holds.
    """

    wall: dict[str, list[float]]
    cpu: dict[str, list[float]]


def alternate(runs: Mapping[str, Callable[[], Any]], *, rounds: int) -> Rounds:
    """Time all runs once a round, in turning order, so that a busy machine harms all alike."""
    names = list(runs)
    taken = Rounds({name: [] for name in names}, {name: [] for name in names})
    for turn in range(rounds):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            wall, cpu = time.perf_counter(), time.process_time()
            runs[name]()
            taken.wall[name].append(time.perf_counter() - wall)
            taken.cpu[name].append(time.process_time() - cpu)
            spent = f"{taken.wall[name][-1]:.2f} s, processor {taken.cpu[name][-1]:.2f} s"
            print(f"round {turn + 1}/{rounds} {name} {spent}", file=sys.stderr, flush=True)
    return taken


def ratio(ours: list[float], peer: list[float]) -> float:
    """Give how many times faster we are: the median over rounds of the ratio within a round."""
    return round(median(p / o for o, p in zip(ours, peer, strict=True)), 2)


def per_second(work: float, seconds: list[float]) -> float:
    """Give work a second at the median time."""
    return round(work / median(seconds), 1)


def rounded(seconds: Mapping[str, list[float]]) -> dict[str, list[float]]:
    """Round seconds to milliseconds."""
    return {name: [round(t, 3) for t in times] for name, times in seconds.items()}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _commit() -> str:
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
        )
    except OSError:
        return "unknown"
    return answer.stdout.strip() or "unknown"


def _command(options: argparse.Namespace) -> str:
    words = ["python", Path(sys.argv[0]).resolve().relative_to(ROOT).as_posix(), *sys.argv[1:]]
    if options.json:  # where the file went is the reader's own affair
        words = ["FILE" if word == str(options.json) else word for word in words]
    return " ".join(words)
