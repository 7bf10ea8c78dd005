import json
import subprocess
import sys
import tempfile
from pathlib import Path

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.sparse import csr_matrix

from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.features import FeatureStore, _shards

D_SAE = 5
VALUES = st.one_of(st.just(0.0), st.floats(-100, 100, width=16), st.floats(0.125, 60000, width=16))
CODES = arrays.arrays(np.float32, st.tuples(st.integers(1, 6), st.just(D_SAE)), elements=VALUES)
PROTEINS = st.lists(CODES, max_size=7)


def new_store(folder: Path, **changes) -> FeatureStore:
    return FeatureStore.create(folder, **{"d_sae": D_SAE, "settings": {"sae": "toy"}} | changes)


def fill(store: FeatureStore, proteins: list[np.ndarray], **limits: int) -> None:
    with store.writer(**limits) as writer:
        for index, dense in enumerate(proteins):
            if f"P{index}" not in store.done():
                writer.add(f"P{index}", csr_matrix(dense))


def holds(store: FeatureStore, proteins: list[np.ndarray]) -> bool:
    return store.accessions == [f"P{i}" for i in range(len(proteins))] and all(
        np.array_equal(store.protein(f"P{i}").toarray(), dense) for i, dense in enumerate(proteins)
    )


@settings(max_examples=25, deadline=None)
@given(PROTEINS, st.integers(1, 4), st.integers(1, 30))
def test_a_store_gives_back_the_codes_for_any_shard_size(proteins, per_shard, nonzeros):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "store"
        fill(new_store(folder), proteins, shard_proteins=per_shard, shard_nonzeros=nonzeros)
        store = FeatureStore.open(folder)
        assert holds(store, proteins)
        assert len(store) == len(proteins)
        assert store.lengths.tolist() == [len(dense) for dense in proteins]
        assert len(store.entries) >= len(proteins) / per_shard


@settings(max_examples=25, deadline=None)
@given(PROTEINS, st.integers(1, 4))
def test_a_feature_is_the_column_of_all_proteins(proteins, per_shard):
    with tempfile.TemporaryDirectory() as name:
        store = new_store(Path(name))
        fill(store, proteins, shard_proteins=per_shard)
        columns = np.concatenate([np.zeros((0, D_SAE), np.float32), *proteins])
        for feature in range(D_SAE):
            expected = [
                (p, i + 1, value)
                for p, dense in enumerate(proteins)
                for i, value in enumerate(dense[:, feature].tolist())
                if value
            ]
            hits = store.feature(feature)
            assert list(zip(hits.proteins, hits.positions, hits.values, strict=True)) == expected
            assert store.firing_counts()[feature] == len(hits) == len(expected)
            assert store.maxima()[feature] == max(0, columns[:, feature].max(initial=0))


@settings(max_examples=25, deadline=None)
@given(PROTEINS, st.integers(1, 3), st.integers(0, 40), st.integers(1, 3))
def test_a_store_that_was_stopped_is_readable_and_takes_the_rest(proteins, size, at, later):
    calls = 0

    def stopping(path, real=_shards.atomic_path):
        nonlocal calls
        calls += 1
        if calls > at:
            raise KeyboardInterrupt
        return real(path)

    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        patch.setattr(_shards, "atomic_path", stopping)
        try:
            fill(new_store(folder), proteins, shard_proteins=size)
        except KeyboardInterrupt:
            patch.undo()
        stopped = FeatureStore.open(folder)
        assert holds(stopped, proteins[: len(stopped)])
        patch.undo()
        fill(new_store(folder), proteins, shard_proteins=later)
        assert holds(FeatureStore.open(folder), proteins)


KILLED = """
import os, signal, sys
from pathlib import Path
from scipy.sparse import csr_matrix
from bio_interp.features import FeatureStore, _shards
real, calls = _shards.atomic_path, 0
def killing(path):
    global calls
    calls += 1
    if calls == 12:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(path)
_shards.atomic_path = killing
store = FeatureStore.create(Path(sys.argv[1]), d_sae=5, settings={"sae": "toy"})
with store.writer(shard_proteins=2) as writer:
    for index in range(6):
        writer.add(f"P{index}", csr_matrix([[0, 0, index + 1.0, 0, 0]]))
"""


