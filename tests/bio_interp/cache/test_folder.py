from pathlib import Path

import httpx
import pytest

from bio_interp.cache import cache_folder, clear_cache, fetch, list_cache
from bio_interp.cli._app import run
from bio_interp.errors import BioInterpError, NotCachedError, NotFoundError


@pytest.fixture
def kept(server):
    """One file fetched, one unfinished, one folder without a record."""
    server.answers = [httpx.Response(200, content=b"x" * 2_000_000, headers={"Release": "2026_03"})]
    fetch("https://example.org/big", cache_folder() / "big.bin", release_header="Release")
    broken = {"Content-Length": "9", "ETag": '"v1"'}
    server.answers = [
        httpx.Response(200, content=iter([b"abc"]), headers=broken),
        httpx.Response(404),
    ]
    with pytest.raises(NotCachedError):
        fetch("https://example.org/half", cache_folder() / "half.bin")
    (cache_folder() / "old").mkdir()
    (cache_folder() / "old/file").write_bytes(b"12345")


def test_the_cache_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("BIO_INTERP_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "bio_interp"
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"


def test_entries_carry_what_their_records_say(kept):
    half, big, old = list_cache()
    assert (big.name, big.source, big.release) == ("big.bin", "https://example.org/big", "2026_03")
    assert big.size > 2_000_000
    assert big.date
    assert (half.name, half.unfinished) == (".half.bin.part", True)
    assert (old.name, old.size, old.source) == ("old", 5, "")


def test_clearing_takes_the_record_along_and_leaves_the_rest(kept):
    assert [entry.name for entry in clear_cache("big.bin")] == ["big.bin"]
    assert [entry.name for entry in list_cache()] == [".half.bin.part", "old"]
    assert len(clear_cache()) == 2
    assert list(cache_folder().iterdir()) == []


def test_an_entry_that_is_not_there_is_named():
    with pytest.raises(NotFoundError, match="'ghost'"):
        clear_cache("ghost")


def test_an_entry_that_cannot_be_removed_is_named(kept, monkeypatch):
    def refuse(path, missing_ok=False):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(BioInterpError, match=r"remove .*big\.bin.*Permission denied"):
        clear_cache("big.bin")


def test_a_cache_that_is_a_file_is_an_empty_one(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path / "file"))
    assert list_cache() == []


def test_the_commands_show_dates_sources_and_what_was_removed(kept, capsys):
    assert run(["cache", "list"]) == 0
    header, half, big, _ = capsys.readouterr().out.splitlines()
    assert header.split("\t") == ["name", "size", "date", "release", "source", "path"]
    assert big.split("\t")[1:5:2] == ["2.0 MB", "2026_03"]
    assert "unfinished" in half
    assert run(["cache", "clear", "big.bin"]) == 0
    assert str(cache_folder() / "big.bin") in capsys.readouterr().out


def test_a_record_that_somebody_broke_does_not_hide_the_file(kept):
    (cache_folder() / "big.bin.json").write_text("[")
    assert [entry.name for entry in list_cache()] == [".half.bin.part", "big.bin", "old"]
