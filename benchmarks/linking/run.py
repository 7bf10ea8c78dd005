"""Counting features x concepts x thresholds: against InterPLM's way, at scale, and what it costs.

- ``brute_force``: InterPLM's published algorithm, restated, and ours count the same random codes
  and labels, both from sparse matrices in memory, in turning order, on one thread each. Ours is
  timed with all that it needs: sorting codes by feature, finding the instances, laying them along
  residues, counting. True and false positives and spans must be identical.
- ``scale``: codes of a store on disk, counted (`count`), and counted and scored (`scan`: F1 by
  three names, AUROC and average precision of every pair), each in a process of its own.
- ``cost``: seconds against residues, k, concepts a residue and bins.
- ``binning``: AUROC and average precision on 32 bins against unbinned ones.
- ``defects``: what each of the peers' defects does to InterPLM's numbers on planted features.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix
from scipy.sparse import random as random_matrix

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from _binning import binning
from _effects import effects
from _harness import ROOT, alternate, finish, parse, ratio, record, rounded
from _interplm import brute_force
from _ours import one_pass
from _synthetic import FOLD, LENGTH, lay_layers, write_store

from bio_interp.features import FeatureStore
from bio_interp.linking.counting import StoreColumns, bin_edges, count

THRESHOLDS = (0.0, 0.15, 0.5, 0.6, 0.8)
RESIDUES, FEATURES, CONCEPTS = 20_000, 250, 40
CHART = ROOT / "docs/_static/linking-cost.png"
AXES = {
    "residues": "residues",
    "k": "features a residue (k)",
    "concepts_a_residue": "concepts a residue",
    "bins": "bins (thresholds)",
}


def main() -> None:
    """Run all parts."""
    options = parse(__doc__)
    torch.set_num_threads(options.threads)
    figures: dict[str, Any] = {"brute_force": against_brute_force(options)}
    figures["binning"] = figures["brute_force"].pop("binning")
    with tempfile.TemporaryDirectory() as folder:
        figures["scale"] = scale(Path(folder) / "scale", options)
        figures["cost"] = cost(Path(folder) / "cost", options)
        proteins = 160 if options.quick else 600
        figures["defects"] = effects(Path(folder) / "defects", proteins=proteins, seed=options.seed)
    if not options.quick:
        draw(figures["cost"])
    packages = ("bio-interp", "torch", "numpy", "scipy")
    finish(record("linking", options, figures, packages=packages), options)


def against_brute_force(options: Any) -> dict[str, Any]:
    """Time both ways on the same matrices; refuse to where they differ."""
    features = random_matrix(
        RESIDUES, FEATURES, 0.01, format="csr", random_state=options.seed, dtype=np.float32
    )
    labels = random_labels(options.seed)
    offsets = np.arange(0, RESIDUES + 1, 400)
    levels = [False] * CONCEPTS
    theirs = brute_force(features, labels, THRESHOLDS, levels)
    ours = one_pass(features, labels, THRESHOLDS, offsets)
    for name in ("tp", "fp", "spans"):
        if not np.array_equal(getattr(theirs, name), getattr(ours, name)):
            raise SystemExit(f"counts differ: {name}")
    runs = {
        "ours": lambda: one_pass(features, labels, THRESHOLDS, offsets),
        "interplm": lambda: brute_force(features, labels, THRESHOLDS, levels),
    }
    torch.set_num_threads(1)  # theirs knows one
    taken = alternate(runs, rounds=3 if options.quick else 15)
    torch.set_num_threads(options.threads)
    return {
        "binning": binning(features, labels, offsets, options.seed),
        "residues": RESIDUES,
        "features": FEATURES,
        "concepts": CONCEPTS,
        "thresholds": list(THRESHOLDS),
        "identical": ["tp", "fp", "spans"],
        "wall_seconds": rounded(taken.wall),
        "processor_seconds": rounded(taken.cpu),
        "times_faster": ratio(taken.wall["ours"], taken.wall["interplm"]),
        "times_faster_in_processor_time": ratio(taken.cpu["ours"], taken.cpu["interplm"]),
    }


def random_labels(seed: int) -> csr_matrix:
    """Put 25 instances of 5 to 60 residues of each concept into proteins of 400, apart."""
    rng = np.random.default_rng(seed)
    dense = np.zeros((RESIDUES, CONCEPTS), dtype=np.uint32)
    for concept in range(CONCEPTS):
        for number, place in enumerate(rng.permutation(RESIDUES // 100)[:25], start=1):
            start = 100 * place + rng.integers(0, 40)
            dense[start : start + rng.integers(5, 61), concept] = number
    return csr_matrix(dense)


def scale(folder: Path, options: Any) -> dict[str, Any]:
    """Count a large store; the full size is 15 million residues of 10,240 features."""
    sizes = (150_000, 2_048, 200) if options.quick else (15_000_000, 10_240, 1_000)
    return {
        "sizes": {
            "residues": sizes[0] // LENGTH * LENGTH,
            "features": sizes[1],
            "k": 32,
            "concepts": sizes[2],
            "concepts_a_residue": 2,
            "bins": 32,
        },
        **measured_scale(folder, sizes, options.threads, options.seed),
    }


def measured_scale(
    folder: Path, sizes: tuple[int, int, int], threads: int, seed: int
) -> dict[str, Any]:
    """Write the store and measure both steps."""
    residues, d_sae, concepts = sizes
    started = time.perf_counter()
    store = write_store(folder, residues=residues, d_sae=d_sae, k=32, seed=seed)
    figures: dict[str, Any] = {"writing_seconds": round(time.perf_counter() - started, 1)}
    size = sum(path.stat().st_size for path in store.folder.rglob("*.npy"))
    figures["store_gb"] = round(size / 2**30, 2)
    for step in ("count", "scan"):
        words = [str(folder), str(concepts), "32", str(threads), step]
        figures[step] = _child(words)
        print(f"{step}: {figures[step]}", file=sys.stderr, flush=True)
    return figures


def _child(words: list[str]) -> dict[str, Any]:
    program = [sys.executable, str(Path(__file__).with_name("_scale.py")), *words]
    done = subprocess.run(program, capture_output=True, text=True, env=os.environ, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def cost(folder: Path, options: Any) -> dict[str, Any]:
    """Seconds of counting where one of four numbers changes and the others stay.

    The exponent is the slope of the logarithm of processor time.
    """
    most = 60_000 if options.quick else 1_500_000
    base = {"residues": most, "k": 16, "concepts_a_residue": 1, "bins": 32}
    values: dict[str, tuple[int, ...]] = {
        "residues": (most // 4, most // 2, most),
        "k": (8, 16, 32),
        "concepts_a_residue": (1, 2, 4),
        "bins": (5, 32, 128),
    }
    figures: dict[str, Any] = {"base": base, "features": 1024, "concepts": 100}
    for axis, points in values.items():
        taken = [_seconds(folder, base | {axis: x}, options) for x in points]
        slope = np.polyfit(np.log(points), np.log([cpu for _, cpu in taken]), 1)[0]
        figures[axis] = {
            "points": list(points),
            "seconds": [wall for wall, _ in taken],
            "processor_seconds": [cpu for _, cpu in taken],
            "exponent": round(float(slope), 2),
        }
    return figures


def _seconds(folder: Path, sizes: dict[str, int], options: Any) -> tuple[float, float]:
    """Time counting three times; medians on the clock and of processor time."""
    place = folder / f"{sizes['residues']}-{sizes['k']}"
    if not place.exists():
        write_store(place, residues=sizes["residues"], d_sae=1024, k=sizes["k"], seed=options.seed)
    store, layers = FeatureStore.open(place), sizes["concepts_a_residue"]
    columns = StoreColumns(store)
    labels = lay_layers(store, concepts=100, layers=layers, seed=options.seed)
    everything = np.ones(labels.residues, dtype=bool)
    edges = bin_edges(columns, everything, np.arange(sizes["bins"]) / sizes["bins"])
    wall, cpu = list[float](), list[float]()
    for _ in range(3):
        started, used = time.perf_counter(), time.process_time()
        for _counts in count(columns, labels, edges, fold=FOLD):
            pass
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
    return round(median(wall), 3), round(median(cpu), 3)


def draw(figures: dict[str, Any]) -> None:
    """Draw the cost into the folder of the documentation."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, 4, figsize=(12, 3), sharey=True)
    for panel, (axis, label) in zip(panels, AXES.items(), strict=True):
        found = figures[axis]
        panel.loglog(found["points"], found["processor_seconds"], "o-", base=2)
        panel.set_xlabel(label)
        panel.set_title(f"exponent {found['exponent']}", fontsize=9)
    panels[0].set_ylabel("seconds of processor")
    figure.tight_layout()
    CHART.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(CHART, dpi=120)


if __name__ == "__main__":
    main()
