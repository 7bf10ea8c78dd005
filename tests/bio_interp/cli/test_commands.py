import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

import bio_interp.atlas
from bio_interp.atlas import AtlasInfo, Call, ProteinResult, ProteinStatus
from bio_interp.cli._app import run

INFO = AtlasInfo(
    name="toy",
    version="2",
    model="toy-plm",
    site="layer.1",
    model_sha256="ab" * 32,
    licence="CC0",
    citation=("Doe 2026",),
    split_sha256="",
    domain_limit=1.0,
    decoys={"reversed": 1.5},
    measured={},
    data=({"name": "corpus", "licence": "CC BY 4.0"},),
    versions={},
)
FASTA = ">a\nMKDAAAAAAA\n>b\nMKKKKKKKKK\n"


class ToyAtlas:
    info = INFO

    def annotate(self, proteins, *, min_precision, all_features):
        for protein in proteins:
            found = [i for i, aa in enumerate(protein.sequence, 1) if aa == "D"]
            calls = tuple(
                Call(protein.accession, i, i, "toy:D", "aspartate", "locator", (3,), 1.0, 0.9,
                     min_precision, 0.95, 40, "unseen by SAE and links")
                for i in found
            )  # fmt: skip
            status = "ok" if calls else "no_known_concept"
            yield ProteinResult(
                ProteinStatus(protein.accession, len(protein), status, len(calls)), calls
            )


@pytest.fixture(autouse=True)
def _toy(monkeypatch, tmp_path):
    monkeypatch.setattr(bio_interp.atlas, "load_atlas", lambda name, **options: ToyAtlas())
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path / "cache"))
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, os.environ.get(name, "1"))


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "my.fasta"
    path.write_text(FASTA)
    return str(path)


def test_annotate_prints_tsv_into_a_pipe_and_says_on_stderr_what_it_reads(fasta, capsys):
    assert run(["annotate", fasta]) == 0
    out, err = capsys.readouterr()
    rows = [line.split("\t") for line in out.splitlines() if not line.startswith("#")]
    assert rows[0][:4] == ["accession", "start", "end", "concept"]
    assert [row[:4] for row in rows[1:]] == [["a", "3", "3", "toy:D"]]
    assert "licence=CC0" in out
    assert "reversed 1.5" in out
    assert fasta in err
    assert "1 calls in 2 proteins" in err


