import errno
import gzip
import hashlib
import io
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from bio_interp.cache import fetch, read_record
from bio_interp.errors import InputError, MismatchError, NotCachedError
from bio_interp.provenance import sha256_file

URL = "https://example.org/weights.bin"
CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "kept" / "weights.bin"


def whole(**headers):
    return httpx.Response(200, content=CONTENT, headers=headers)


def broken_off(size, error=None, **headers):
    """An answer that announces everything and ends after `size` bytes."""

    def body():
        yield CONTENT[:size]
        if error:
            raise error

    return httpx.Response(200, content=body(), headers={"Content-Length": "10240", **headers})


def rest(request):
    """What a server that knows ranges answers."""
    start = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
    headers = {"Content-Range": f"bytes {start}-10239/10240", "ETag": '"v1"'}
    return httpx.Response(206, content=CONTENT[start:], headers=headers)


def files(path):
    return sorted(p.name for p in path.parent.iterdir()) if path.parent.exists() else []


def test_a_download_is_kept_whole_with_its_record(server, path):
    dates = {"ETag": '"v1"', "Last-Modified": "Wed, 02 Sep 2026 00:00:00 GMT"}
    server.answers = [whole(**dates, **{"X-UniProt-Release": "2026_03"})]
    sizes = []
    header, facts = "X-UniProt-Release", {"licence": "MIT"}
    options = {"release_header": header, "facts": facts, "progress": sizes.append}
    record = fetch(URL, path, sha256=SHA256, **options)
    assert path.read_bytes() == CONTENT
    assert files(path) == ["weights.bin", "weights.bin.json"]
    assert record == read_record(path)
    assert (record.url, record.sha256, record.bytes) == (URL, SHA256, 10240)
    assert (record.etag, record.last_modified) == tuple(dates.values())
    assert (record.release, record.facts) == ("2026_03", {"licence": "MIT"})
    age = datetime.now(UTC) - datetime.fromisoformat(record.date)
    assert age < timedelta(minutes=5)
    assert sizes[-1] == 10240
    assert server.asked[0].headers["User-Agent"].startswith("bio_interp/")


def test_a_file_that_is_there_is_not_fetched_again(server, path):
    server.answers = [whole()]
    first = fetch(URL, path)
    assert fetch(URL, path, sha256=SHA256, offline=True) == first
    assert len(server.asked) == 1


def test_a_file_put_there_by_hand_is_taken_if_its_hash_is_right(server, path):
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    assert fetch(URL, path, sha256=SHA256).url == ""
    path.write_bytes(b"other")
    with pytest.raises(MismatchError, match=r"weights\.bin.*Delete it"):
        fetch(URL, path, sha256=SHA256)
    assert server.asked == []


def test_a_file_of_another_address_is_fetched_anew(server, path):
    server.answers = [httpx.Response(200, content=b"old"), whole()]
    fetch("https://example.org/old", path)
    with pytest.raises(NotCachedError, match="a file from elsewhere"):
        fetch(URL, path, offline=True)
    fetch(URL, path)
    assert path.read_bytes() == CONTENT


def test_a_wrong_hash_keeps_nothing(server, path):
    server.answers = [whole(ETag='"v1"')]
    with pytest.raises(MismatchError) as caught:
        fetch(URL, path, sha256="0" * 64, what="the weights")
    message = str(caught.value)
    assert all(word in message for word in ("the weights", URL, "0" * 64, SHA256, str(path)))
    assert files(path) == []


def test_an_interrupted_download_goes_on_where_it_was(server, path):
    server.answers = [broken_off(3000, httpx.ReadError("gone"), ETag='"v1"'), rest]
    assert fetch(URL, path, sha256=SHA256).bytes == 10240
    assert server.asked[1].headers["Range"] == "bytes=3000-"
    assert server.asked[1].headers["If-Range"] == '"v1"'
    assert len(server.waits) == 1


def test_another_run_goes_on_with_what_one_left(server, path):
    server.answers = [broken_off(3000, ETag='"v1"'), httpx.Response(404)]
    with pytest.raises(NotCachedError, match="404"):
        fetch(URL, path)
    assert files(path) == [".weights.bin.part", ".weights.bin.part.json"]
    server.answers = [rest]
    fetch(URL, path, sha256=SHA256)
    assert files(path) == ["weights.bin", "weights.bin.json"]
    assert server.asked[-1].headers["Range"] == "bytes=3000-"


def test_what_was_left_of_another_address_is_not_gone_on_with(server, path):
    server.answers = [broken_off(3000, ETag='"v1"'), httpx.Response(404)]
    with pytest.raises(NotCachedError):
        fetch("https://example.org/other", path)
    server.answers = [whole()]
    fetch(URL, path, sha256=SHA256)
    assert "Range" not in server.asked[-1].headers


