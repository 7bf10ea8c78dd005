"""``bio-interp bench`` from files to a folder, with the shipped reference model."""

import json
from random import Random

import polars as pl
import pytest

from bio_interp.annotations import AnnotationTable
from bio_interp.cli._app import run

LETTERS = "ACDEFGHIKLMNPQRSTVY"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A FASTA file, annotations and a split: runs of tryptophan in half of the proteins."""
    folder, rng = tmp_path_factory.mktemp("bench"), Random(0)
    fasta, rows, coverage, split = [], [], [], []
    for i in range(60):
        before, after = ("".join(rng.choices(LETTERS, k=20)) for _ in range(2))
        sequence = before + ("W" * 12 if i % 2 else "".join(rng.choices(LETTERS, k=12))) + after
        name = f"P{i:02d}"
        fasta.append(f">{name}\n{sequence}\n")
        if i % 2:
            rows.append({"accession": name, "start": 21, "end": 32, "concept": "toy:W",
                         "evidence": "ECO:0000269" if i < 40 else ""})  # fmt: skip
        coverage.append(
            {"accession": name, "start": 1, "end": 52, "kind": "toy", "state": "looked"}
        )
        split.append(f"{name}\t{name}\t{'select' if i < 30 else 'test'}")
    (folder / "my.fasta").write_text("".join(fasta))
    concept = {"concept": "toy:W", "name": "tryptophan run", "kind": "toy", "level": "span"}
    AnnotationTable.from_records(rows, coverage, [concept]).save(folder / "known")
    from bio_interp.sequences import Split

    folds = {line.split("\t")[0]: (line.split("\t")[1], line.split("\t")[2]) for line in split}
    Split(folds, {}).save(folder / "split.tsv")
    return folder


def command(files, out, *more, baselines="kmers"):
    return [
        "bench", "reference", str(files / "my.fasta"), "--annotations", str(files / "known"),
        "--split", str(files / "split.tsv"), "--baselines", baselines, "--null", "0",
        "-o", str(out), "-q", *more,
    ]  # fmt: skip


def test_a_table_is_printed_and_a_report_is_written(files, tmp_path, capsys):
    assert run(command(files, tmp_path / "out")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("\t")[:3] == ["source", "protocol", "score"]
    kmers = next(r for r in map(str.split, lines) if r[:3] == ["kmers", "strict", "residue"])
    assert float(kmers[7]) > 0.9  # the mean F1 of words that are runs of W
    content = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert content["facts"]["testable"] == 1
    assert (tmp_path / "out" / "index.html").read_text().startswith("<!DOCTYPE html>")
    assert pl.read_parquet(tmp_path / "out" / "rows.parquet").height > 0


def test_a_requirement_decides_the_exit_code(files, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(command(files, out, "--require", "kmers.residue.mean_f1>0.9")) == 0
    assert run(command(files, out, "--require", "kmers.residue.mean_f1>1", "-f", "json")) == 1
    said = capsys.readouterr()
    assert "kmers.residue.mean_f1>1 (it is " in said.err
    assert json.loads(said.out[said.out.index("{\n") :])["facts"]["proteins"] == 60


def test_weak_evidence_becomes_unknown(files, tmp_path, capsys):
    assert run(command(files, tmp_path / "out", "--evidence", "experimental")) == 0
    evidence = pl.read_parquet(tmp_path / "out" / "evidence.parquet")
    left = evidence.filter(fold="test", level="unknown")["clusters"][0]
    assert left == 5  # of 15: P31, P33 ... P39
    assert json.loads((tmp_path / "out" / "bench.json").read_text())["facts"]["testable"] == 0


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--require", "mean_f1"], "SOURCE.SCORE.FIGURE"),
        (["--shard", "3/2"], "--shard"),
        (["--min-select", "99"], "99 clusters of select"),
    ],
)
def test_what_is_asked_wrongly_is_said(files, tmp_path, capsys, more, says):
    assert run(command(files, tmp_path / "out", *more)) == 1
    assert says in capsys.readouterr().err


def test_a_baseline_there_is_not_is_named(files, tmp_path, capsys):
    assert run(command(files, tmp_path / "out", baselines="umap")) == 1
    assert "'umap'" in capsys.readouterr().err
