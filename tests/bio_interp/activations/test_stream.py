from random import Random
from types import SimpleNamespace

import pytest
import torch

from bio_interp import load_model
from bio_interp.activations import ModelRows
from bio_interp.errors import InputError, NotFoundError

SITES = ["layer.1", "layer.3"]


def sequences(count):
    rng = Random(0)
    return [
        "".join(rng.choices("ACDEFGHIKLMNPQRSTVWY", k=rng.randint(8, 30))) for _ in range(count)
    ]


class Counting:
    """The reference model, that counts what it reads."""

    def __init__(self):
        self.model, self.read = load_model("reference"), 0
        self.info = self.model.info

    def activations(self, given, sites):
        given = list(given)
        self.read += len(given)
        return self.model.activations(given, sites)


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    return Counting()


def whole(source, epoch, row=0):
    parts = list(source.start(epoch, row))
    return {site: torch.cat([part[site] for part in parts]) for site in parts[0]}


def test_every_row_comes_once_an_epoch_and_sites_stay_together(model):
    given = sequences(20)
    source = ModelRows(model, SITES, given, buffer_rows=100)
    found = whole(source, 0)
    read = [reading.rows for reading in model.model.activations(given, SITES)]
    expected = {site: torch.cat([r[site] for r in read]).half().float() for site in SITES}
    assert found["layer.1"].shape[0] == source.rows == sum(map(len, given))
    # the row of layer.1 tells which residue it is, up to the batch that it was read in
    which = torch.cdist(found["layer.1"], expected["layer.1"]).argmin(1)
    assert sorted(which.tolist()) == list(range(source.rows))
    assert torch.allclose(found["layer.3"], expected["layer.3"][which], atol=2e-2)
    assert not torch.equal(which, torch.arange(source.rows))


def test_an_epoch_alone_decides_the_order(model):
    source = ModelRows(model, SITES, sequences(20), buffer_rows=100)
    first, again, second = whole(source, 0), whole(source, 0), whole(source, 1)
    assert torch.equal(first["layer.1"], again["layer.1"])
    assert not torch.equal(first["layer.1"], second["layer.1"])


@pytest.mark.parametrize("row", [1, 700, 2500, 5000])
def test_a_late_start_gives_the_same_rows_and_reads_fewer_proteins(model, row, monkeypatch):
    monkeypatch.setattr("bio_interp.activations._stream._BLOCK_PROTEINS", 4)
    source = ModelRows(model, SITES, sequences(300), buffer_rows=200)
    expected = whole(source, 3)
    model.read = 0
    found = whole(source, 3, row)
    for site in SITES:
        assert torch.equal(found[site], expected[site][row:])
    assert model.read <= 300 - row / 30 + 60


def test_the_memory_is_known_before_anything_is_read(model):
    model.read = 0
    source = ModelRows(model, SITES, sequences(20), buffer_rows=100)
    assert source.buffer_bytes == 100 * 320 * 2
    assert ModelRows(model, SITES, ["MKV"], buffer_rows=10**9).buffer_bytes == 3 * 320 * 2
    assert model.read == 0


def test_unknown_sites_and_no_proteins_are_refused(model):
    with pytest.raises(NotFoundError, match=r"layer\.99"):
        ModelRows(model, ["layer.99"], ["MKV"], buffer_rows=10)
    with pytest.raises(InputError, match="none"):
        ModelRows(model, SITES, [], buffer_rows=10)


def test_a_model_that_loses_a_residue_is_found_out():
    class Losing:
        info = SimpleNamespace(name="losing", sites={"layer.1": 2})

        def activations(self, given, sites):
            yield SimpleNamespace(rows={"layer.1": torch.zeros(2, 2)})

    source = ModelRows(Losing(), ["layer.1"], ["MKV"], buffer_rows=10)
    with pytest.raises(Exception, match="one a residue"):
        list(source.start(0, 0))
