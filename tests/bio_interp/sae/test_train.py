import csv
import logging
import signal

import pytest
import torch
from scipy.optimize import linear_sum_assignment

from bio_interp.errors import InputError, MismatchError
from bio_interp.sae import TrainConfig, train


def test_planted_directions_are_recovered(sae, planted) -> None:
    cosine = (sae.W_dec @ planted.directions.T).numpy()
    rows, columns = linear_sum_assignment(-cosine)
    assert cosine[rows, columns].mean() > 0.8
    assert sae.fvu(planted.rows[:5000]) < 0.35


def test_features_on_in_a_row_average_k(trained, planted) -> None:
    codes = trained["batchtopk"][0].encode(planted.rows)
    assert codes.values.shape[0] / len(codes) == pytest.approx(3, rel=0.1)
    assert trained["topk"][0].encode(planted.rows).indptr.diff().max() <= 3


def test_the_log_has_every_metric_and_checkpoints_are_gone(trained) -> None:
    _, folder = trained["batchtopk"]
    with (folder / "logs" / "version_0" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [49, 99, 149, 199, 249, 299, 349]
    wanted = {"loss", "fvu", "auxk", "l0", "dead", "penalty", "lr", "rows_per_second"}
    assert wanted <= rows[0].keys()
    assert float(rows[-1]["fvu"]) < float(rows[0]["fvu"])
    assert list(folder.rglob("*.ckpt")) == []


ROWS = torch.randn(700, 8, generator=torch.Generator().manual_seed(5)) @ torch.diag(
    torch.arange(1.0, 9.0)
)


def _source(epoch: int):
    order = torch.randperm(700, generator=torch.Generator().manual_seed(epoch))
    return iter(ROWS[order].split(90))


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


def _same(one, other) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return one.config == other.config and all(torch.equal(a[name], b[name]) for name in a)


def test_ctrl_c_is_passed_on_and_the_next_one_is_heard(tmp_path) -> None:
    handler = signal.getsignal(signal.SIGINT)

    def interrupt(step: int, metrics) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(_source, _config(), folder=tmp_path, on_step=interrupt)
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_finished_run_is_only_loaded(tmp_path) -> None:
    first = train(_source, _config(total_rows=640), folder=tmp_path)

    def unread(epoch: int):
        raise AssertionError

    assert _same(first, train(unread, _config(total_rows=640), folder=tmp_path))


def test_other_settings_in_the_same_folder_are_refused_by_name(tmp_path) -> None:
    train(_source, _config(total_rows=640), folder=tmp_path)
    with pytest.raises(MismatchError, match="k: 2 there, 3 here"):
        train(_source, _config(total_rows=640, k=3), folder=tmp_path)


def test_a_start_that_failed_does_not_claim_the_folder(tmp_path) -> None:
    with pytest.raises(InputError, match="at least one row"):
        train([], _config(k=3), folder=tmp_path)
    train(_source, _config(total_rows=640), folder=tmp_path)


def test_nan_in_the_middle_of_the_stream_stops_with_an_error(tmp_path) -> None:
    bad = ROWS.clone()
    bad[500, 3] = float("nan")
    with pytest.raises(InputError, match="finite"):
        train([bad[:400], bad[400:]], _config(), folder=tmp_path)


def test_gamma_is_logged_before_training_with_advice(tmp_path, caplog) -> None:
    with caplog.at_level(logging.INFO, logger="bio_interp.sae"):
        train([ROWS + 100.0], _config(total_rows=640), folder=tmp_path)
    assert "gamma = " in caplog.text
    assert "features would die" in caplog.text


def test_a_half_written_settings_file_is_an_input_error(tmp_path) -> None:
    (tmp_path / "train.json").write_text('{"config": ')
    with pytest.raises(InputError, match=r"train\.json"):
        train(_source, _config(), folder=tmp_path)


def test_the_learning_rate_rises_stays_and_falls_to_zero() -> None:
    config = _config(total_rows=64_000, warmup_steps=10)  # 1,000 steps
    factors = [config.lr_factor(step) for step in range(config.steps + 1)]
    assert factors[0] == pytest.approx(1 / 11)
    assert factors[10:801] == [1.0] * 791
    assert factors[900] == pytest.approx(0.5)
    assert factors[1000] == 0.0


def test_the_default_learning_rate_scales_with_the_root_of_the_width() -> None:
    assert _config(d_sae=2**14).peak_lr == pytest.approx(2e-4)
    assert _config(d_sae=2**12).peak_lr == pytest.approx(4e-4)
    assert _config(lr=0.1).peak_lr == 0.1


def test_fewer_rows_than_a_batch_are_refused() -> None:
    with pytest.raises(InputError, match="at least one batch"):
        _config(total_rows=63)


def test_a_ratio_of_norms_without_end_keeps_all_rows() -> None:
    assert _config(max_norm_ratio=float("inf")).max_norm_ratio is None
    with pytest.raises(InputError, match="above 1"):
        _config(max_norm_ratio=0.5)
