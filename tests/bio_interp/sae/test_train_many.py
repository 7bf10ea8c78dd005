import csv
import logging
import threading

import pytest
import torch

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae import SaeRun, SparseAutoencoder, TrainConfig, train, train_many
from bio_interp.sae._config import ARCHITECTURE_NAMES

GENERATOR = torch.Generator().manual_seed(5)
ROWS = torch.randn(700, 8, generator=GENERATOR) @ torch.diag(torch.arange(1.0, 9.0))
OTHER = torch.randn(700, 5, generator=GENERATOR) + 3.0


def _parts(epoch: int):
    order = torch.randperm(700, generator=torch.Generator().manual_seed(epoch))
    return (
        {"early": one, "late": two, "unused": two[:, :1]}
        for one, two in zip(ROWS[order].split(90), OTHER[order].split(90), strict=True)
    )


def _config(**fields) -> TrainConfig:
    settings = {
        "d_sae": 16,
        "k": 2,
        "total_rows": 3200,
        "batch_rows": 64,
        "dead_after_rows": 500,
        "norm_rows": 256,
        "log_every": 1,
        "checkpoint_every": 7,
    }
    return TrainConfig(**{**settings, **fields})


RUNS = {
    **{name: SaeRun(_config(architecture=name), read=("early",)) for name in ARCHITECTURE_NAMES},
    "wide": SaeRun(_config(d_sae=40, k=3, lr=1e-2, seed=4, prefixes=(5, 9)), read=("late",)),
    "transcoder": SaeRun(_config(), read=("early",), write=("late",)),
}


def _same(one: SparseAutoencoder, other: SparseAutoencoder) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return one.config == other.config and all(torch.equal(a[name], b[name]) for name in a)


class _KilledError(Exception):
    pass


def test_each_of_several_saes_is_the_one_that_is_trained_alone_bit_for_bit(tmp_path) -> None:
    together = train_many(_parts, RUNS, folder=tmp_path / "all")
    for name, run in RUNS.items():

        def alone(epoch: int, taps: tuple[str, ...] = run.read + run.write):
            for part in _parts(epoch):
                found = tuple(part[site] for site in taps)
                yield found if len(found) == 2 else found[0]

        assert _same(together[name], train(alone, run.config, folder=tmp_path / name)), name
        assert _same(together[name], SparseAutoencoder.load(tmp_path / "all" / name))


def test_several_saes_that_were_cut_off_go_on_from_one_checkpoint(tmp_path) -> None:
    whole = train_many(_parts, RUNS, folder=tmp_path / "whole")
    moments = [5, 23, 40]

    def on_step(step: int, metrics) -> None:
        assert metrics.keys() == RUNS.keys()
        if moments and step == moments[0]:
            moments.pop(0)
            raise _KilledError

    for _ in range(3):
        with pytest.raises(_KilledError):
            train_many(_parts, RUNS, folder=tmp_path / "cut", on_step=on_step)
    assert [p.name for p in (tmp_path / "cut").rglob("*.ckpt")] == ["last.ckpt"]
    backwards = dict(reversed(RUNS.items()))
    cut = train_many(_parts, backwards, folder=tmp_path / "cut", on_step=on_step)
    assert all(_same(cut[name], whole[name]) for name in RUNS)
    assert list((tmp_path / "cut").rglob("*.ckpt")) == []


def test_each_run_has_a_folder_with_its_logs_and_knows_its_site(tmp_path) -> None:
    runs = {name: RUNS[name] for name in ("topk", "transcoder")}
    saes = train_many(_parts, runs, folder=tmp_path, provenance={"model": "m"})
    for name in runs:
        with (tmp_path / name / "logs" / "version_0" / "metrics.csv").open() as file:
            assert len(list(csv.DictReader(file))) == 50
    assert saes["topk"].provenance["site"] == "early"
    assert saes["transcoder"].provenance["write_site"] == "late"
    assert saes["transcoder"].provenance["model"] == "m"


def test_a_run_that_is_added_later_is_trained_and_the_others_are_loaded(tmp_path) -> None:
    first = train_many(_parts, {"topk": RUNS["topk"]}, folder=tmp_path)
    steps = []
    both = train_many(
        _parts,
        {"topk": RUNS["topk"], "relu": RUNS["relu"]},
        folder=tmp_path,
        on_step=lambda step, metrics: steps.append(list(metrics)),
    )
    assert _same(first["topk"], both["topk"])
    assert steps == [["relu"]] * 50


