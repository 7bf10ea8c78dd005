"""Many SAEs in one pass of a model, measured on proteins that none was trained on."""

import json
import os
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
import torch

from bio_interp import load_model, read_proteins
from bio_interp.building import SWEEP_COLUMNS, Sweep, sweep
from bio_interp.building._grid import Proteins, training_bytes
from bio_interp.building._heldout import measure_rows
from bio_interp.cli._app import run
from bio_interp.errors import BioInterpError, InputError, MismatchError, NotFoundError
from bio_interp.models import LoadOptions
from bio_interp.sae import SparseAutoencoder
from bio_interp.sequences import Split

CPU = LoadOptions("cpu")
SMALL = {"rows": 6000, "batch_rows": 128, "lr": 3e-3, "buffer_rows": 1000}


@pytest.fixture(scope="module")
def toy_files(tmp_path_factory, toy):
    """FASTA of 40 proteins and a split in which each is alone."""
    torch.set_num_threads(1)
    path = toy.write(tmp_path_factory.mktemp("sweep"))
    return path.with_name("proteins.fasta"), path.with_name("split.tsv")


@pytest.fixture(scope="module")
def swept(toy_files, tmp_path_factory):
    """Two sites, two widths, two k: the folder, and the table."""
    folder = tmp_path_factory.mktemp("swept")
    what = Sweep(
        "reference", (32, 96), (2, 8), ("layer.1", "layer.3"), fidelity_proteins=3, **SMALL
    )
    return folder, sweep(what, toy_files[0], folder, split=toy_files[1], options=CPU)


def test_every_combination_is_trained_and_saved(swept):
    folder, table = swept
    assert table.height == 8
    assert table.select("site", "width", "k").is_unique().all()
    for name, site, width in table.select("name", "site", "width").iter_rows():
        sae = SparseAutoencoder.load(folder / "saes" / name)
        assert sae.config.d_sae == width
        assert sae.provenance["site"] == site
        assert sae.provenance["model"] == "reference"


def test_the_table_has_the_columns_that_are_described_and_is_on_disk_twice(swept):
    folder, table = swept
    assert table.columns == list(SWEEP_COLUMNS)
    assert pl.read_parquet(folder / "sweep.parquet").equals(table)
    tsv = pl.read_csv(folder / "sweep.tsv", separator="\t")
    assert tsv.columns == table.columns
    assert tsv["name"].to_list() == table["name"].to_list()
    assert table["heldout"].unique().to_list() == ["cluster"]


def test_more_active_features_rebuild_more(swept):
    _, table = swept
    for _, group in table.group_by("site", "width"):
        few, many = group.sort("k").rows(named=True)
        assert few["l0"] < many["l0"]
        assert few["fvu"] > many["fvu"]
    assert table["fvu"].is_between(0, 1).all()
    assert table.filter("front").height >= 2


def test_fidelity_is_measured_with_its_interval(swept):
    _, table = swept
    assert (table["ce_recovered_low"] <= table["ce_recovered_high"]).all()
    assert (table["kl"] >= 0).all()
    assert table["fidelity_residues"].min() > 10
    assert table["ce_intact"].n_unique() == 1


@pytest.mark.parametrize("name", ["fvu", "ce_recovered"])
def test_the_plots_are_there_and_name_the_sites(swept, name):
    folder, _ = swept
    assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    svg = (folder / f"{name}.svg").read_text()
    assert "layer.1" in svg
    assert "layer.3" in svg


def test_figures_are_those_of_the_formulas(swept, toy_files):
    folder, table = swept
    model, split = load_model("reference", CPU), Split.load(toy_files[1])
    held = [p for p in read_proteins(toy_files[0]) if split.fold(p.accession) == "select"]
    row = table.row(0, named=True)
    sae = SparseAutoencoder.load(folder / "saes" / row["name"])
    readings = model.activations([p.sequence for p in held], [row["site"]])
    rows = torch.cat([reading.rows[row["site"]] for reading in readings])
    dense = sae.encode(rows).to_dense() > 0
    assert row["heldout_residues"] == len(rows)
    assert row["l0"] == pytest.approx(float(dense.sum(1).double().mean()), rel=1e-3)
    assert row["fvu"] == pytest.approx(sae.fvu(rows), rel=1e-3)
    assert row["dead"] == pytest.approx(float((~dense.any(0)).double().mean()), abs=1e-6)
    density = dense.double().mean(0)
    assert row["density_q50"] == pytest.approx(float(density.quantile(0.5)), abs=5e-3)


