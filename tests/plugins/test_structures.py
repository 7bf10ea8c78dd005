import gzip
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import gemmi
import httpx
import pytest

from bio_interp.cache import cache_folder, get_data, list_data_sets, read_record, route_through
from bio_interp.errors import BioInterpError, InputError, NotCachedError, NotFoundError
from bio_interp.structures import StructureSource, read_structure
from bio_interp.testing import check_structures
from bio_interp_structures import ALPHAFOLD, FOLDER, RCSB, FolderSource

ROOT = Path(__file__).parents[2]
SEQUENCE = "MKTAYIAKQRQISFVKSHFSRQ"
API = "https://alphafold.ebi.ac.uk/api/prediction/P69905"
CIF = "https://alphafold.ebi.ac.uk/files/AF-P69905-F1-model_v6.cif"


def pdb(accession="P69905", chain="A"):
    lines = [f"DBREF  1XYZ {chain}    1    22  UNP    {accession:8} X_HUMAN             1     22"]
    for i, letter in enumerate(SEQUENCE, 1):
        name = gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA)
        place = f"{3.8 * i:8.3f}   0.000   0.000  1.00 90.00           C"
        lines.append(f"ATOM  {i:5}  CA  {name} {chain}{i:4}    {place}")
    return "\n".join([*lines, "END", ""]).encode()


def mmcif():
    parsed = gemmi.read_pdb_string(pdb())
    parsed.setup_entities()
    return parsed.make_mmcif_document().as_string().encode()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BIO_INTERP_OFFLINE", raising=False)
    monkeypatch.setenv("BIO_INTERP_STRUCTURES", str(tmp_path / "mine"))
    (tmp_path / "mine").mkdir()


class Server:
    """Answers by address; 404 for others; keeps what it was asked."""

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def __call__(self, request):
        url = str(request.url)
        self.asked.append(url)
        for start, answer in self.answers.items():
            if url.startswith(start):
                return answer() if callable(answer) else answer
        return httpx.Response(404, text="no such thing")


def through(server):
    return route_through(httpx.MockTransport(server), wait=lambda seconds: None)


def model(**changes):
    entry = {"entryId": "AF-P69905-F1", "uniprotAccession": "P69905", "latestVersion": 6}
    return entry | {"modelCreatedDate": "2025-08-01T00:00:00Z", "cifUrl": CIF} | changes


def alphafold(*entries, content=None):
    answers = {API: httpx.Response(200, json=list(entries or [model()]))}
    return Server({**answers, CIF: httpx.Response(200, content=content or mmcif())})


def rcsb(content=None, revision=True):
    info = {"major_revision": 4, "minor_revision": 1, "revision_date": "2024-02-14T00:00:00Z"}
    found = {"result_set": [{"identifier": "4HHB"}, {"identifier": "1HHO"}]}
    return Server(
        {
            "https://search.rcsb.org/": httpx.Response(200, json=found),
            "https://data.rcsb.org/rest/v1/core/entry/4HHB": httpx.Response(
                200, json={"rcsb_accession_info": info if revision else {}}
            ),
            "https://files.rcsb.org/download/4HHB.cif.gz": httpx.Response(
                200, content=content or gzip.compress(mmcif())
            ),
        }
    )


def test_the_entry_points_of_the_package_load_the_three_sources():
    text = (ROOT / "pyproject.toml").read_text()
    points = tomllib.loads(text)["project"]["entry-points"]["bio_interp.structures"]
    assert set(points) == {"folder", "rcsb", "alphafold"}
    for value in points.values():
        module, name = value.split(":")
        assert isinstance(getattr(__import__(module), name), StructureSource)


def test_importing_the_package_reads_no_table_of_residues():
    code = "import sys, bio_interp_structures; print('gemmi' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_model_is_the_one_whose_address_the_api_gives():
    isoform = model(uniprotAccession="P69905-2", cifUrl=CIF.replace("F1", "F9"))
    server = alphafold(isoform, model())
    with through(server):
        path = ALPHAFOLD.get("p69905")
    assert server.asked == [API, CIF]
    assert read_structure(path).chain("A").sequence == SEQUENCE
    record = read_record(path)
    assert (record.url, record.release) == (CIF, "v6")
    assert record.facts["entry"] == "AF-P69905-F1"
    assert record.facts["created"] == "2025-08-01"
    assert len(record.sha256) == 64


