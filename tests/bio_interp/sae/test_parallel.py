"""Training in several processes is training in one, up to rounding."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bio_interp.errors import InputError
from bio_interp.sae import SaeRun, SparseAutoencoder, TrainConfig, train_many
from bio_interp.sae import _select as module
from bio_interp.sae._config import ARCHITECTURE_NAMES
from bio_interp.sae._fit import _launched, _where
from bio_interp.sae._parallel import gathered, largest, mean, rank, smallest, total, world_size
from bio_interp.sae._product import Product
from bio_interp.sae._select import select_batchtopk

ROWS = torch.randn(700, 8, generator=torch.Generator().manual_seed(5)) @ torch.diag(
    torch.arange(1.0, 9.0)
)
SIZES = {
    "d_sae": 32,
    "k": 3,
    "total_rows": 64 * 40,
    "batch_rows": 64,
    "norm_rows": 256,
    "dead_after_rows": 300,
    "lr": 5e-3,
    "log_every": 1,
    "checkpoint_every": 16,
    "validate_every": 20,
}
KINDS = {name: {**SIZES, "architecture": name} for name in ARCHITECTURE_NAMES} | {
    "matryoshka": {**SIZES, "prefixes": (4, 9)}
}
RUNS = {name: SaeRun(TrainConfig(**kind)) for name, kind in KINDS.items()}

SCRIPT = """
    import json, sys, torch
    from pathlib import Path
    from bio_interp.sae import SaeRun, TrainConfig, train_many
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    rows = torch.load(folder / "rows.pt", weights_only=True)
    runs = {n: SaeRun(TrainConfig(**kind)) for n, kind in json.loads(sys.argv[2]).items()}
    for name in ("fresh", "resumed"):
        curve = []
        train_many(rows, runs, folder=folder / name, validation=rows[:201],
                   on_step=lambda step, metrics: curve.append(metrics))
        if curve:  # the first process alone is told
            (folder / f"{name}.json").write_text(json.dumps(curve))
