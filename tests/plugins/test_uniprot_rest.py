import json
from pathlib import Path

import httpx
import pytest

from bio_interp.annotations import collect
from bio_interp.cache import cache_folder, data_path, get_data, read_record, route_through
from bio_interp.cli._app import run
from bio_interp.errors import InputError, NotCachedError, NotFoundError
from bio_interp.sequences import read_proteins
from bio_interp_pfam import pfam_names
from bio_interp_uniprot import fetch_interpro, fetch_query

TOY = Path(__file__).parents[1] / "data/uniprot"
QUERY = "reviewed:true AND organism_id:83333"
SEARCH = "https://rest.uniprot.org/uniprotkb/search"
RELEASE = {"X-UniProt-Release": "2026_03", "X-UniProt-Release-Date": "02-September-2026"}


def entry(accession, position):
    place = {"value": position, "modifier": "EXACT"}
    site = {"type": "Active site", "location": {"start": place, "end": place}, "evidences": []}
    return {
        "entryType": "UniProtKB reviewed (Swiss-Prot)",
        "primaryAccession": accession,
        "features": [site],
        "sequence": {"value": "MKTAYIAKQR", "length": 10},
    }


ENTRIES = [entry(f"P0000{number}", number) for number in range(1, 6)]
PAGES = (ENTRIES[:2], ENTRIES[2:4], ENTRIES[4:])
ROWS = [f"{e['primaryAccession']}\treviewed\t10\tACT_SITE 3" for e in ENTRIES]
FASTA = [f">sp|{e['primaryAccession']}|X_ECOLI\nMKTAY\nIAKQR\n" for e in ENTRIES]


class UniProt:
    """Answers as the service does: pages by cursor, a Link header, total and release."""

    def __init__(self, bodies, total=5, headers=RELEASE):
        self.bodies, self.total, self.headers, self.asked = bodies, total, headers, []

    def __call__(self, request):
        self.asked.append(request.url)
        number = int(request.url.params.get("cursor", "0"))
        headers = {**self.headers, "X-Total-Results": str(self.total)}
        if number + 1 < len(self.bodies):
            next_ = request.url.copy_merge_params({"cursor": str(number + 1)})
            headers["Link"] = f'<{next_}>; rel="next"'
        return httpx.Response(200, text=self.bodies[number], headers=headers)


def json_bodies():
    return [json.dumps({"results": list(page)}) for page in PAGES]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BIO_INTERP_OFFLINE", raising=False)


def through(handler):
    return route_through(httpx.MockTransport(handler), wait=lambda seconds: None)


def test_three_pages_of_json_are_one_file_that_the_annotator_reads():
    uniprot = UniProt(json_bodies())
    with through(uniprot):
        record = fetch_query(QUERY)
    asked = uniprot.asked[0]
    assert str(asked).startswith(f"{SEARCH}?")
    assert asked.params["query"] == QUERY
    assert (asked.params["format"], asked.params["size"]) == ("json", "500")
    assert {"accession", "sequence", "ft_act_site", "ft_helix"} <= set(
        asked.params["fields"].split(",")
    )
    assert [url.params.get("cursor") for url in uniprot.asked] == [None, "1", "2"]
    assert json.loads(record.path.read_text()) == ENTRIES
    assert record.release == "2026_03"
    assert record.facts["query"] == QUERY
    assert record.facts["records"] == 5
    assert "CC BY" in record.facts["licence"]
    table = collect([record.path])
    assert set(table.concepts["release"]) == {"2026_03"}
    rows = table.rows
    assert rows.select("accession", "start").rows() == [(f"P0000{n}", n) for n in range(1, 6)]


def test_pages_of_tsv_share_one_line_of_names():
    head = "Entry\tReviewed\tLength\tActive site"
    bodies = ["\n".join([head, *ROWS[:3]]) + "\n", "\n".join([head, *ROWS[3:]]) + "\n"]
    with through(UniProt(bodies)):
        record = fetch_query(QUERY, "tsv")
    assert record.path.suffix == ".tsv"
    assert record.path.read_text() == "\n".join([head, *ROWS]) + "\n"
    assert collect([record.path]).rows.height == 5


def test_pages_of_fasta_are_one_file_of_proteins():
    bodies = ["".join(FASTA[:3]), "".join(FASTA[3:])]
    with through(UniProt(bodies)):
        record = fetch_query(QUERY, "fasta")
    proteins = list(read_proteins(record.path))
    assert [p.accession for p in proteins] == [e["primaryAccession"] for e in ENTRIES]
    assert {p.sequence for p in proteins} == {"MKTAYIAKQR"}
    assert record.facts["records"] == 5


