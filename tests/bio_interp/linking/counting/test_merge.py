"""Parts that several processes count add up to the whole, to the last bit."""

import json
import os
import subprocess
import sys
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from bio_interp.errors import MismatchError, NotFoundError
from bio_interp.features import FeatureStore
from bio_interp.linking.counting import StoreColumns, bin_edges, count, save_counts, saved_counts


@pytest.fixture
def counted(world):
    columns, labels = world(2, d_sae=11)
    inside = labels.residue_mask(labels.proteins_of("select"))
    edges = bin_edges(columns, inside, np.arange(6) / 6)
    return partial(count, columns, labels, edges, fold="select")


def same(counts, others):
    pairs = list(zip(counts, others, strict=True))
    assert pairs
    for (features, block), (again, other) in pairs:
        assert features == again
        for name, tensor in vars(block).items():
            assert torch.equal(tensor, vars(other)[name]), name


def test_saved_parts_add_up(counted, tmp_path):
    folders = [tmp_path / str(i) for i in range(3)]
    for i, folder in enumerate(folders, 1):
        save_counts(counted(part=(i, 3)), folder)
    same(counted(), saved_counts(folders))


def test_a_part_that_was_not_finished_is_named(counted, tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    save_counts(counted(part=(1, 2)), folders[0])
    with pytest.raises(NotFoundError, match="b"):
        list(saved_counts(folders))


def test_parts_of_other_features_are_refused(counted, tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        save_counts(counted(), folder)
    (folders[1] / "counts.json").write_text(json.dumps({"blocks": [[0, 3]]}))
    with pytest.raises(MismatchError, match="other blocks"):
        list(saved_counts(folders))


SCRIPT = """
import sys
from pathlib import Path
import numpy as np, polars as pl, torch.distributed as dist
from bio_interp.features import FeatureStore
from bio_interp.linking import Intervals, Labels
from bio_interp.linking.counting import StoreColumns, all_reduced, count, save_counts

folder = Path(sys.argv[1])
known = np.load(folder / "labels.npz")
spans = {
    name: Intervals(*known[name]) for name in ("positives", "unknowns", "looked")
}
plain = ("offsets", "clusters", "folds", "weights", "coverage_class")
concepts = pl.DataFrame({"level": ["span"] * len(known["coverage_class"])})
labels = Labels(**{n: known[n] for n in plain}, **spans, concepts=concepts)
dist.init_process_group("gloo")
rank, size = dist.get_rank(), dist.get_world_size()
columns = StoreColumns(FeatureStore.open(folder / "codes"))
counts = count(columns, labels, known["edges"], fold="select", part=(rank + 1, size))
save_counts(all_reduced(counts), folder / f"reduced-{rank}")
dist.destroy_process_group()
"""


def test_processes_of_torchrun_reduce_to_the_whole(world, tmp_path):
    dense, labels = world(2, d_sae=11)
    store = FeatureStore.create(tmp_path / "codes", d_sae=11, settings={})
    with store.writer(shard_proteins=5) as writer:
        for i, (start, end) in enumerate(pairwise(labels.offsets)):
            writer.add(f"P{i}", csr_matrix(dense.rows[start:end]))
    columns = StoreColumns(store)
    edges = bin_edges(columns, labels.residue_mask(labels.proteins_of("select")))
    arrays = {n: v for n, v in vars(labels).items() if n != "concepts"}
    for name in ("positives", "unknowns", "looked"):
        spans = arrays[name]
        arrays[name] = np.array([spans.start, spans.end, spans.label, spans.protein])
    np.savez(tmp_path / "labels.npz", edges=edges, **arrays)
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", str(tmp_path / "script.py"), str(tmp_path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, check=False, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    whole = list(count(columns, labels, edges, fold="select"))
    for rank in range(2):
        same(whole, saved_counts([tmp_path / f"reduced-{rank}"]))