"""


class _StoppedError(Exception):
    pass


def _alone(folder: Path, *, stop: int = 0) -> list[dict[str, dict[str, float]]]:
    curve = []

    def on_step(step: int, metrics) -> None:
        curve.append(metrics)
        if step == stop:
            raise _StoppedError

    train_many(ROWS, RUNS, folder=folder, validation=ROWS[:201], on_step=on_step)
    return curve


@pytest.mark.slow
def test_two_processes_learn_what_one_does_and_go_on_from_its_checkpoint(tmp_path: Path) -> None:
    torch.save(ROWS, tmp_path / "rows.pt")
    alone = _alone(tmp_path / "alone")
    with pytest.raises(_StoppedError):
        _alone(tmp_path / "resumed", stop=20)
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", str(tmp_path / "script.py"), str(tmp_path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, json.dumps(KINDS)], capture_output=True, check=False, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    for start, first in (("fresh", 0), ("resumed", 16)):
        curve = json.loads((tmp_path / f"{start}.json").read_text())
        assert len(curve) == 40 - first
        for one, other in zip(alone[first:], curve, strict=True):
            _check_alike(one, other)
        for name in RUNS:
            saes = [SparseAutoencoder.load(tmp_path / f / name) for f in ("alone", start)]
            for key, tensor in saes[0].state_dict().items():
                torch.testing.assert_close(
                    tensor, saes[1].state_dict()[key], rtol=1e-5, atol=1e-5, msg=f"{name} {key}"
                )
        versions = [p.name for p in (tmp_path / start / "topk" / "logs").iterdir()]
        assert len(versions) == (1 if start == "fresh" else 2)  # one process writes
    assert alone[-1]["batchtopk"]["dead"] > 0  # AuxK was at work


def _check_alike(one: dict[str, dict[str, float]], other: dict[str, dict[str, float]]) -> None:
    for name in RUNS:
        for key in one[name].keys() & other[name].keys() - {"rows_per_second"}:
            assert other[name][key] == pytest.approx(one[name][key], abs=1e-5), (name, key)


@settings(max_examples=60)
@given(
    st.integers(1, 4), st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.integers(0, 9999)
)
def test_the_selection_over_processes_is_that_of_the_whole_batch(
    processes: int, rows: int, d_sae: int, k: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    # few values, so that many are equal at the cut; some processes have nothing above zero
    pre = torch.randint(-3, 4, (processes, rows, d_sae), generator=generator).float()
    parts = _in_turn(list(pre), k)
    whole = select_batchtopk(*_identity(pre.reshape(-1, d_sae)), k)
    dense = torch.cat([part.to_dense() for part in parts])
    assert int((dense > 0).sum()) == len(whole.values)
    assert torch.equal(dense.flatten().sort().values, whole.to_dense().flatten().sort().values)
    assert bool(((dense == 0) | (dense == pre.reshape(-1, d_sae))).all())


def _identity(pre: torch.Tensor) -> tuple[Product, torch.Tensor]:
    """Make a product whose pre-activations are `pre`."""
    return Product(pre.T.contiguous(), torch.zeros(pre.shape[1])), torch.eye(len(pre))


def _in_turn(shares: list[torch.Tensor], k: int, hint: float = 0.0) -> list:
    """Let each process select; what it is told of the others is computed from their shares."""
    import threading

    barrier = threading.Barrier(len(shares))
    board: dict[int, torch.Tensor] = {}
    local, results = threading.local(), {}

    def exchange(tensor: torch.Tensor) -> list[torch.Tensor]:
        board[local.rank] = tensor
        barrier.wait()
        found = [board[i] for i in range(len(shares))]
        barrier.wait()
        return found

    def work(number: int) -> None:
        local.rank = number
        results[number] = module.select_batchtopk(*_identity(shares[number]), k, hint)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "gathered", lambda t: torch.cat(exchange(t)))
        patch.setattr(module, "smallest", lambda t: torch.stack(exchange(t)).amin(0))
        patch.setattr(module, "total", lambda t: torch.stack(exchange(t)).sum(0))
        patch.setattr(module, "rank", lambda: local.rank)
        patch.setattr(module, "world_size", lambda: len(shares))
        threads = [threading.Thread(target=work, args=(n,)) for n in range(len(shares))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return [results[n] for n in range(len(shares))]


@pytest.mark.parametrize("hint", [0.0, 0.3, 1.0, 50.0])
def test_the_hint_of_the_last_threshold_changes_no_selection(hint: float) -> None:
    shares = list(torch.randn(2, 16, 20, generator=torch.Generator().manual_seed(1)))
    expected, found = _in_turn(shares, 4), _in_turn(shares, 4, hint)
    for one, other in zip(expected, found, strict=True):
        assert torch.equal(one.to_dense(), other.to_dense())


def test_alone_every_exchange_gives_back_what_it_got() -> None:
    values = torch.tensor([3.0, 1.0])
    assert (world_size(), rank()) == (1, 0)
    for exchange in (total, mean, largest, smallest, gathered):
        assert exchange(values) is values


TORCHRUN = {"WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"}
TORCHRUN |= {"GROUP_RANK": "0", "TORCHELASTIC_RUN_ID": "none"}
SLURM = {"SLURM_NTASKS": "6", "SLURM_NNODES": "2", "SLURM_JOB_NAME": "train"}
SLURM |= {"SLURM_NTASKS_PER_NODE": "3"}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, (1, 1)), (TORCHRUN, (2, 2)), (SLURM, (3, 2)), (SLURM | TORCHRUN, (2, 2))],
)
def test_processes_of_torchrun_and_slurm_are_counted(variables, expected, monkeypatch) -> None:
    for name in {*TORCHRUN, *SLURM}:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert _launched() == expected


def test_a_batch_that_processes_cannot_share_evenly_is_refused(monkeypatch) -> None:
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="4 processes"):
        _where("cpu", 66)


def test_tasks_of_slurm_that_are_not_counted_a_node_are_refused(monkeypatch) -> None:
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SLURM_NTASKS_PER_NODE")
    with pytest.raises(InputError, match="ntasks-per-node"):
        _launched()