def test_a_checkpoint_of_other_runs_is_refused_by_name(tmp_path) -> None:
    def on_step(step: int, metrics) -> None:
        if step == 10:
            raise _KilledError

    with pytest.raises(_KilledError):
        train_many(_parts, {"topk": RUNS["topk"]}, folder=tmp_path, on_step=on_step)
    with pytest.raises(MismatchError, match="topk"):
        train_many(_parts, {"relu": RUNS["relu"]}, folder=tmp_path)


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ({}, "at least one run"),
        ({"../out": RUNS["topk"]}, "folders"),
        ({"logs": RUNS["topk"]}, "folders"),
        ({"..": RUNS["topk"]}, "folders"),
        ({"a": RUNS["topk"], "b": SaeRun(_config(total_rows=640))}, "total_rows"),
        ({"a": SaeRun(_config(), read=("middle",))}, "early, late, unused"),
        ({"a": SaeRun(_config())}, "Set `read`"),
    ],
)
def test_runs_that_cannot_be_trained_together_are_refused(runs, message: str, tmp_path) -> None:
    with pytest.raises(InputError, match=message):
        train_many(_parts, runs, folder=tmp_path)


def test_several_sites_to_read_are_refused_until_there_are_crosscoders() -> None:
    with pytest.raises(InputError, match="crosscoders"):
        SaeRun(_config(), read=("early", "late"))
    with pytest.raises(InputError, match="in a tuple"):
        SaeRun(_config(), read="early")  # type: ignore[arg-type]


def test_parts_that_lose_a_site_are_refused(tmp_path) -> None:
    parts = [{"early": ROWS, "late": OTHER}, {"late": OTHER}]
    with pytest.raises(MismatchError, match="same sites"):
        train_many(parts, {"a": RUNS["topk"]}, folder=tmp_path)


def test_a_tensor_in_memory_trains_for_many_epochs_and_resumes_bit_for_bit(tmp_path) -> None:
    config = _config()
    whole = train(ROWS, config, folder=tmp_path / "whole")

    def on_step(step: int, metrics) -> None:
        if step == 33:
            raise _KilledError

    with pytest.raises(_KilledError):
        train(ROWS, config, folder=tmp_path / "cut", on_step=on_step)
    assert _same(whole, train(ROWS, config, folder=tmp_path / "cut"))
    by_site = train_many({"late": OTHER, "early": ROWS}, {"x": RUNS["topk"]}, folder=tmp_path)
    assert by_site["x"].fvu(ROWS) < 0.95


def test_attention_sinks_are_left_out_counted_and_change_nothing(tmp_path, caplog) -> None:
    sinks = torch.cat([ROWS, ROWS[:30] * 1000.0])
    order = torch.randperm(730, generator=torch.Generator().manual_seed(0))
    mixed = sinks[order]
    clean = mixed[order < 700]
    kept = train([clean], _config(norm_rows=128), folder=tmp_path / "clean")
    found = []
    with caplog.at_level(logging.INFO, logger="bio_interp.sae"):
        sae = train(
            [mixed],
            _config(norm_rows=128, max_norm_ratio=10.0),
            folder=tmp_path / "sinks",
            on_step=lambda step, metrics: found.append(metrics["left_out"]),
        )
    assert "left out for their norm" in caplog.text
    assert 30 * 4 <= found[-1] <= 30 * 5  # 3,200 rows are four epochs and a part
    # all but the rows that the normalisation was measured on are the same
    assert sae.fvu(clean) == pytest.approx(kept.fvu(clean), rel=0.05)
    spoilt = train([mixed], _config(max_norm_ratio=None), folder=tmp_path / "spoilt")
    assert float(spoilt.norm.scale) < float(sae.norm.scale) / 10


def test_without_centring_the_mean_stays_in_the_inputs(tmp_path) -> None:
    sae = train(OTHER, _config(centre=False, total_rows=640), folder=tmp_path)
    assert float(sae.norm.mean.abs().max()) == 0
    scaled = sae.norm.apply_to(OTHER[:256])
    assert float(scaled.square().mean()) == pytest.approx(1.0, rel=0.1)


def test_the_thread_that_reads_ahead_changes_nothing_and_ends_with_the_training(tmp_path) -> None:
    ahead = train(ROWS, _config(), folder=tmp_path / "ahead", prefetch=3)
    alone = train(ROWS, _config(), folder=tmp_path / "alone", prefetch=0)
    assert _same(ahead, alone)

    def on_step(step: int, metrics) -> None:
        raise _KilledError

    with pytest.raises(_KilledError):
        train(ROWS, _config(), folder=tmp_path / "cut", on_step=on_step)
    assert not [t for t in threading.enumerate() if t.name == "prefetch"]


def test_no_row_beyond_the_last_step_is_read(tmp_path) -> None:
    opened = []

    def source(epoch: int):
        opened.append(epoch)
        return iter(ROWS[:640].split(64))

    train(source, _config(total_rows=640), folder=tmp_path)
    assert opened == [0]