def test_a_download_that_only_lacks_its_name_is_not_repeated(server, path):
    server.answers = [broken_off(10240, httpx.ReadError("gone"), ETag='"v1"'), httpx.Response(404)]
    with pytest.raises(NotCachedError):
        fetch(URL, path)
    server.answers = [httpx.Response(416, headers={"Content-Range": "bytes */10240"})]
    record = fetch(URL, path, sha256=SHA256)
    assert record.etag == '"v1"'


def test_a_server_that_ignores_ranges_is_read_from_the_start(server, path):
    server.answers = [broken_off(3000, ETag='"v1"'), whole(ETag='"v2"')]
    assert fetch(URL, path, sha256=SHA256).etag == '"v2"'
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"weak"'}])
def test_without_a_strong_validator_nothing_is_gone_on_with(server, path, headers):
    server.answers = [broken_off(3000, **headers), whole()]
    fetch(URL, path, sha256=SHA256)
    assert "Range" not in server.asked[1].headers


def test_the_wrong_part_of_a_file_is_not_used(server, path):
    wrong = httpx.Response(206, content=b"x", headers={"Content-Range": "bytes 5-5/10240"})
    server.answers = [broken_off(3000, ETag='"v1"'), wrong, whole()]
    fetch(URL, path, sha256=SHA256)
    assert "Range" not in server.asked[2].headers


def test_a_file_that_shrank_is_read_from_the_start(server, path):
    gone = httpx.Response(416, headers={"Content-Range": "bytes */100"})
    server.answers = [broken_off(3000, ETag='"v1"'), gone, whole()]
    fetch(URL, path, sha256=SHA256)
    assert len(server.asked) == 3


def test_a_body_shorter_than_announced_is_never_kept(server, path):
    server.answers = [lambda request: broken_off(3000)]
    with pytest.raises(NotCachedError, match=r"3,000 of 10,240 bytes \(7 tries\)"):
        fetch(URL, path)
    assert not path.exists()


def test_the_server_says_how_long_to_wait(server, path):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=300), usegmt=True)
    busy = [httpx.Response(429, headers={"Retry-After": value}) for value in ("120", soon, "?")]
    server.answers = [*busy, whole()]
    fetch(URL, path, sha256=SHA256)
    assert server.waits[0] == 120
    assert 250 < server.waits[1] <= 300
    assert server.waits[2] < 10


def test_nobody_waits_for_hours(server, path):
    server.answers = [httpx.Response(429, headers={"Retry-After": "86400"})]
    with pytest.raises(NotCachedError, match=r"429.*86400 s"):
        fetch(URL, path)
    assert server.waits == []


@pytest.mark.parametrize("trouble", [httpx.Response(503), httpx.ConnectTimeout("timed out")])
def test_waits_double_until_it_gives_up_and_leaves_nothing(server, path, trouble):
    server.answers = [trouble]
    with pytest.raises(NotCachedError) as caught:
        fetch(URL, path, what="the weights")
    message = str(caught.value)
    assert all(word in message for word in ("the weights", URL, str(path), "7 tries", "Try again"))
    assert len(server.asked) == 7
    assert all(0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(server.waits))
    assert files(path) == []


def test_tries_count_anew_while_bytes_come(server, path):
    def a_little_more(request):
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        if start > 10000:
            return rest(request)
        headers = {"ETag": '"v1"', "Content-Range": f"bytes {start}-10239/10240"}
        headers["Content-Length"] = str(10240 - start)
        status = 206 if start else 200
        return httpx.Response(status, content=iter([CONTENT[start : start + 800]]), headers=headers)

    server.answers = [a_little_more]
    fetch(URL, path, sha256=SHA256)
    assert len(server.asked) > 7
    assert max(server.waits) <= 1


def test_a_refusal_is_final_and_quoted(server, path):
    server.answers = [httpx.Response(403, text="This address\nis not for you.")]
    with pytest.raises(NotCachedError, match="403 Forbidden: This address is not for you"):
        fetch(URL, path)
    assert len(server.asked) == 1


def test_an_address_of_no_known_kind_is_our_error(path):
    with pytest.raises(NotCachedError, match="UnsupportedProtocol"):
        fetch("gopher://example.org/x", path)


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_offline_nothing_is_asked(server, path, monkeypatch, by):
    if by == "variable":
        monkeypatch.setenv("BIO_INTERP_OFFLINE", "1")
    with pytest.raises(NotCachedError) as caught:
        fetch(URL, path, offline=by == "argument")
    assert str(path) in caught.value.wanted
    assert URL in caught.value.todo
    assert server.asked == []
    assert files(path) == []


def test_a_variable_that_says_no_allows_downloads(server, path, monkeypatch):
    monkeypatch.setenv("BIO_INTERP_OFFLINE", "0")
    server.answers = [whole()]
    fetch(URL, path)