def test_what_is_in_the_cache_needs_no_network():
    with through(alphafold()):
        path = ALPHAFOLD.get("P69905")
    with through(rcsb()):
        entry = RCSB.get("4hhb")
        assert RCSB.find("P69905") == ["4HHB", "1HHO"]
    silent = Server({})
    with through(silent):
        assert ALPHAFOLD.get("P69905") == path
        assert ALPHAFOLD.find("P69905") == ["P69905"]
        assert RCSB.get("4HHB") == entry
        assert RCSB.find("P69905") == ["4HHB", "1HHO"]
    assert silent.asked == []


def test_offline_names_the_file_that_is_missing_and_asks_nobody(monkeypatch):
    silent = Server({})
    with through(silent):
        for ask in (ALPHAFOLD.get, ALPHAFOLD.find, RCSB.find):
            with pytest.raises(NotCachedError, match="offline"):
                ask("P69905", offline=True)
        monkeypatch.setenv("BIO_INTERP_OFFLINE", "1")
        with pytest.raises(NotCachedError, match=r"rcsb-4HHB\.cif\.gz.*offline"):
            RCSB.get("4HHB")
    assert silent.asked == []


def test_an_entry_is_kept_with_its_revision():
    server = rcsb()
    with through(server):
        path = RCSB.get("4HHB")
    assert path == cache_folder() / "rcsb-4HHB.cif.gz"
    assert read_record(path).release == "4.1 of 2024-02-14"
    assert read_structure(path).chain("A").sequence == SEQUENCE


def test_a_revision_that_is_not_told_is_unknown():
    with through(rcsb(revision=False)):
        assert read_record(RCSB.get("4HHB")).release == ""


def test_the_search_asks_for_the_accession_in_uniprot():
    server = rcsb()
    with through(server):
        RCSB.find("P69905")
    query = json.loads(httpx.URL(server.asked[0]).params["json"])
    values = [node["parameters"]["value"] for node in query["query"]["nodes"]]
    assert values == ["P69905", "UniProt"]
    assert query["return_type"] == "entry"


def test_a_protein_without_entries_has_none():
    with through(Server({"https://search.rcsb.org/": httpx.Response(204)})):
        assert RCSB.find("P69905") == []
    with through(Server({})):
        assert ALPHAFOLD.find("P69905") == []


def test_what_does_not_exist_is_not_found():
    with through(Server({})):
        with pytest.raises(NotFoundError, match="'9ZZZ'"):
            RCSB.get("9zzz")
        with pytest.raises(NotFoundError, match="'P69905'"):
            ALPHAFOLD.get("P69905")
    only_facts = rcsb()
    del only_facts.answers["https://files.rcsb.org/download/4HHB.cif.gz"]
    with through(only_facts), pytest.raises(NotFoundError, match="HTTP 404"):
        RCSB.get("4HHB")
    assert [p.name for p in cache_folder().iterdir() if not p.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "4HHB/../x", "a\0b", "P69905?x=1", "4HH"])
def test_hostile_names_reach_neither_disk_nor_network(name):
    silent = Server({})
    with through(silent):
        for source in (RCSB, ALPHAFOLD, FOLDER):
            for ask in (source.find, source.get):
                with pytest.raises(BioInterpError):
                    ask(name)
    assert silent.asked == []


@pytest.mark.parametrize("url", ["https://evil.example/x.cif", "http://alphafold.ebi.ac.uk/x", ""])
def test_an_address_elsewhere_is_not_asked(url):
    server = alphafold(model(cifUrl=url))
    with through(server), pytest.raises(NotCachedError, match=r"https://alphafold\.ebi\.ac\.uk"):
        ALPHAFOLD.get("P69905")
    assert server.asked == [API]


def test_an_answer_that_is_no_structure_is_not_kept():
    page = through(alphafold(content=b"<html>log in</html>"))
    with page, pytest.raises(NotCachedError, match="an HTML page"):
        ALPHAFOLD.get("P69905")
    cut = through(rcsb(content=gzip.compress(mmcif())[:200]))
    with cut, pytest.raises(NotCachedError, match="nothing was kept"):
        RCSB.get("4HHB")
    assert [p.name for p in cache_folder().iterdir() if not p.name.startswith(".")] == []


