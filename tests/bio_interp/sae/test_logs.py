import csv
import logging
from pathlib import Path

import pytest
import torch

from bio_interp.sae import SparseAutoencoder, TrainConfig, train
from bio_interp.sae import _logs as module
from bio_interp.sae._logs import density_metrics, log_density

ROWS = torch.randn(900, 8, generator=torch.Generator().manual_seed(5)) @ torch.diag(
    torch.arange(1.0, 9.0)
)


def _config(**fields) -> TrainConfig:
    settings = {"d_sae": 16, "k": 2, "total_rows": 3200, "batch_rows": 64, "norm_rows": 256}
    return TrainConfig(**{**settings, "log_every": 5, "lr": 1e-2, **fields})


def _log(folder: Path) -> list[dict[str, float]]:
    with (folder / "logs" / "version_0" / "metrics.csv").open() as file:
        return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]


def test_density_counts_a_feature_that_never_was_on_as_half_a_row() -> None:
    density = log_density(torch.tensor([0, 1, 10, 100]), 100)
    assert density.tolist() == pytest.approx([-2.30103, -2.0, -1.0, 0.0], abs=1e-5)


def test_density_quantiles_are_over_features() -> None:
    density = torch.arange(101.0).flip(0)
    assert density_metrics(density) == {
        "density_p10": 10.0,
        "density_p50": 50.0,
        "density_p90": 90.0,
    }


def test_logged_densities_average_k_over_all_features(tmp_path) -> None:
    seen = []
    train(
        ROWS,
        _config(d_sae=8, k=8, architecture="relu", sparsity=0.0),
        folder=tmp_path,
        on_step=lambda step, metrics: seen.append(metrics),
    )
    for metrics in seen:
        low, high = 8 * 10 ** metrics["density_p10"], 8 * 10 ** metrics["density_p90"]
        assert low * 0.8 <= metrics["l0"] <= high * 1.2


def test_the_parts_of_the_loss_add_up_and_the_gradient_is_logged(tmp_path) -> None:
    train(ROWS, _config(architecture="jumprelu", dead_after_rows=64), folder=tmp_path)
    rows = _log(tmp_path)
    assert len(rows) == 10
    assert any(row["auxk"] > 0 for row in rows)
    for row in rows:
        parts = row["reconstruction"] + row["penalty"] + row["auxk"] / 32
        assert row["loss"] == pytest.approx(parts, rel=1e-4)
        assert row["grad_norm"] > 0
        assert row["epoch"] == (64 * (row["step"] + 1) - 1) // 900


def test_validation_is_of_the_sae_as_it_ships(tmp_path) -> None:
    held_out = torch.randn(300, 8) @ torch.diag(torch.arange(1.0, 9.0))
    sae = train(ROWS, _config(validate_every=20), folder=tmp_path, validation=held_out)
    validated = [row for row in _log(tmp_path) if "val_fvu" in row]
    assert [row["step"] for row in validated] == [19, 39, 49]  # the last step has one too
    assert validated[-1]["val_fvu"] == pytest.approx(sae.fvu(held_out), rel=1e-5)
    assert validated[-1]["val_l0"] == len(sae.encode(held_out).values) / 300


def test_validation_changes_nothing(tmp_path) -> None:
    plain = train(ROWS, _config(), folder=tmp_path / "plain")
    watched = train(
        ROWS, _config(validate_every=7), folder=tmp_path / "watched", validation=[ROWS[:50]]
    )
    assert all(torch.equal(t, watched.tensors()[name]) for name, t in plain.tensors().items())


def test_a_transcoder_is_validated_on_what_it_writes(tmp_path) -> None:
    pairs = [(ROWS, ROWS[:, :3] * 2)]
    sae = train(pairs, _config(), folder=tmp_path, validation=pairs)
    expected = sae.fvu(*pairs[0])
    assert _log(tmp_path)[-1]["val_fvu"] == pytest.approx(expected, rel=1e-5)


def test_without_tensorboard_the_logs_are_csv_which_is_said_once(
    tmp_path, caplog, monkeypatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    module._has_tensorboard.cache_clear()
    with caplog.at_level(logging.INFO, logger="bio_interp.sae"):
        for name in ("one", "two"):
            train(ROWS, _config(total_rows=640), folder=tmp_path / name)
    module._has_tensorboard.cache_clear()
    assert caplog.text.count("bio-interp[tensorboard]") == 1
    files = [p.name for p in (tmp_path / "one" / "logs" / "version_0").iterdir()]
    assert files == ["metrics.csv"]


def test_with_tensorboard_the_scalars_and_the_histogram_are_its_too(tmp_path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(ROWS, _config(), folder=tmp_path, validation=ROWS)
    events = EventAccumulator(str(tmp_path / "logs" / "version_0"))
    events.Reload()
    tags = events.Tags()
    assert tags["histograms"] == ["density"]
    assert {"fvu", "val_fvu", "density_p50", "grad_norm"} <= set(tags["scalars"])


def test_the_bar_counts_steps_on_stderr(tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    train(ROWS, _config(), folder=tmp_path)
    shown = capfd.readouterr()
    assert "/50 [" in shown.err
    assert "fvu=" in shown.err
    assert shown.out == ""
    assert isinstance(SparseAutoencoder.load(tmp_path), SparseAutoencoder)
