import json
import os
import subprocess

import pytest

from bio_interp import load_atlas
from bio_interp.cli._app import run

SHIM = '#!/bin/sh\nprintf "%s\\n" "$@" > asked\n'


@pytest.fixture
def bash(tmp_path, monkeypatch):
    """Run code in a folder where `bio-interp` only writes down what it is asked."""
    monkeypatch.chdir(tmp_path)
    shim = tmp_path / "bin/bio-interp"
    shim.parent.mkdir()
    shim.write_text(SHIM)
    shim.chmod(0o755)
    here = os.environ | {"PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}"}

    def call(code, **variables):
        program = ["bash", "-euo", "pipefail", "-c", code]
        return subprocess.run(
            program, env=here | variables, capture_output=True, text=True, check=False
        )

    return call


def test_cut_run_and_put_together_give_the_table_of_one_run(blocks, bash, tmp_path, docs):
    cut, job, join = blocks("howto-cluster.md", "bash")
    examples = (docs.parent / "examples/proteins.fasta").read_text()
    (tmp_path / "proteome.fasta.gz").write_text(examples[: examples.index(">sp|P06576")])
    assert "n=8" in cut
    assert "--array=1-8" in job
    assert bash(cut.replace("n=8", "n=2")).returncode == 0
    assert sorted(p.name for p in (tmp_path / "parts").iterdir()) == ["1.fasta", "2.fasta"]
    asked = tmp_path / "asked"
    for task in "12":
        missing = bash(join)
        assert f"missing: parts/{task}.fasta" in missing.stderr
        assert missing.returncode == 1
        done = bash(job, SLURM_ARRAY_TASK_ID=task, SLURM_CPUS_PER_TASK="1")
        assert done.returncode == 0, done.stderr
        arguments = asked.read_text().replace("unirep", "reference").splitlines()
        assert run(arguments) == 0
        asked.unlink()
    assert bash(job, SLURM_ARRAY_TASK_ID="1").returncode == 0
    assert not asked.exists()  # a part that is done is passed over
    assert bash(join).returncode == 0
    lines = (tmp_path / "proteome.tsv").read_text().splitlines()
    assert lines[0].startswith("# bio_interp")
    assert sum(line.startswith("accession\t") for line in lines) == 1
    rows = {tuple(line.split("\t")[:4]) for line in lines if not line.startswith(("#", "access"))}
    calls = load_atlas("reference").annotate("proteome.fasta.gz", min_precision=0.5).df
    whole = calls.select("accession", "start", "end", "concept").rows()
    assert rows == {tuple(map(str, row)) for row in whole}
    assert len(rows) >= 2


def test_the_figures_are_those_that_were_measured(docs):
    words = " ".join((docs / "howto-cluster.md").read_text().split())
    file = docs.parent / "benchmarks/results/annotate.json"
    measured = json.loads(file.read_text())["unirep"]
    speed = measured["residues_per_second"]
    assert f"read {speed:,} residues a second" in words
    assert f"held {measured['peak_memory_mb_all'] / 1000:.1f} GB" in words
    assert f"some {round(20_000 * 400 / speed / 60, -1):.0f} minutes" in words