def test_an_answer_shorter_than_announced_is_no_answer(tmp_path):
    short = "5 records of the 6 announced"
    with through(UniProt(json_bodies(), total=6)), pytest.raises(NotCachedError, match=short):
        fetch_query(QUERY, path=tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()


def test_an_answer_that_does_not_say_how_long_it_is_is_no_answer():
    answer = httpx.Response(200, json={"results": ENTRIES})
    with through(lambda request: answer), pytest.raises(NotCachedError, match="X-Total-Results"):
        fetch_query(QUERY)


def test_a_missing_release_is_kept_as_unknown_and_said(caplog):
    with through(UniProt(json_bodies(), headers={})):
        assert fetch_query(QUERY).release == ""
    assert "named no release" in caplog.text


def test_a_query_that_uniprot_refuses_is_quoted():
    refusal = httpx.Response(400, json={"messages": ["Invalid query field organisme"]})
    with (
        through(lambda request: refusal),
        pytest.raises(NotCachedError, match="Invalid query field organisme"),
    ):
        fetch_query("organisme:1")


def test_a_query_that_nothing_fits_and_an_empty_one_are_errors():
    nothing = UniProt(['{"results": []}'], total=0)
    with through(nothing), pytest.raises(NotFoundError, match="gene:X"):
        fetch_query("gene:X")
    with pytest.raises(InputError, match="an empty one"):
        fetch_query("  ")


def test_queries_have_names_of_their_own_and_spaces_do_not_count():
    names = {data_path_of(q) for q in ("gene:A-B", "gene:A B", "gene:a b", " gene:A  B ")}
    assert len(names) == 3


def data_path_of(query):
    with pytest.raises(NotCachedError) as caught:
        data_path(f"uniprot:{query}")
    return caught.value.got


def test_the_command_fetches_a_query_that_concepts_then_reads(tmp_path, capsys):
    uniprot = UniProt(json_bodies())
    with through(uniprot):
        assert run(["data", "get", f"uniprot:{QUERY}"]) == 0
    out, err = capsys.readouterr()
    _, path, release, sha256 = out.splitlines()[1].split("\t")
    assert (release, sha256) == ("2026_03", read_record(Path(path)).sha256)
    assert "CC BY 4.0" in err
    assert Path(path) == data_path(f"uniprot:{QUERY}")
    assert run(["concepts", path, "-o", str(tmp_path / "table")]) == 0
    assert "rows\t5" in capsys.readouterr().out
    assert run(["data", "get", f"uniprot:{QUERY}", "--offline"]) == 0
    assert "was there already" in capsys.readouterr().err
    assert len(uniprot.asked) == 3


def test_offline_the_error_names_query_file_and_address(capsys):
    assert run(["data", "get", "uniprot-tsv:gene:BRCA2", "--offline"]) == 1
    error = capsys.readouterr().err
    assert all(word in error for word in ("'gene:BRCA2'", str(cache_folder()), SEARCH))


def interpro_entry(accession, pfam, terms=()):
    metadata = {
        "accession": accession,
        "name": f"Name of {accession}",
        "source_database": "interpro",
        "type": "domain",
        "integrated": None,
        "member_databases": {"pfam": {pfam: "short"}, "smart": {"SM00220": "S_TKc"}},
        "go_terms": [{"identifier": t, "name": "binding", "category": {}} for t in terms],
    }
    return {"metadata": metadata}


def test_interpro_names_come_in_pages_and_are_read_as_pfam_names():
    url = "https://www.ebi.ac.uk/interpro/api/entry/interpro/"
    first = {"count": 3, "next": f"{url}?cursor=2", "previous": None}
    first["results"] = [
        interpro_entry("IPR000719", "PF00069", ["GO:0005524", "GO:0004672"]),
        interpro_entry("IPR000980", "PF00017"),
    ]
    last = {"count": 3, "next": None, "results": [interpro_entry("IPR001452", "PF00018")]}
    last["results"][0]["metadata"]["go_terms"] = None
    asked = []

    def answer(request):
        asked.append(request.url)
        if len(asked) == 1:
            return httpx.Response(408)  # "still computing"
        content = last if "cursor" in request.url.params else first
        return httpx.Response(200, json=content, headers={"InterPro-Version": "110.0"})

    with through(answer):
        record = fetch_interpro()
    assert asked[0].params["page_size"] == "200"
    assert (record.release, record.facts["records"]) == ("110.0", 3)
    names = pfam_names(record.path)
    assert names["pfam"].to_list() == ["PF00017", "PF00018", "PF00069"]
    assert names.row(2) == (
        "PF00069",
        "IPR000719",
        "Name of IPR000719",
        ["GO:0004672", "GO:0005524"],
    )
    with through(answer):
        assert get_data("interpro", offline=True) == record.path


def test_all_of_swissprot_is_one_file_with_the_release_of_its_notes():
    notes = "UniProtKB/Swiss-Prot Release 2026_03 of 02-Sep-2026\nUniProtKB/TrEMBL Release x\n"

    def answer(request):
        if request.url.path.endswith("reldate.txt"):
            return httpx.Response(200, text=notes)
        assert request.url.path.endswith("uniprot_sprot.dat.gz")
        return httpx.Response(200, content=(TOY / "toy.dat").read_bytes())

    with through(answer):
        path = get_data("swissprot")
    assert read_record(path).release == "2026_03"
    assert collect([path]).rows.height
    assert [p.name for p in cache_folder().iterdir() if "reldate" in p.name] == []
    assert get_data("swissprot", offline=True) == path


def test_swissprot_offline_is_named():
    with pytest.raises(NotCachedError, match=r"Swiss-Prot at .*uniprot_sprot\.dat\.gz"):
        get_data("swissprot", offline=True)
