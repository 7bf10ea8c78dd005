import json

import httpx
import pytest

from bio_interp.cache import Page, fetch_pages
from bio_interp.errors import NotCachedError, NotFoundError

URL = "https://example.org/list"


def read(answer):
    content = answer.json()
    return Page(content["rows"], content["total"], content.get("next"), head="name")


def page(number, rows, total=5, last=3, release="7"):
    content = {"rows": rows, "total": total}
    if number < last:
        content["next"] = f"{URL}?page={number + 1}"
    return httpx.Response(200, json=content, headers={"Release": release} if release else {})


def three(**options):
    rows = (["a", "b"], ["c", "d"], ["e"])
    return [page(number, part, **options) for number, part in enumerate(rows, start=1)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "list.tsv"


def get(path, **options):
    return fetch_pages(URL, path, read, what="the list", release_header="Release", **options)


def test_three_pages_become_one_file(server, path):
    server.answers = three()
    sizes = []
    record = get(path, facts={"query": "all"}, progress=sizes.append)
    assert path.read_text() == "name\na\nb\nc\nd\ne\n"
    assert [str(request.url) for request in server.asked] == [URL, f"{URL}?page=2", f"{URL}?page=3"]
    assert (record.url, record.release, record.bytes) == (URL, "7", 15)
    assert record.facts == {"query": "all", "records": 5}
    assert len(sizes) == 3
    assert get(path, offline=True) == record


def test_fewer_records_than_announced_are_an_error(server, path):
    server.answers = three(total=6)
    with pytest.raises(NotCachedError, match="5 records of the 6 announced"):
        get(path)
    assert list(path.parent.iterdir()) == []


def test_more_records_than_announced_are_an_error(server, path):
    server.answers = three(total=3)
    with pytest.raises(NotCachedError, match="4 records or more, of 3 announced"):
        get(path)


def test_a_link_that_leads_in_circles_ends(server, path):
    server.answers = [page(1, ["a"]), page(2, [])]
    with pytest.raises(NotCachedError, match="an empty page after 1 of 5"):
        get(path)


def test_a_query_that_nothing_fits_is_said(server, path):
    server.answers = [page(1, [], total=0, last=1)]
    with pytest.raises(NotFoundError, match="nothing fits"):
        get(path)
    assert list(path.parent.iterdir()) == []


def test_a_busy_server_is_asked_for_the_same_page_again(server, path):
    first, second, third = three()
    server.answers = [first, httpx.Response(500), httpx.ReadTimeout("slow"), second, third]
    get(path)
    assert path.read_text().split() == ["name", "a", "b", "c", "d", "e"]
    assert [r.url.query for r in server.asked] == [b"", b"page=2", b"page=2", b"page=2", b"page=3"]


def test_a_truncated_page_is_asked_for_again(server, path):
    first, second, third = three()
    cut = httpx.Response(200, content=iter([b'{"rows": []']), headers={"Content-Length": "99"})
    server.answers = [first, cut, second, third]
    assert get(path).facts["records"] == 5


def test_a_page_that_is_no_page_is_quoted(server, path):
    server.answers = [httpx.Response(200, text="<html>Maintenance</html>")]
    with pytest.raises(NotCachedError, match=r"cannot be read.*<html>Maintenance"):
        get(path)
    assert len(server.asked) == 7


def test_another_run_goes_on_after_the_last_page_that_was_kept(server, path):
    first, second, third = three()
    server.answers = [first, second, httpx.Response(503)]
    with pytest.raises(NotCachedError, match="503"):
        get(path)
    assert not path.exists()
    asked = len(server.asked)
    server.answers = [third]
    get(path)
    assert path.read_text() == "name\na\nb\nc\nd\ne\n"
    assert [r.url.query for r in server.asked[asked:]] == [b"page=3"]


def test_bytes_of_a_page_that_was_not_finished_are_cut_off(server, path):
    first, second, third = three()
    server.answers = [first, httpx.Response(503)]
    with pytest.raises(NotCachedError):
        get(path)
    with path.with_name(".list.tsv.part").open("ab") as part:
        part.write(b"\nhalf a p")
    server.answers = [second, third]
    get(path)
    assert path.read_text() == "name\na\nb\nc\nd\ne\n"


@pytest.mark.parametrize("refusal", [httpx.Response(400), page(2, ["x"], release="8")])
def test_a_cursor_that_grew_stale_starts_anew(server, path, refusal):
    server.answers = [page(1, ["old"]), httpx.Response(503)]
    with pytest.raises(NotCachedError):
        get(path)
    server.answers = [refusal, *three(release="8")]
    assert get(path).release == "8"
    assert path.read_text() == "name\na\nb\nc\nd\ne\n"


def test_pages_of_two_releases_are_never_mixed(server, path):
    def ever_newer(request):
        return page(len(server.asked) % 2 + 1, ["a"], release=str(len(server.asked)))

    server.answers = [ever_newer]
    with pytest.raises(NotCachedError, match="do not belong together"):
        get(path)
    assert not path.exists()


def test_a_release_that_the_server_keeps_to_itself_is_said(server, path, caplog):
    server.answers = three(release="")
    assert get(path).release == ""
    assert "named no release" in caplog.text


def test_offline_the_error_names_the_file_and_the_address(server, path):
    with pytest.raises(NotCachedError) as caught:
        get(path, offline=True)
    assert all(word in str(caught.value) for word in ("the list", str(path), URL))


def test_what_another_run_left_can_be_anything(server, path):
    path.with_name(".list.tsv.part").write_bytes(b"junk")
    path.with_name(".list.tsv.part.json").write_text(json.dumps({"url": URL, "bytes": 99}))
    server.answers = three()
    get(path)
    assert path.read_text() == "name\na\nb\nc\nd\ne\n"