def test_a_release_that_the_server_keeps_to_itself_is_said(server, path, caplog):
    server.answers = [whole()]
    assert fetch(URL, path, release_header="X-UniProt-Release").release == ""
    assert "named no release" in caplog.text


class FullDisk(io.FileIO):
    """A file on a disk that takes 5,000 bytes more."""

    def write(self, content):
        if self.seek(0, io.SEEK_END) >= 5000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(bytes(content)[: 5000 - self.tell()])


def open_parts_with(monkeypatch, opener):
    real = Path.open

    def open_(self, *arguments, **options):
        is_part = self.suffix == ".part"
        return opener(self) if is_part else real(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", open_)


def test_a_full_disk_leaves_no_half_file_and_the_next_run_goes_on(server, path, monkeypatch):
    server.answers = [whole(ETag='"v1"')]
    with monkeypatch.context() as patch:
        open_parts_with(patch, lambda part: FullDisk(part, "ab+"))
        with pytest.raises(NotCachedError, match=r"No space left.*Free some space") as caught:
            fetch(URL, path)
    assert str(path) in str(caught.value)
    assert not path.exists()
    server.answers = [rest]
    fetch(URL, path, sha256=SHA256)
    assert server.asked[-1].headers["Range"] == "bytes=5000-"


def test_a_read_only_cache_is_said(server, path, monkeypatch):
    def refuse(part):
        raise OSError(errno.EROFS, "Read-only file system", str(part))

    server.answers = [whole()]
    open_parts_with(monkeypatch, refuse)
    with pytest.raises(NotCachedError, match=r"Read-only file system.*BIO_INTERP_CACHE"):
        fetch(URL, path)
    assert server.asked == []


def test_a_cache_inside_of_a_file_is_said(server, tmp_path):
    (tmp_path / "file").write_text("")
    server.answers = [whole()]
    with pytest.raises(NotCachedError, match=r"file/weights\.bin"):
        fetch(URL, tmp_path / "file/weights.bin")


def test_a_record_that_cannot_be_read_is_named(server, path):
    server.answers = [whole()]
    fetch(URL, path)
    path.with_name("weights.bin.json").write_text("{")
    with pytest.raises(InputError, match=r"weights\.bin\.json"):
        fetch(URL, path)


class Slow(BaseHTTPRequestHandler):
    """Serves the content in pieces, with pauses, and notes which range was asked for."""

    def __init__(self, asked, *arguments):
        self.asked = asked
        super().__init__(*arguments)

    def do_GET(self):
        wanted = self.headers["Range"]
        self.asked.append(wanted)
        first = int(wanted[6:-1]) if wanted else 0
        self.send_response(206 if first else 200)
        self.send_header("Content-Range", f"bytes {first}-10239/10240")
        self.send_header("Content-Length", str(10240 - first))
        self.send_header("ETag", '"v1"')
        self.end_headers()
        for start in range(first, len(CONTENT), 1024):
            self.wfile.write(CONTENT[start : start + 1024])
            threading.Event().wait(0.1)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def slow():
    """Address of a real server on this machine, and what it was asked."""
    asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Slow, asked)) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/weights.bin", asked
        http.shutdown()


def start_fetching(url, path):
    code = (
        "import sys; from pathlib import Path; from bio_interp.cache import fetch;"
        "print(fetch(sys.argv[1], Path(sys.argv[2])).sha256)"
    )
    command = [sys.executable, "-c", code, url, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_want_one_file_fetch_it_once(slow, path):
    url, asked = slow
    both = [start_fetching(url, path) for _ in range(2)]
    said = [process.communicate(timeout=60)[0].strip() for process in both]
    assert said == [SHA256, SHA256] == [sha256_file(path)] * 2
    assert len(asked) == 1
    assert files(path) == ["weights.bin", "weights.bin.json"]
    assert json.loads(path.with_name("weights.bin.json").read_text())["url"] == url


def test_a_killed_process_leaves_what_the_next_goes_on_with(slow, path):
    url, asked = slow
    part = path.with_name(".weights.bin.part")
    with start_fetching(url, path) as process:
        while not (part.exists() and part.stat().st_size):
            assert process.poll() is None
            threading.Event().wait(0.01)
        process.kill()
    assert not path.exists()
    size = part.stat().st_size
    assert fetch(url, path).sha256 == SHA256
    assert asked == [None, f"bytes={size}-"]
    assert files(path) == ["weights.bin", "weights.bin.json"]


def squeezed(content, announced):
    headers = {"Content-Encoding": "gzip", "Content-Length": str(announced), "ETag": '"v1"'}
    return httpx.Response(200, content=iter([content]), headers=headers)


def test_a_server_that_compresses_unasked_is_understood_and_not_gone_on_with(server, path):
    content = gzip.compress(CONTENT)
    server.answers = [squeezed(content[:40], len(content)), squeezed(content, len(content))]
    fetch(URL, path, sha256=SHA256)
    assert "Range" not in server.asked[1].headers