def test_a_killed_writer_loses_only_its_unfinished_shard(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -9
    assert (tmp_path / "shard-00001").is_dir()
    assert FeatureStore.open(tmp_path).accessions == ["P0", "P1"]
    proteins = [np.array([[0, 0, index + 1.0, 0, 0]], np.float32) for index in range(6)]
    fill(new_store(tmp_path), proteins, shard_proteins=3)
    assert holds(FeatureStore.open(tmp_path), proteins)
    assert not [path for path in tmp_path.rglob(".*")]


def test_an_error_in_the_block_keeps_the_proteins_added_before_it(tmp_path):
    store = new_store(tmp_path)
    proteins = [np.eye(D_SAE), np.eye(D_SAE + 1)]
    with pytest.raises(MismatchError):
        fill(store, proteins)
    assert FeatureStore.open(tmp_path).done() == {"P0"}


def test_other_settings_are_refused_and_named(tmp_path):
    new_store(tmp_path, settings={"sae": "toy", "site": "layer.1"})
    with pytest.raises(MismatchError, match=r"sae: 'toy' there, 'other' now; site: 'layer.1'"):
        new_store(tmp_path, settings={"sae": "other"})
    with pytest.raises(MismatchError, match="d_sae: 5 there, 6 now"):
        new_store(tmp_path, d_sae=6, settings={"sae": "toy", "site": "layer.1"})
    with pytest.raises(MismatchError, match="dtype"):
        new_store(tmp_path, dtype="float32", settings={"sae": "toy", "site": "layer.1"})


def test_a_second_writer_is_noticed_and_does_no_harm(tmp_path):
    first, second = new_store(tmp_path), new_store(tmp_path)
    with second.writer() as writer:
        writer.add("P0", csr_matrix(np.eye(D_SAE)))
    with pytest.raises(MismatchError, match="only one process"), first.writer() as writer:
        writer.add("P1", csr_matrix(np.eye(D_SAE)))
    assert FeatureStore.open(tmp_path).accessions == ["P0"]


def test_a_protein_comes_once(tmp_path):
    store = new_store(tmp_path)
    fill(store, [np.eye(D_SAE)])
    with store.writer() as writer:
        with pytest.raises(MismatchError, match="'P0' a second time"):
            writer.add("P0", csr_matrix(np.eye(D_SAE)))
        writer.add("P1", csr_matrix(np.eye(D_SAE)))
        with pytest.raises(MismatchError, match="'P1' a second time"):
            writer.add("P1", csr_matrix(np.eye(D_SAE)))


def test_codes_that_do_not_fit_are_refused(tmp_path):
    with new_store(tmp_path / "a").writer() as writer:
        with pytest.raises(MismatchError, match="3 features for 'P0'"):
            writer.add("P0", csr_matrix(np.eye(3)))
        for value in (70000.0, np.inf, np.nan):
            with pytest.raises(MismatchError, match="at most 65504"):
                writer.add("P0", csr_matrix([[0, value, 0, 0, 1.0]]))
        twice = csr_matrix((np.ones(2), np.array([1, 1]), np.array([0, 2])), shape=(1, D_SAE))
        with pytest.raises(MismatchError, match="twice in one row"):
            writer.add("P0", twice)
    large = new_store(tmp_path / "b", dtype="float32")
    fill(large, [np.array([[0, 70000.0, 0, 0, 1.0]], np.float32)])
    assert large.protein("P0")[0, 1] == 70000


def test_a_code_too_small_for_float16_still_fires(tmp_path):
    store = new_store(tmp_path)
    fill(store, [np.array([[1e-12, -1e-12, 0, 0, 0]], np.float32)])
    assert np.sign(store.protein("P0").toarray()).tolist() == [[1, -1, 0, 0, 0]]
    assert store.firing_counts().tolist() == [1, 1, 0, 0, 0]


@settings(max_examples=25, deadline=None)
@given(PROTEINS, st.integers(1, 5), st.sampled_from(["float16", "float32"]), st.data())
def test_bins_hold_equally_many_of_a_features_positive_activations(proteins, n_bins, dtype, data):
    mask = data.draw(st.lists(st.booleans(), min_size=len(proteins), max_size=len(proteins)))
    with tempfile.TemporaryDirectory() as name:
        store = new_store(Path(name), dtype=dtype)
        fill(store, proteins, shard_proteins=2)
        for used in (None, np.array(mask, dtype=bool)):
            edges = store.bin_edges(n_bins, proteins=used)
            kept = [d for d, on in zip(proteins, mask, strict=True) if used is None or on]
            rows = np.concatenate([np.zeros((0, D_SAE), np.float32), *kept])
            for feature in range(D_SAE):
                positive = np.sort(rows[:, feature][rows[:, feature] > 0])
                if not len(positive):
                    assert np.isposinf(edges[feature]).all()
                    continue
                expected = [positive[len(positive) * b // n_bins] for b in range(n_bins)]
                assert edges[feature].tolist() == expected


def test_a_mask_of_another_length_is_refused(tmp_path):
    store = new_store(tmp_path)
    fill(store, [np.eye(D_SAE), np.eye(D_SAE)])
    with pytest.raises(MismatchError, match="2 proteins"):
        store.bin_edges(proteins=np.ones(3, dtype=bool))


def test_shards_give_rows_proteins_and_entries(tmp_path):
    store = new_store(tmp_path)
    proteins = [np.diag([1.0, 2, 3, 4, 5])[:n].astype(np.float32) for n in (2, 5, 3)]
    fill(store, proteins, shard_proteins=2)
    first, second = store.shards()
    assert (first.first_protein, second.first_protein) == (0, 2)
    assert first.offsets.tolist() == [0, 2, 7]
    assert first.indptr.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert first.features.dtype == np.uint16
    assert first.features.tolist() == [0, 1, 0, 1, 2, 3, 4]
    assert second.accessions == ["P2"]
    assert second.values.tolist() == [1, 2, 3]


def test_more_than_65536_features_are_numbered_rightly(tmp_path):
    store = new_store(tmp_path, d_sae=70_000)
    with store.writer() as writer:
        writer.add("P0", csr_matrix(([2.5], ([0], [69_999])), shape=(1, 70_000)))
    assert store.feature(69_999).values.tolist() == [2.5]
    assert store.protein("P0")[0, 69_999] == 2.5


def test_few_shards_are_open_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("bio_interp.features._store._OPEN_SHARDS", 2)
    store = new_store(tmp_path)
    proteins = [np.full((1, D_SAE), i + 1, np.float32) for i in range(6)]
    fill(store, proteins, shard_proteins=1)
    assert holds(store, proteins)
    assert store.feature(3).values.tolist() == [1, 2, 3, 4, 5, 6]
    assert len(store._open_shards) == 2


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(NotFoundError, match=r"no manifest\.json"):
        FeatureStore.open(tmp_path)
    store = new_store(tmp_path)
    with pytest.raises(NotFoundError, match="'P9'"):
        store.protein("P9")
    with pytest.raises(NotFoundError, match="from 0 to 4; got 5"):
        store.feature(5)


def test_damage_is_told_and_not_read(tmp_path):
    store = new_store(tmp_path)
    fill(store, [np.eye(D_SAE)])
    path = tmp_path / "shard-00000" / "values.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-2])
    with pytest.raises(InputError, match=r"values\.npy"):
        FeatureStore.open(tmp_path).protein("P0")
    np.save(path, np.ones(3))
    with pytest.raises(InputError, match=r"an array of shape \(3,\), not \(5,\)"):
        FeatureStore.open(tmp_path).protein("P0")
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"schema": 99}))
    with pytest.raises(InputError, match="schema 99"):
        FeatureStore.open(tmp_path)
    manifest.write_text("{")
    with pytest.raises(InputError, match="damaged"):
        FeatureStore.open(tmp_path)
