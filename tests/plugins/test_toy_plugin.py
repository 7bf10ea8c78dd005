"""The plugin that plugins/README.md shows, taken from the page and run."""

import re
import sys
from pathlib import Path

import pytest

from bio_interp import list_plugins
from bio_interp.annotations import collect
from bio_interp.plugins import find_problem
from bio_interp.sequences import Protein
from bio_interp.testing import check_annotator

PAGE = Path(__file__).parents[2] / "plugins/README.md"
PROTEINS = [Protein("P1", "MNASKNPSNNTT"), Protein("P2", "MKKK")]


@pytest.fixture
def toy(tmp_path, monkeypatch):
    code, toml = re.findall(r"^```(?:python|toml)\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    group, name, value = re.search(r'entry-points\."(.+?)"\]\n(\w+) = "(.+?)"', toml).groups()
    (tmp_path / "toy_motif").mkdir()
    (tmp_path / "toy_motif/__init__.py").write_text(code)
    info = tmp_path / "toy_motif-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-motif\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")
    marked = tmp_path / "input.txt"
    marked.write_text("#sequons\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield marked
    sys.modules.pop("toy_motif", None)


def test_the_readme_fits_in_sixty_lines():
    assert len(PAGE.read_text().splitlines()) <= 60


def test_the_toy_plugin_is_listed_without_being_imported(toy):
    (plugin,) = [p for p in list_plugins("annotators") if p.name == "toy"]
    assert (plugin.package, plugin.version) == ("toy-motif", "1")
    assert "toy_motif" not in sys.modules
    assert find_problem(plugin) is None


def test_the_toy_plugin_passes_the_checks_and_finds_its_sites(toy):
    table = collect([toy], proteins=PROTEINS)
    assert table.rows.select("accession", "start").rows() == [("P1", 2), ("P1", 9), ("P1", 10)]
    from toy_motif import ANNOTATOR

    check_annotator(ANNOTATOR, [toy], PROTEINS)


def test_a_broken_plugin_is_listed_with_its_error_and_can_be_hidden(toy, tmp_path, monkeypatch):
    (tmp_path / "toy_motif/__init__.py").write_text("raise RuntimeError('no such disk')")
    (plugin,) = [p for p in list_plugins("annotators") if p.name == "toy"]
    assert "no such disk" in find_problem(plugin)
    others = [p for p in list_plugins("annotators") if p.name != "toy"]
    assert others
    assert all(find_problem(p) is None for p in others)
    monkeypatch.setenv("BIO_INTERP_DISABLE", "toy")
    assert "toy" not in [p.name for p in list_plugins("annotators")]


def test_the_check_names_the_promise_that_is_broken(toy):
    class Claims:
        api_version = 1

        def reads(self, path):
            return True

        def annotate(self, files, proteins=None, *, options=None):
            raise AssertionError("not reached")

    with pytest.raises(AssertionError, match="claims a Python file"):
        check_annotator(Claims(), [toy])