def test_one_pass_of_the_model_feeds_all_saes(toy_files, tmp_path, monkeypatch):
    from bio_interp.models import Esm2Engine

    read = []
    inner = Esm2Engine.activations

    def counting(self, sequences, sites, **more):
        sequences = list(sequences)
        read.append((len(sequences), tuple(sites)))
        return inner(self, sequences, sites, **more)

    monkeypatch.setattr(Esm2Engine, "activations", counting)
    what = Sweep("reference", (16, 32), (2,), ("layer.1", "layer.2"), batch_rows=64,
                 fidelity_proteins=0)  # fmt: skip
    table = sweep(what, toy_files[0], tmp_path / "s", options=CPU)
    assert table.height == 4
    assert sum(count for count, _ in read) == 40  # 36 trained on, 4 measured on
    assert {sites for _, sites in read} == {("layer.1", "layer.2")}
    assert table["ce_recovered"].null_count() == 4
    assert not (tmp_path / "s/ce_recovered.png").exists()


def test_more_saes_are_added_to_a_finished_sweep(toy_files, tmp_path):
    def small(widths, **more):
        settings = {**SMALL, "rows": 1000, "fidelity_proteins": 0, **more}
        what = Sweep("reference", widths, (2,), ("layer.1",), **settings)
        return sweep(what, toy_files[0], tmp_path / "s", options=CPU)

    first = small((16,))
    weights = tmp_path / "s/saes" / first["name"][0] / "sae.safetensors"
    before = weights.stat().st_mtime_ns, weights.read_bytes()
    both = small((16, 32))
    assert both.height == 2
    assert (weights.stat().st_mtime_ns, weights.read_bytes()) == before
    assert both.drop("front").row(0) == first.drop("front").row(0)
    with pytest.raises(MismatchError, match="rows: 1000 there, 2000 now"):
        small((16,), rows=2000)


def test_what_does_not_fit_into_memory_is_refused_before_anything_is_read(
    toy_files, tmp_path, monkeypatch
):
    monkeypatch.setattr("bio_interp.building._sweep.memory_bytes", lambda: (10**6, 10**5))
    what = Sweep("reference", (4096,), (2,))
    with pytest.raises(InputError, match=r"free memory \(buffer .*--buffer-rows"):
        sweep(what, toy_files[0], tmp_path / "s", options=CPU)
    assert not (tmp_path / "s").exists()


def test_memory_of_training_grows_with_every_sae():
    def size(*widths):
        what = Sweep("m", widths, (2,), ("a", "b"))
        return training_bytes(what.variants(("a", "b"), 10_000), {"a": 10, "b": 10})

    weights = 16 * (2 * 10 * 64 + 2 * 64 + 20)
    assert size(64) == 2 * weights + 12 * 2048 * 64
    assert size(64, 64 + 1) > size(64)


def test_proteins_held_out_are_not_trained_on(toy_files):
    proteins = list(read_proteins(toy_files[0]))
    split = Split.load(toy_files[1])
    by_cluster = Proteins.deal(proteins, toy_files[1], 100)
    assert {split.fold(p.accession) for p in by_cluster.fit} == {"fit"}
    assert {split.fold(p.accession) for p in by_cluster.heldout} == {"select"}
    alone = Proteins.deal(proteins, None, 100)
    assert len(alone.heldout) == 4
    assert {p.accession for p in alone.fit} | {p.accession for p in alone.heldout} == {
        p.accession for p in proteins
    }
    assert alone.heldout == Proteins.deal(proteins[::-1], None, 100).heldout
    assert len(Proteins.deal(proteins, None, 2).heldout) == 2
    with pytest.raises(InputError, match="0 and 1"):
        Proteins.deal(proteins[:1], None, 2)


