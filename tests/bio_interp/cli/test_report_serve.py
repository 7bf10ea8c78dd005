"""report and serve, from the command line, with the small atlas that ships."""

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from bio_interp.cli._app import run

PROTEINS = Path(__file__).parents[3] / "examples/proteins.fasta"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "site"
    words = ["--proteins", str(PROTEINS), "--min-precision", "0.5", "--threads", "1", "-q"]
    assert run(["report", "reference", "-o", str(out), *words]) == 0
    return out


def test_report_writes_a_site_with_a_page_a_protein(site):
    assert (site / "index.html").is_file()
    index = (site / "data/index.js").read_text()
    assert '"P02945"' in index
    assert '"uniprot:HELIX"' in index
    assert (site / "data/p0.js").read_text().count('"accession":"P00698"') >= 1


def test_report_says_what_it_wrote_and_where_to_look(tmp_path, capsys):
    out = tmp_path / "site"
    assert run(["report", "reference", "-o", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "1,024 features" in said.err
    assert f"open {out / 'index.html'}" in said.err


def test_report_leaves_a_folder_of_another_sort_alone(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert run(["report", "reference", "-o", str(tmp_path)]) == 1
    assert "holds something else" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("words", [[], ["-o", "x", "--features", "-1"], ["-o", "x", "--proteins"]])
def test_report_called_wrongly_is_a_usage_error(words):
    assert run(["report", "reference", *words]) == 2


def test_report_says_that_proteins_are_not_there(tmp_path, capsys):
    words = ["--proteins", str(tmp_path / "nope.fasta")]
    assert run(["report", "reference", "-o", str(tmp_path / "site"), *words]) == 1
    assert "nope.fasta" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_serve_shows_the_site_until_it_is_interrupted(site):
    code = "from bio_interp.cli import main; main()"
    words = [sys.executable, "-c", code, "serve", str(site), "--port", "0", "--no-browser"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, env=os.environ, **pipes) as server:
        address = server.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{address}data/index.js", timeout=10) as answer:
            assert answer.read() == (site / "data/index.js").read_bytes()
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=20)
    assert (server.returncode, said) == (130, "bio-interp: interrupted\n")


def test_serve_opens_a_browser_at_its_address_unless_told_not_to(site, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(
        "bio_interp.reports.site.SiteServer.serve_forever", lambda _: None, raising=True
    )
    assert run(["serve", str(site), "--port", "0"]) == 0
    assert run(["serve", str(site), "--port", "0", "--no-browser"]) == 0
    first, _ = capsys.readouterr().out.splitlines()
    assert opened == [first]


def test_serve_refuses_a_folder_without_a_site(tmp_path, capsys):
    assert run(["serve", str(tmp_path), "--port", "0"]) == 1
    assert "bio-interp report" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_serve_takes_no_port_that_there_is_not(site, port):
    assert run(["serve", str(site), "--port", port]) == 2
