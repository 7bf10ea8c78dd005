import doctest
import pkgutil
import re
from pathlib import Path

import pytest

import bio_interp

PAGES = sorted((Path(__file__).parents[2] / "docs/api").glob("*.md"))
BASE = {"errors", "spans", "plugins", "provenance", "testing"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run(page, my_fasta, tmp_path, monkeypatch):
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    (example,) = re.findall(r"^```pycon\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    test = doctest.DocTestParser().get_doctest(example, {}, page.name, str(page), 0)
    report: list[str] = []
    done = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert done.attempted >= 3
    assert not done.failed, "".join(report)


def test_every_room_and_every_public_module_has_a_page(docs):
    rooms = {m.name for m in pkgutil.iter_modules(bio_interp.__path__) if m.ispkg} - {"cli"}
    text = "".join(page.read_text() for page in PAGES)
    shown = set(re.findall(r"^\.\. automodule:: bio_interp\.(\w+)$", text, re.MULTILINE))
    assert shown == rooms | BASE
    assert {page.stem for page in PAGES} == rooms | {"index", "base"}
    listed = re.search(r"```{toctree}.*?```", (docs / "api/index.md").read_text(), re.DOTALL)[0]
    assert rooms <= set(listed.split())


def test_every_name_of_the_package_is_in_the_table(docs):
    table = set(re.findall(r"`(\w+)`", (docs / "api/index.md").read_text()))
    assert set(bio_interp.__all__) <= table
