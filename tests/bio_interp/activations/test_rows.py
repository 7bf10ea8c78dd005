from collections.abc import Iterable, Iterator, Sequence

import pytest
import torch

from bio_interp.activations import outlier_severity, read_rows, read_sites, shuffled_rows
from bio_interp.errors import NotFoundError
from bio_interp.models import ModelInfo, Reading


class _OneHot:
    """A model whose activations are the residues themselves."""

    info = ModelInfo("onehot", {"layer.0": 26, "layer.1": 26}, "0" * 64, "CC0", "none", "masked")

    def activations(
        self, sequences: Iterable[str], sites: Sequence[str], *, edits: object = None
    ) -> Iterator[Reading]:
        for index, sequence in enumerate(sequences):
            letters = torch.tensor([ord(letter) - ord("A") for letter in sequence])
            rows = torch.nn.functional.one_hot(letters, 26).float()
            yield Reading(index, dict.fromkeys(sites, rows))

    def logits(self, sequences: Iterable[str], **_: object) -> Iterator[torch.Tensor]:
        raise NotImplementedError


def test_rows_come_protein_by_protein_with_one_row_a_residue() -> None:
    rows = list(read_rows(_OneHot(), ["MKV", "A"], "layer.1"))
    assert [reading.argmax(1).tolist() for reading in rows] == [[12, 10, 21], [0]]


def test_nothing_is_read_before_it_is_asked_for() -> None:
    def sequences() -> Iterator[str]:
        yield "MKV"
        raise AssertionError

    rows = read_rows(_OneHot(), sequences(), "layer.0")
    assert next(rows).shape == (3, 26)


def test_an_unknown_site_is_refused_at_once_with_those_known() -> None:
    with pytest.raises(NotFoundError, match=r"layer\.0, layer\.1"):
        read_rows(_OneHot(), [], "layer.9")


def test_readings_flow_through_the_shuffle_buffer() -> None:
    rows = read_rows(_OneHot(), ["MKVMKV"] * 30, "layer.1")
    batches = list(shuffled_rows(rows, buffer_rows=50, batch_rows=40, seed=0))
    assert torch.cat(batches).sum(0)[[12, 10, 21]].tolist() == [60.0, 60.0, 60.0]
    assert outlier_severity(batches[0]) > 0


def test_several_sites_are_read_in_one_pass_and_train_several_saes(tmp_path) -> None:
    from bio_interp.sae import SaeRun, TrainConfig, train_many

    passes = 0

    def epoch(number: int):
        nonlocal passes
        passes += 1
        rows = read_sites(_OneHot(), ["MKVAGT", "GGA"] * 40, ["layer.0", "layer.1"])
        return shuffled_rows(rows, buffer_rows=50, batch_rows=40, seed=number)

    config = TrainConfig(d_sae=8, k=1, total_rows=640, batch_rows=32, norm_rows=64)
    runs = {site: SaeRun(config, read=(site,)) for site in ("layer.0", "layer.1")}
    saes = train_many(epoch, runs, folder=tmp_path)
    assert passes == 2  # 360 residues an epoch
    assert torch.equal(saes["layer.0"].W_dec, saes["layer.1"].W_dec)  # the model's sites are alike


def test_one_unknown_site_among_several_is_refused_at_once() -> None:
    with pytest.raises(NotFoundError, match=r"layer\.9"):
        read_sites(_OneHot(), [], ["layer.0", "layer.9"])
