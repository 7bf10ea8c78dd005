"""Builds killed at random moments end with the same atlas; what a plan says is what it takes.

The killed build is one of made-up proteins with planted motifs and the `reference` model. Plan,
time and memory are those of the laptop recipe on real proteins: UniProt flat entries of the shared
data (CC BY 4.0), or made-up ones where those are absent or with ``--quick``.
"""

import gzip
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from _harness import ROOT, SHARED, finish, parse, record

TOY = ROOT / "tests/bio_interp/building/conftest.py"
CODE = "import sys; from bio_interp.cli import main; main(sys.argv[1:])"


def main() -> None:
    options = parse(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures: dict[str, Any] = kills(folder, 3 if options.quick else 20, options)
        figures |= planned(folder / "planned", options)
    packages = ("bio-interp", "torch", "lightning", "numpy", "polars")
    finish(record("build", options, figures, packages=packages), options)


def kills(folder: Path, times: int, options: Any) -> dict[str, Any]:
    """Build once undisturbed, then kill builds at random moments and let each go on."""
    toy = toy_recipes()
    whole = toy.write_recipe(folder / "whole")
    begin = time.perf_counter()
    run(["build", whole], options).check_returncode()
    seconds = time.perf_counter() - begin
    expected = toy.atlas_bytes(whole.parent / "build.work/atlas")
    moments = random.Random(options.seed)
    same = killed = tried = 0
    while killed < times and tried < 2 * times:  # one that ended before its moment is no kill
        path = toy.write_recipe(folder / f"killed{tried}")
        moment = moments.uniform(0.05, 0.9) * seconds
        tried += 1
        if not kill_after(path, moment, options):
            continue
        killed += 1
        run(["build", path], options).check_returncode()
        equal = toy.atlas_bytes(path.parent / "build.work/atlas") == expected
        same += equal
        print(f"kill {killed}/{times} after {moment:.1f} s: equal {equal}", file=sys.stderr)
    return {"kills": killed, "identical_atlases": same,
            "seconds_undisturbed": round(seconds, 1), "files_compared": len(expected)}  # fmt: skip


def kill_after(path: Path, seconds: float, options: Any) -> bool:
    """Kill a build after some time; tell whether it was still running."""
    process = subprocess.Popen(command(["build", path]), env=environment(options))
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def planned(folder: Path, options: Any) -> dict[str, Any]:
    """Plan the laptop recipe, then build it, and compare."""
    path, source = laptop(folder, quick=options.quick)
    code = (
        "import sys, json; from bio_interp.building import plan; p = plan(sys.argv[1]); "
        "print(json.dumps({k: p.of(k) for k in ('time', 'writes', 'memory')}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env=environment(options), capture_output=True, text=True, check=True,
    )  # fmt: skip
    plan = json.loads(said.stdout.splitlines()[-1])
    begin = time.perf_counter()
    process = subprocess.Popen(command(["build", path]), env=environment(options))
    _, code_, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if code_:
        raise SystemExit("the laptop recipe did not end well")
    work = path.parent / "build.work"
    written = {name: size(work / name) for name in ("activations", "sae", "codes", "atlas")}
    expected = {Path(name).name: value for name, value in plan["writes"].items()}
    return {
        "laptop_source": source,
        "laptop_seconds": round(seconds, 1),
        "laptop_processor_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "laptop_peak_memory_mb": round(usage.ru_maxrss / 1024, 1),
        "plan_seconds": round(sum(plan["time"].values()), 1),
        "plan_seconds_by_stage": {k: round(v, 1) for k, v in plan["time"].items()},
        "plan_peak_memory_mb": round(plan["memory"]["peak"] / 2**20, 1),
        "plan_bytes": {k: round(v) for k, v in expected.items()},
        "written_bytes": written,
        "ratio_plan_to_real_seconds": round(sum(plan["time"].values()) / seconds, 2),
        "ratio_plan_to_real_memory": round(plan["memory"]["peak"] / 1024 / usage.ru_maxrss, 2),
        "ratio_plan_to_real_bytes": round(sum(expected.values()) / sum(written.values()), 2),
    }


def laptop(folder: Path, *, quick: bool) -> tuple[Path, str]:
    """Lay the laptop recipe beside real proteins; the toy recipe where there are none."""
    flats = sorted(SHARED.glob("uniprot_flat/swissprot_dev_*.dat.gz"))
    if quick or not flats:
        return toy_recipes().write_recipe(folder, proteins=200), "made-up proteins"
    folder.mkdir()
    with gzip.open(folder / "proteins.txt.gz", "wb") as file:
        for flat in flats:
            file.write(gzip.decompress(flat.read_bytes()))
    path = folder / "build.toml"
    path.write_text((ROOT / "examples/laptop/build.toml").read_text())
    return path, f"{len(flats)} files of {flats[0].parent.name}"


def toy_recipes() -> Any:
    """Load what the tests make their recipes with."""
    spec = importlib.util.spec_from_file_location("toy_recipes", TOY)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def command(words: list[Any]) -> list[str]:
    return [sys.executable, "-c", CODE, *map(str, words), "-q"]


def run(words: list[Any], options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(words), env=environment(options), check=False)


def environment(options: Any) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": str(options.threads)}


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
