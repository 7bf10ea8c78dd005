"""What tests of the pages share: the pages, their code, and plugins installed from them."""

import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="session")
def docs():
    """Folder of the pages."""
    return DOCS


@pytest.fixture(scope="session")
def blocks():
    """Give the fenced blocks of a page that have this word behind the fence."""

    def find(page, word):
        text = (DOCS / page).read_text()
        return re.findall(rf"^```{re.escape(word)}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)

    return find


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a plugin package on the path as pip would: its files, and the entry points."""
    installed = []

    def put(package, files, toml):
        folder = tmp_path / "site" / package
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        points = re.findall(r'^\[project\.entry-points\."(.+?)"\]\n(\w+) = "(.+?)"', toml, re.M)
        assert points, toml
        info = tmp_path / f"site/{package}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
        lines = (f"[{group}]\n{name} = {value}\n" for group, name, value in points)
        (info / "entry_points.txt").write_text("".join(lines))
        installed.append(package)
        return folder

    (tmp_path / "site").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield put
    for package in installed:
        for name in [m for m in sys.modules if m.partition(".")[0] == package]:
            del sys.modules[name]


@pytest.fixture
def my_fasta(tmp_path, monkeypatch):
    """Run in a folder with two proteins in ``my.fasta``."""
    from bio_interp import read_proteins

    wanted = ("P10599", "P02945")
    proteins = read_proteins(DOCS.parent / "examples/proteins.fasta")
    texts = [f">{p.accession}\n{p.sequence}\n" for p in proteins if p.accession in wanted]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.fasta").write_text("".join(texts))
    return tmp_path / "my.fasta"