def test_answers_that_are_no_json_are_errors_of_ours():
    html = httpx.Response(200, text="<html>")
    with through(Server({"https://": html})):
        for ask, name in ((RCSB.find, "P69905"), (RCSB.get, "4HHB"), (ALPHAFOLD.get, "P69905")):
            with pytest.raises(NotCachedError):
                ask(name)
    with through(rcsb()):
        assert RCSB.find("P69905") == ["4HHB", "1HHO"]


def test_a_server_in_trouble_is_said():
    with through(Server({"https://": httpx.Response(503)})):
        with pytest.raises(NotCachedError, match="HTTP 503"):
            RCSB.get("4HHB")
        with pytest.raises(NotCachedError, match="HTTP 503"):
            ALPHAFOLD.find("P69905")


def test_a_folder_names_files_by_their_name_and_by_what_they_hold(tmp_path):
    folder = tmp_path / "mine"
    (folder / "AF-P69905-F1.pdb").write_bytes(pdb("Q99999"))
    (folder / "other.pdb.gz").write_bytes(gzip.compress(pdb("P69905")))
    (folder / "P69905-2.pdb").write_bytes(pdb("P12345"))
    (folder / "cut.pdb.gz").write_bytes(gzip.compress(pdb("P69905"))[:40])
    (folder / "notes.txt").write_text("P69905")
    assert FOLDER.find("P69905") == ["AF-P69905-F1.pdb", "other.pdb.gz"]
    assert FOLDER.get("other") == FOLDER.get("other.pdb.gz") == folder / "other.pdb.gz"
    with pytest.raises(NotFoundError, match="BIO_INTERP_STRUCTURES"):
        FOLDER.get("notes")
    assert FolderSource(tmp_path / "none").find("P69905") == []


def test_a_folder_refuses_what_is_no_accession():
    with pytest.raises(InputError, match="such as P69905"):
        FOLDER.find("hemoglobin")


def test_each_source_keeps_the_promises(tmp_path):
    (tmp_path / "mine/x.pdb").write_bytes(pdb())
    with through(alphafold()):
        ALPHAFOLD.get("P69905")
    with through(rcsb()):
        RCSB.find("P69905")
        RCSB.get("4HHB")
    listed = cache_folder() / "rcsb-uniprot-P69905.json"
    listed.write_text(json.dumps({"result_set": [{"identifier": "4HHB"}]}))
    listed.with_name(f"{listed.name}.json").unlink()
    for source in (FOLDER, ALPHAFOLD, RCSB):
        assert check_structures(source, "P69905").chain("A").sequence == SEQUENCE


def test_the_check_names_the_promise_that_is_broken(tmp_path):
    class Careless:
        api_version = 1

        def find(self, accession, *, offline=False):
            return ["x"]

        def get(self, name, *, offline=False, progress=None):
            return tmp_path / "mine/x.pdb"

    (tmp_path / "mine/x.pdb").write_bytes(pdb())
    with pytest.raises(AssertionError, match=re.escape("get('../../etc/passwd')")):
        check_structures(Careless(), "P69905")


def test_the_sources_are_offered_as_data(monkeypatch):
    names = {data_set.name for source in (RCSB, ALPHAFOLD) for data_set in source.data_sets()}
    assert names == {"rcsb:ID", "alphafold:ACCESSION"}
    with through(alphafold()):
        path = ALPHAFOLD.get_data("alphafold:P69905")
    assert path == ALPHAFOLD.data_path("alphafold:P69905")
    # `bio-interp data list` asks whether the name itself is cached
    assert not any(s.data_path(d.name).exists() for s in (RCSB, ALPHAFOLD) for d in s.data_sets())
    with pytest.raises(InputError):
        RCSB.data_path("rcsb:../x")
    assert RCSB.data_path("rcsb:4hhb") == cache_folder() / "rcsb-4HHB.cif.gz"
    if names <= {data_set.name for data_set in list_data_sets()}:  # where the plugin is installed
        assert get_data("alphafold:P69905", offline=True) == path
