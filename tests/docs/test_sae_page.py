"""The code of the page for SAELens users runs as shown."""

import doctest
import re
import shutil

import pytest
import torch


@pytest.fixture
def ran(docs, tmp_path, monkeypatch):
    """Run all of its code in an empty folder that has only the examples."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    shutil.copytree(docs.parent / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    page = (docs / "howto-sae.md").read_text()
    code = "\n".join(re.findall(r"^```pycon\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    test = doctest.DocTestParser().get_doctest(code, {}, "howto-sae.md", "howto-sae.md", 0)
    report: list[str] = []
    done = doctest.DocTestRunner().run(test, out=report.append)
    assert done.attempted >= 30
    assert not done.failed, "".join(report)
    return tmp_path


def test_the_page_runs_as_shown_and_leaves_what_it_says(ran, docs):
    assert {p.name for p in (ran / "my-sae").iterdir()} >= {"sae.json", "sae.safetensors", "logs"}
    header = (ran / "sweep/sweep.tsv").read_text().splitlines()[0].split("\t")
    page = (docs / "howto-sae.md").read_text()
    for column in header:
        assert f"`{column}`" in page or re.fullmatch(r"density_q(25|50|75)", column), column
    assert {p.suffix for p in (ran / "sweep").glob("fvu.*")} == {".png", ".svg"}


def test_three_lines_are_three_lines(blocks):
    three = blocks("howto-sae.md", "pycon")[1]
    assert len(three.splitlines()) == 3
    assert "train(rows, config, folder=" in three
