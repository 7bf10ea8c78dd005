"""Stages without a recipe."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from bio_interp.building import harvest_file, train_file
from bio_interp.cli._app import run
from bio_interp.errors import InputError, MismatchError, NotFoundError
from bio_interp.sae import SparseAutoencoder

SIZES = ["--d-sae", "24", "--k", "3"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """A file of 900 rows on 6 directions in 12 dimensions."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(6, 12, generator=generator)
    on = torch.rand(900, 6, generator=generator) < 0.3
    path = tmp_path_factory.mktemp("rows") / "rows.npy"
    np.save(path, ((on * 1.0) @ directions).half().numpy())
    return path


@pytest.fixture
def fasta(tmp_path, toy):
    return toy.write(tmp_path / "toy", proteins=12).with_name("proteins.fasta")


def test_a_file_of_activations_becomes_a_saved_sae(rows, tmp_path, capsys):
    out = tmp_path / "sae"
    more = ["--rows", "40000", "--batch-rows", "128", "--lr", "3e-3", "--architecture", "topk"]
    assert run(["train", "--activations", str(rows), *SIZES, *more, "-o", str(out)]) == 0
    err = capsys.readouterr().err
    assert "900 rows of" in err
    assert "step 300 of 312, FVU 0." in err
    sae = SparseAutoencoder.load(out)
    assert (sae.config.d_sae, sae.config.k, sae.config.architecture) == (24, 3, "topk")
    assert sae.fvu(torch.from_numpy(np.load(rows)).float()) < 0.2
    assert sae.provenance["data"]["file"] == "rows.npy"


def test_every_row_is_seen_once_unless_more_are_asked_for(rows, tmp_path):
    train_file(rows, tmp_path / "sae", {"d_sae": 24, "k": 3, "batch_rows": 100})
    assert SparseAutoencoder.load(tmp_path / "sae").provenance["training"]["total_rows"] == 900


def test_harvest_and_train_go_together_and_say_whose_activations_they_are(fasta, tmp_path, capsys):
    acts, out = str(tmp_path / "acts"), str(tmp_path / "sae")
    of = ["--model", "reference", "--site", "layer.2", "--device", "cpu"]
    assert run(["harvest", str(fasta), *of, "-o", acts, "--quiet"]) == 0
    assert run(["harvest", str(fasta), *of, "-o", acts, "--quiet"]) == 0  # all there
    more = ["--batch-rows", "64", "--buffer-rows", "300", "--device", "cpu"]
    assert run(["train", "--activations", acts, *SIZES, *more, "-o", out]) == 0
    provenance = json.loads((tmp_path / "sae/sae.json").read_text())["provenance"]
    assert provenance["model"] == "reference"
    assert provenance["site"] == "layer.2"
    assert len(provenance["weights_sha256"]) == 64


def test_shards_of_a_harvest_make_one_store(fasta, tmp_path):
    for shard in ((2, 2), (1, 2)):
        store = harvest_file(fasta, "reference", "layer.1", tmp_path / "acts", shard=shard)
    assert store.missing() == []


@pytest.mark.parametrize(
    "words",
    [
        ["train"],
        ["train", "build.toml", "--activations", "rows.npy"],
        ["train", "build.toml", "--k", "4"],
        ["train", "--activations", "rows.npy", "-o", "out"],
        ["train", "--activations", "rows.npy", *SIZES],
        ["train", "--activations", "rows.npy", *SIZES, "-o", "out", "--work", "w"],
        ["train", "--activations", "rows.npy", *SIZES, "-o", "out", "--prefixes", "4,x"],
        ["harvest", "my.fasta"],
        ["harvest", "my.fasta", "--model", "reference", "--site", "layer.2"],
        ["harvest", "build.toml", "--model", "reference"],
    ],
)
def test_wrong_usage_says_what_is_wanted(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    assert "--help" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_another_file_or_other_settings_are_refused(rows, tmp_path):
    settings = {"d_sae": 24, "k": 3, "batch_rows": 100}
    train_file(rows, tmp_path / "sae", settings)
    other = tmp_path / "other.npy"
    np.save(other, np.load(rows)[:500])
    with pytest.raises(MismatchError, match=r"rows\.npy.*other\.npy"):
        train_file(other, tmp_path / "sae", settings)
    with pytest.raises(MismatchError, match="k: 3 there, 4 here"):
        train_file(rows, tmp_path / "sae", {**settings, "k": 4})


def test_a_site_that_is_not_there_and_an_unfinished_harvest_are_refused(fasta, tmp_path):
    with pytest.raises(NotFoundError, match=r"layer\.77"):
        harvest_file(fasta, "reference", "layer.77", tmp_path / "acts")
    harvest_file(fasta, "reference", "layer.1", tmp_path / "acts", shard=(2, 2))
    with pytest.raises(InputError, match="whole harvest"):
        train_file(tmp_path / "acts", tmp_path / "sae", {"d_sae": 24, "k": 3})


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_training_ends_with_the_same_sae(rows, tmp_path):
    code = "import sys, torch; torch.set_num_threads(1)\nfrom bio_interp.cli import main; main()"
    more = ["--rows", "60000", "--batch-rows", "100", "--checkpoint-every", "20"]

    def start(out):
        words = ["train", "--activations", str(rows), *SIZES, *more, "-o", str(out), "-q"]
        return subprocess.Popen([sys.executable, "-c", code, *words], env={**os.environ})

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = start(killed)
    while process.poll() is None and not list(killed.glob("checkpoints/*.ckpt")):
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert start(killed).wait() == start(whole).wait() == 0
    assert (killed / "sae.safetensors").read_bytes() == (whole / "sae.safetensors").read_bytes()
