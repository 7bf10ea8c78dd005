"""A run that was stopped at any moment ends, bit for bit, as one that was not."""

import random
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from bio_interp.sae import SaeRun, SparseAutoencoder, TrainConfig, train, train_many
from bio_interp.sae._config import ARCHITECTURE_NAMES

ROWS = torch.randn(700, 8, generator=torch.Generator().manual_seed(5)) @ torch.diag(
    torch.arange(1.0, 9.0)
)
KINDS = [*({"architecture": name} for name in ARCHITECTURE_NAMES), {"prefixes": (4, 9)}]


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


def _source(epoch: int):
    order = torch.randperm(700, generator=torch.Generator().manual_seed(epoch))
    return iter(ROWS[order].split(90))


def _same(one: SparseAutoencoder, other: SparseAutoencoder) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return one.config == other.config and all(torch.equal(a[name], b[name]) for name in a)


class _KilledError(Exception):
    pass


@pytest.mark.parametrize("number", range(len(KINDS)), ids=lambda n: str(KINDS[n]))
def test_a_run_that_fails_at_three_random_steps_ends_as_one_that_did_not(number, tmp_path) -> None:
    config = _config(**KINDS[number])
    whole = train(_source, config, folder=tmp_path / "whole")
    moments = sorted(random.Random(number).sample(range(1, 51), 3))

    def on_step(step: int, metrics) -> None:
        if moments and step == moments[0]:
            del moments[0]
            raise _KilledError

    for _ in range(3):
        with pytest.raises(_KilledError):
            train(_source, config, folder=tmp_path / "cut", on_step=on_step)
    assert _same(whole, train(_source, config, folder=tmp_path / "cut", on_step=on_step))


def test_dead_counters_and_the_place_in_the_rows_survive(tmp_path) -> None:
    def counters(moment: int) -> list[tuple[float, ...]]:
        found = []

        def on_step(step: int, metrics) -> None:
            kept = ("dead", "epoch", "left_out", "density_p50", "l0", "lr", "grad_norm", "auxk")
            found.append((step, *(metrics[key] for key in kept)))
            if step == moment:
                raise _KilledError

        config = _config(dead_after_rows=64, k=1, d_sae=64, max_norm_ratio=1.5)
        folder = tmp_path / ("cut" if moment else "whole")
        if moment:
            with pytest.raises(_KilledError):
                train(_source, config, folder=folder, on_step=on_step)
            moment = 0
        train(_source, config, folder=folder, on_step=on_step)
        return found

    whole, cut = counters(0), counters(33)
    assert cut == whole[:33] + whole[28:]  # the last checkpoint is of step 28
    assert whole[-1][1] > 0  # some are dead
    assert whole[-1][3] > 0  # some rows were left out


SCRIPT = """
    import os, random, signal, sys, threading, torch
    from pathlib import Path
    from bio_interp.sae import SaeRun, TrainConfig, _fit, train_many
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    rows = torch.load(folder / "rows.pt", weights_only=True)
    runs = {str(n): SaeRun(TrainConfig(**kind)) for n, kind in enumerate(eval(sys.argv[2]))}
    save = torch.save

    def half(content, path):
        save(content, path)
        os.truncate(path, os.path.getsize(path) // 2)
        os.kill(os.getpid(), signal.SIGKILL)

    def run(start, after, seconds):
        def on_step(step, metrics):
            if step == after:
                threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()

        torch.save = half if start == 2 else save  # dies in the middle of a checkpoint
        train_many(rows, runs, folder=folder / "run", on_step=on_step)
        os._exit(0)

    draw, kills = random.Random(3), 0
    # some steps after the last checkpoint, and then at any moment of the next ones
    for start, after in enumerate([10, 30, 0, 52, 70, 84, 0, 0]):
        if (child := os.fork()) == 0:
            run(start, after, draw.uniform(0, 0.02))
        draw.random()
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
        kills += 1
    print(kills)
"""


@pytest.mark.slow
def test_runs_killed_with_sigkill_at_random_moments_end_as_ones_that_were_not(
    tmp_path: Path,
) -> None:
    torch.save(ROWS, tmp_path / "rows.pt")
    sizes = {"d_sae": 16, "k": 2, "total_rows": 6400, "batch_rows": 64, "norm_rows": 256}
    kinds = [
        {**sizes, **kind, "log_every": 2, "checkpoint_every": 3} for kind in (KINDS[2], KINDS[-1])
    ]
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), str(tmp_path), repr(kinds)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) >= 4, done.stderr
    runs = {str(n): SaeRun(TrainConfig(**kind)) for n, kind in enumerate(kinds)}
    whole = train_many(ROWS, runs, folder=tmp_path / "whole")
    for name in runs:
        assert _same(whole[name], SparseAutoencoder.load(tmp_path / "run" / name)), name
    assert list((tmp_path / "run").rglob("*.ckpt")) == []


def test_a_kill_after_the_last_file_leaves_no_checkpoint_behind_for_good(
    tmp_path, monkeypatch
) -> None:
    from bio_interp.sae import _pass

    def die(folder: Path) -> None:
        raise _KilledError

    with monkeypatch.context() as patch:
        patch.setattr(_pass, "remove_spent", die)
        with pytest.raises(_KilledError):
            train(_source, _config(), folder=tmp_path)
    assert (tmp_path / "sae.json").is_file()
    assert [p.name for p in tmp_path.rglob("*.ckpt")] == ["last.ckpt"]
    train(_source, _config(), folder=tmp_path)
    assert list(tmp_path.rglob("*.ckpt")) == []


def test_a_checkpoint_is_kept_while_one_of_its_runs_is_not_finished(tmp_path) -> None:
    runs = {"a": SaeRun(_config()), "b": SaeRun(_config(k=3))}

    def on_step(step: int, metrics) -> None:
        if step == 20:
            raise _KilledError

    with pytest.raises(_KilledError):
        train_many(_source, runs, folder=tmp_path, on_step=on_step)
    train(_source, _config(), folder=tmp_path / "a")
    train_many(_source, {"a": runs["a"]}, folder=tmp_path)
    steps = []
    train_many(_source, runs, folder=tmp_path, on_step=lambda step, _: steps.append(step))
    assert steps[0] == 15


def test_a_kill_between_the_last_checkpoint_and_the_files_loses_nothing(
    tmp_path, monkeypatch
) -> None:
    config = _config(checkpoint_every=25, validate_every=10)
    whole = train(_source, config, folder=tmp_path / "whole")

    def die(*_: object, **__: object) -> None:
        raise _KilledError

    with monkeypatch.context() as patch:
        patch.setattr(SparseAutoencoder, "save", die)
        with pytest.raises(_KilledError):
            train(_source, config, folder=tmp_path / "cut")
    steps = []
    cut = train(
        _source,
        config,
        folder=tmp_path / "cut",
        validation=ROWS[:50],
        on_step=lambda step, _: steps.append(step),
    )
    assert steps == []
    assert _same(whole, cut)