def test_without_a_split_relatives_may_be_trained_on_and_that_is_said(toy_files, tmp_path, capsys):
    words = ["--sequences", str(toy_files[0]), "-o", str(tmp_path / "s"), "--device", "cpu"]
    grid = ["--widths", "16,32", "--k", "2", "--sites", "layer.2", "--seeds", "0,1"]
    less = ["--batch-rows", "128", "--fidelity-proteins", "0"]
    assert run(["sweep", "reference", *words, *grid, *less]) == 0
    out, err = capsys.readouterr()
    assert "relatives of them may be trained on" in err
    assert "memory: buffer" in err
    assert "passes of the model" in err
    lines = out.splitlines()
    assert lines[0].startswith("name\tl0\tfvu")
    assert [line.split("\t")[0] for line in lines[1:]] == [
        f"layer.2-batchtopk-{width}-k2-seed{seed}" for width in (16, 32) for seed in (0, 1)
    ]


def test_wrong_sites_lists_and_architectures_are_refused(toy_files, tmp_path, capsys):
    base = ["sweep", "reference", "--sequences", str(toy_files[0]), "-o", str(tmp_path / "s")]
    assert run([*base, "--widths", "16", "--k", "two"]) == 2
    assert "--k takes values with commas" in capsys.readouterr().err
    assert run([*base, "--widths", "16", "--k", "2", "--sites", "layer.1,layer.99"]) == 1
    assert "layer.99" in capsys.readouterr().err
    assert run([*base, "--widths", "16", "--k", "2", "--architectures", "topp"]) == 1
    assert "topp" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()
    with pytest.raises(NotFoundError):
        Sweep("m", (1,), (1,), ("nowhere",)).at(load_model("reference", CPU).info)
    with pytest.raises(BioInterpError, match="widths"):
        Sweep("m", (), (1,))


def test_all_is_every_site_of_the_model():
    info = load_model("reference", CPU).info
    assert Sweep("m", (1,), (1,)).at(info) == tuple(info.sites)


def test_an_sae_that_rebuilds_nothing_has_an_fvu_near_one():
    model = load_model("reference", CPU)
    sequences = ["MKVLAAGIVGLLLAQWERTYHNDSPC" * 3, "ACDEFGHIKLMNPQRSTVWY" * 4]
    rows = torch.cat([r.rows["layer.2"] for r in model.activations(sequences, ["layer.2"])])
    from bio_interp.sae import InputNorm, SaeConfig

    d_model = rows.shape[1]
    tensors = {
        "W_enc": torch.zeros(d_model, 4),
        "b_enc": torch.zeros(4),
        "W_dec": torch.nn.functional.normalize(torch.ones(4, d_model)),
        "b_dec": torch.zeros(d_model),
    }
    mean = InputNorm.measure(rows)
    sae = SparseAutoencoder(SaeConfig(d_model, 4, "topk", 1), tensors, mean)
    found = measure_rows(model, sequences, {"none": ("layer.2", sae)})["none"]
    assert found["heldout_residues"] == len(rows)
    assert found["fvu"] == pytest.approx(1.0, abs=1e-3)
    assert (found["l0"], found["dead"]) == (0.0, 1.0)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_sweep_ends_with_the_same_saes_and_table(toy_files, tmp_path):
    code = "import sys, torch; torch.set_num_threads(1)\nfrom bio_interp.cli import main; main()"
    grid = ["--widths", "16,32", "--k", "2", "--sites", "layer.1,layer.2", "--buffer-rows", "500"]
    more = ["--batch-rows", "64", "--checkpoint-every", "10", "--fidelity-proteins", "2"]

    def start(out):
        words = ["sweep", "reference", "--sequences", str(toy_files[0]), "-o", str(out), "-q"]
        return subprocess.Popen(
            [sys.executable, "-c", code, *words, *grid, *more],
            env={**os.environ},
            stdout=subprocess.DEVNULL,
        )

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for there in ("saes/checkpoints/*.ckpt", "measured/*/*.json"):
        process = start(killed)
        while process.poll() is None and not list(killed.glob(there)):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert start(killed).wait() == start(whole).wait() == 0
    for file in (*whole.glob("saes/*/sae.safetensors"), whole / "sweep.tsv", whole / "fvu.svg"):
        assert (killed / file.relative_to(whole)).read_bytes() == file.read_bytes(), file
    json.loads((killed / "settings.json").read_text())
