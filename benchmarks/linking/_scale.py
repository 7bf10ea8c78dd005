"""Count, or count and score, the codes of a store in a process of its own; prints JSON.

``python _scale.py STORE CONCEPTS BINS THREADS count|scan``
"""

import json
import resource
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _synthetic import FOLD, lay_layers

from bio_interp.features import FeatureStore
from bio_interp.linking.counting import StoreColumns, bin_edges, count, scan

LAYERS = 2


def main() -> None:
    """Measure one of the two in this process."""
    folder, concepts, bins, threads = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    torch.set_num_threads(threads)
    store = FeatureStore.open(folder)
    labels = lay_layers(store, concepts=concepts, layers=LAYERS, seed=1)
    watch = Watch()
    columns, started = StoreColumns(store), time.perf_counter()
    edges = bin_edges(columns, np.ones(labels.residues, dtype=bool), np.arange(bins) / bins)
    edged, used = time.perf_counter(), time.process_time()
    if sys.argv[5] == "count":
        for _ in count(columns, labels, edges, fold=FOLD):
            pass
    else:
        scan(columns, labels, edges, fold=FOLD)
    figures = {
        "bin_edges_seconds": round(edged - started, 1),
        "seconds": round(time.perf_counter() - edged, 1),
        "processor_seconds": round(time.process_time() - used, 1),
        **watch.peaks(),
    }
    print(json.dumps(figures))


class Watch:
    """Follows the memory of this process: all of it, and without the pages of mapped files."""

    def __init__(self) -> None:
        self._own, self._done = 0, threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        while not self._done.wait(0.05):
            lines = Path("/proc/self/status").read_text().splitlines()
            kilobytes = next((line.split()[1] for line in lines if line.startswith("RssAnon")), "0")
            self._own = max(self._own, int(kilobytes))

    def peaks(self) -> dict[str, Any]:
        """Give the peaks in MB."""
        self._done.set()
        self._thread.join()
        whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {
            "peak_memory_mb": whole // 1024,
            "peak_without_mapped_files_mb": self._own // 1024,
        }


if __name__ == "__main__":
    main()
