"""The page about views: its code runs, and its numbers are those of the code."""

import re
from pathlib import Path

from bio_interp.structures import LARGEST_SCENE
from bio_interp_view3d import _payload, _script

PAGE = (Path(__file__).parents[2] / "docs/howto-view.md").read_text()


def test_the_code_of_the_page_runs(blocks, tmp_path, monkeypatch, straight, viewer):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.pdb").write_bytes(straight("MKTAYIAKQRQLLSFVKLLHFSRQLEERLLGLIEVQ"))
    names: dict = {}
    exec(blocks("howto-view.md", "python")[0], names)
    assert (tmp_path / "f635.html").is_file()
    assert [layer.label for layer in viewer[0].layers] == ["reference/f635"]


def test_every_function_of_the_table_is_where_it_says():
    for name, room in re.findall(r"`(view_\w+)\([^`]*\)` of `bio_interp\.(\w+)`", PAGE):
        assert name in __import__(f"bio_interp.{room}", fromlist=["__all__"]).__all__


def test_the_limits_of_the_page_are_those_of_the_code():
    assert f"{LARGEST_SCENE:,} atoms at most" in PAGE
    assert f"`3dmol` {_script.VERSION}" in PAGE
    assert f"3dmol-{_script.VERSION}.tgz" in PAGE
    assert f"pLDDT under {_payload.UNSURE:g}" in PAGE