def test_annotate_reads_standard_input(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(FASTA.encode())))
    assert run(["annotate", "-", "--summary", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert [line.split("\t")[0] for line in out.splitlines()[-2:]] == ["a", "b"]
    assert err == ""


@pytest.mark.parametrize(("suffix", "start"), [("json", "{"), ("gff3", "##gff"), ("tsv", "# bio")])
def test_annotate_writes_the_format_that_the_suffix_names(fasta, tmp_path, suffix, start):
    out = tmp_path / f"calls.{suffix}"
    assert run(["annotate", fasta, "-o", str(out)]) == 0
    assert out.read_text().startswith(start)
    assert not list(tmp_path.glob("*.partial*"))


def test_columns_and_min_precision_reach_the_report(fasta, capsys):
    options = ["--columns", "start, precision_low", "--min-precision", "0.5"]
    assert run(["annotate", fasta, *options]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["start\tprecision_low", "3\t0.500"]


def test_fail_empty_exits_with_three_only_where_nothing_was_found(tmp_path, fasta):
    empty = tmp_path / "none.fasta"
    empty.write_text(">b\nMKKKKKKKKK\n")
    assert run(["annotate", fasta, "--fail-empty"]) == 0
    assert run(["annotate", str(empty), "--fail-empty"]) == 3
    assert run(["annotate", str(empty)]) == 0


@pytest.mark.parametrize(
    "text", ["", ">a\n", ">a\nMK1\n", ">a\nMKV\n>a\nMKV\n", "not a fasta\n", ">a\nACGT" * 20]
)
def test_bad_input_is_a_message_and_exit_code_one(text, tmp_path, capsys):
    path = tmp_path / "bad.fasta"
    path.write_text(text)
    assert run(["annotate", str(path), "--atlas", "toy"]) == 1
    out, err = capsys.readouterr()
    assert "Wanted" in err
    assert "Traceback" not in err
    assert "a\t" not in out


@pytest.mark.parametrize(
    "tokens",
    [["annotate"], ["nope"], ["annotate", "x", "--frob"], ["annotate", "--frob", "x"],
     ["annotate", "x", "-f", "pdf"], ["split", "x"], ["annotate", "x", "--min-precision", "high"]],
)  # fmt: skip
def test_wrong_usage_exits_with_two(tokens, capsys):
    assert run(tokens) == 2
    assert "--help" in capsys.readouterr().err


def test_an_interrupt_exits_with_130_and_keeps_what_is_finished(
    fasta, tmp_path, monkeypatch, capsys
):
    plain = ToyAtlas.annotate

    def annotate(self, proteins, **options):
        yield from [next(plain(self, proteins, **options))]
        raise KeyboardInterrupt

    monkeypatch.setattr(ToyAtlas, "annotate", annotate)
    out = tmp_path / "calls.tsv"
    assert run(["annotate", fasta, "-o", str(out)]) == 130
    assert "interrupted" in capsys.readouterr().err
    monkeypatch.setattr(ToyAtlas, "annotate", plain)
    assert run(["annotate", fasta, "-o", str(out)]) == 1
    assert "--resume" in capsys.readouterr().err
    assert run(["annotate", fasta, "-o", str(out), "--resume"]) == 0
    assert out.read_text().splitlines()[-1].startswith("a\t3\t3")


def test_a_bug_shows_its_traceback(fasta, monkeypatch):
    def annotate(self, proteins, **options):
        raise ZeroDivisionError

    monkeypatch.setattr(ToyAtlas, "annotate", annotate)
    with pytest.raises(ZeroDivisionError):
        run(["annotate", fasta])


def test_a_reader_that_leaves_early_causes_no_noise():
    code = "from bio_interp.cli._app import main; main(['plugins'])"
    program = [sys.executable, "-c", f"import sys; sys.stdout.reconfigure(); {code}"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        err = process.stderr.read()
    assert err == b""
    assert process.returncode == 0


def test_log_json_gives_one_object_a_line(fasta, capsys):
    assert run(["annotate", fasta, "--log-json"]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {entry["level"] for entry in entries} == {"info"}
    assert any(fasta in entry["message"] for entry in entries)


def test_threads_are_set_before_the_libraries_start(fasta):
    assert run(["annotate", fasta, "--threads", "3"]) == 0
    assert os.environ["OMP_NUM_THREADS"] == "3"


def test_cite_names_licence_model_publications_and_data(capsys):
    assert run(["cite", "toy"]) == 0
    rows = dict(line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert rows["licence"] == "CC0"
    assert rows["cite"] == "Doe 2026"
    assert rows["data"] == "corpus; licence: CC BY 4.0"
    assert rows["model"].startswith("toy-plm")


def test_split_writes_a_table_of_folds(tmp_path, fasta, capsys):
    out = tmp_path / "split.tsv"
    assert run(["split", fasta, "-o", str(out), "--method", "kmer"]) == 0
    from bio_interp.sequences import Split

    assert len(Split.load(out)) == 2
    counts = dict(line.split("\t") for line in capsys.readouterr().out.splitlines()[1:])
    assert sum(map(int, counts.values())) == 2


def test_concepts_writes_an_annotation_table(tmp_path, fasta):
    pattern = tmp_path / "one.dat"
    pattern.write_text("ID   D; PATTERN.\nAC   PS00001;\nDE   An aspartate.\nPA   K-D.\n//\n")
    out = tmp_path / "table"
    assert run(["concepts", str(pattern), "--proteins", fasta, "-o", str(out)]) == 0
    from bio_interp.annotations import AnnotationTable

    assert AnnotationTable.load(out).rows.select("accession", "start").rows() == [("a", 2)]


def test_cache_lists_clears_and_refuses_to_guess(tmp_path, capsys):
    (tmp_path / "cache/thing").mkdir(parents=True)
    (tmp_path / "cache/thing/file").write_bytes(b"x" * 2_000_000)
    assert run(["cache", "path"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "cache")
    assert run(["cache", "list"]) == 0
    assert "thing\t2.0 MB" in capsys.readouterr().out
    assert run(["cache", "clear"]) == 1
    assert run(["cache", "clear", "other"]) == 1
    assert "thing" in capsys.readouterr().err
    assert run(["cache", "clear", "thing"]) == 0
    assert list((tmp_path / "cache").iterdir()) == []


def test_data_get_offline_names_what_is_missing(capsys):
    assert run(["data", "get", "unirep", "--offline"]) == 1
    assert "'unirep'" in capsys.readouterr().err
    assert run(["data", "get", "nothing"]) == 1
    assert "pfam-gecco" in capsys.readouterr().err


def test_doctor_reports_packages_plugins_and_a_broken_atlas(capsys, monkeypatch):
    model = SimpleNamespace(info=SimpleNamespace(weights_sha256="ab" * 32))
    monkeypatch.setattr(ToyAtlas, "model", model, raising=False)
    monkeypatch.setattr(ToyAtlas, "check", lambda self: [], raising=False)
    run(["doctor"])
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    found = {(row[0], row[1]): row[2:] for row in rows}
    assert found["package", "torch"][1] == "ok"
    assert "models/unirep" in {name for topic, name in found if topic == "plugin"}
    assert found["atlas", "unirep"] == ["2, model toy-plm, weights abababababab", "ok"]

    monkeypatch.setattr(ToyAtlas, "check", lambda self: ["FVU 0.9, stored 0.3"])
    assert run(["doctor"]) == 1
    assert "FVU 0.9, stored 0.3" in capsys.readouterr().out

    def broken(name, **options):
        raise bio_interp.BioInterpError("an atlas", "rubble", "Build it.")

    monkeypatch.setattr(bio_interp.atlas, "load_atlas", broken)
    assert run(["doctor"]) == 1
    assert "rubble" in capsys.readouterr().out
