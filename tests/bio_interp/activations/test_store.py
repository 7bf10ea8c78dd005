import numpy as np
import pytest
import torch

from bio_interp.activations import ActivationStore
from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.models import ModelInfo, Reading
from bio_interp.sequences import Protein

PROTEINS = [Protein(f"P{i}", "MKVLA"[: 1 + i % 5] * 2) for i in range(11)]
BY_NAME = {p.accession: p for p in PROTEINS}
SETTINGS = {"model": "toy", "site": "layer.0"}


class Letters:
    """A model whose row is the letter and the place in the protein; counts what it reads."""

    info = ModelInfo("toy", {"layer.0": 2}, "0" * 64, "CC0", "", "masked")

    def __init__(self, scale=1.0):
        self.read, self.scale = [], scale

    def activations(self, sequences, sites, *, edits=None):
        for i, sequence in enumerate(sequences):
            self.read.append(sequence)
            rows = [[ord(c) * self.scale, j] for j, c in enumerate(sequence)]
            yield Reading(i, {"layer.0": torch.tensor(rows).float()})


def create(folder, **changes):
    given = {"proteins": PROTEINS, "d_model": 2, "settings": SETTINGS, "block_proteins": 4}
    return ActivationStore.create(folder, **{**given, **changes})


def content(store):
    return {name: rows.tolist() for name, rows in store.proteins(BY_NAME)}


def test_every_protein_comes_back_with_a_row_a_residue_in_order(tmp_path):
    store = create(tmp_path)
    store.harvest(Letters(), "layer.0", BY_NAME)
    assert list(content(store)) == [p.accession for p in PROTEINS]
    assert content(store)["P2"] == [[ord(c), j] for j, c in enumerate("MKVMKV")]
    assert [name for name, _ in store.proteins({"P9", "P1"})] == ["P1", "P9"]


def test_only_missing_blocks_are_read_again(tmp_path):
    store = create(tmp_path)
    store.harvest(Letters(), "layer.0", BY_NAME)
    before = content(store)
    (tmp_path / "00001.npy").unlink()
    model = Letters()
    again = create(tmp_path)
    again.harvest(model, "layer.0", BY_NAME)
    assert model.read == [p.sequence for p in PROTEINS[4:8]]
    assert content(again) == before


def test_shards_share_the_blocks_out_and_make_the_same_files(tmp_path):
    whole = create(tmp_path / "whole")
    whole.harvest(Letters(), "layer.0", BY_NAME)
    parts = create(tmp_path / "parts")
    for i in (3, 1, 2):
        assert parts.missing()
        parts.harvest(Letters(), "layer.0", BY_NAME, shard=(i, 3))
    for path in sorted((tmp_path / "whole").iterdir()):
        assert path.read_bytes() == (tmp_path / "parts" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"settings": {**SETTINGS, "site": "layer.1"}}, "site: 'layer.0' there, 'layer.1' now"),
        ({"d_model": 3}, "d_model: 2 there, 3 now"),
        ({"proteins": PROTEINS[::-1]}, "other proteins"),
    ],
)
def test_another_setting_is_refused_by_name(tmp_path, changes, words):
    create(tmp_path)
    with pytest.raises(MismatchError, match=words):
        create(tmp_path, **changes)


def test_an_unfinished_store_says_how_much_is_missing(tmp_path):
    store = create(tmp_path)
    store.harvest(Letters(), "layer.0", BY_NAME, shard=(1, 2))
    with pytest.raises(NotFoundError, match="1 not there yet"):
        content(store)


def test_a_folder_without_a_store_is_named(tmp_path):
    with pytest.raises(NotFoundError, match=r"manifest\.json"):
        ActivationStore.open(tmp_path)


def test_a_damaged_block_is_named_and_not_unpickled(tmp_path):
    store = create(tmp_path)
    store.harvest(Letters(), "layer.0", BY_NAME)
    np.save(tmp_path / "00000.npy", np.array([{}], dtype=object))
    with pytest.raises(InputError, match=r"00000\.npy"):
        content(store)


def test_an_activation_beyond_float16_is_refused(tmp_path):
    with pytest.raises(MismatchError, match=r"65,504.*P0"):
        create(tmp_path).harvest(Letters(scale=1e4), "layer.0", BY_NAME)
    assert len(ActivationStore.open(tmp_path).missing()) == 3
