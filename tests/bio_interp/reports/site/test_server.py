"""The server: this machine alone, this folder alone."""

import http.client
import socket
import threading

import pytest

from bio_interp.errors import InputError, NotFoundError
from bio_interp.reports.site import SITE_POLICY, VIEW_POLICY, open_site


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "site"
    for name, text in {
        "index.html": "<p>first",
        "data/index.js": "explorer",
        "views/f1.html": "<p>view",
        "style.css": "p {}",
        "links.parquet": "PAR1",
    }.items():
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(text)
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "site2").mkdir()
    (tmp_path / "site2/secret.txt").write_text("secret")
    return made


@pytest.fixture
def server(folder):
    with open_site(folder, 0) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(server, path, *, host=None, method="GET"):
    """Ask for a path as it stands: nothing is tidied on the way."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{server.server_port}")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("/", b"<p>first", "text/html; charset=utf-8"),
        ("/index.html?x=1", b"<p>first", "text/html; charset=utf-8"),
        ("/data/index.js", b"explorer", "text/javascript; charset=utf-8"),
        ("/data/../style.css", b"p {}", "text/css; charset=utf-8"),
        ("/links.parquet", b"PAR1", "application/octet-stream"),
    ],
)
def test_files_of_the_folder_are_served_with_their_type(server, path, text, kind):
    answer, body = ask(server, path)
    assert (answer.status, body, answer.getheader("Content-Type")) == (200, text, kind)


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/data/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "//../secret.txt",
        "/../site2/secret.txt",
        "/data",
        "/data/",
        "/nope",
        "/%00",
        "/%ff",
        "/" + "x" * 5000,
        "/..\\secret.txt",
        "//etc/passwd",
        "/file:///etc/passwd",
    ],
)
def test_nothing_else_is(server, path):
    answer, body = ask(server, path)
    assert answer.status == 404
    assert b"secret" not in body.replace(path.encode(), b"")


def test_a_link_out_of_the_folder_is_not_followed(server, folder):
    (folder / "out.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "up").symlink_to(folder.parent)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "in.css").symlink_to(folder / "style.css")
    for path in ("/out.txt", "/up/secret.txt", "/loop"):
        assert ask(server, path)[0].status == 404
    assert ask(server, "/in.css")[1] == b"p {}"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1"])
def test_another_name_for_this_machine_is_refused(server, host):
    assert ask(server, "/", host=host)[0].status == 421


def test_localhost_is_this_machine(server):
    assert ask(server, "/", host=f"localhost:{server.server_port}")[0].status == 200


def test_nothing_but_reading_is_done(server):
    answer, body = ask(server, "/", method="HEAD")
    assert (answer.status, body, answer.getheader("Content-Length")) == (200, b"", "8")
    for method in ("POST", "PUT", "DELETE"):
        assert ask(server, "/", method=method)[0].status == 501


def test_every_answer_says_what_a_page_may_do(server):
    for path, policy in (
        ("/", SITE_POLICY),
        ("/nope", SITE_POLICY),
        ("/views/f1.html", VIEW_POLICY),
    ):
        answer = ask(server, path)[0]
        assert answer.getheader("Content-Security-Policy") == policy
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        assert answer.getheader("Referrer-Policy") == "no-referrer"


def test_a_request_that_is_none_is_answered_and_does_not_end_the_server(server):
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as line:
        line.sendall(b"nonsense\r\n\r\n")
        assert b"400" in line.recv(4096)
    assert ask(server, "/")[0].status == 200


def test_it_listens_on_the_loopback_address_alone(server):
    assert server.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.server_port}/"


def test_a_folder_that_is_no_site_is_refused(tmp_path):
    with pytest.raises(NotFoundError, match=r"index\.html"):
        open_site(tmp_path, 0)


def test_a_port_that_is_taken_is_said_to_be(server, folder):
    with pytest.raises(InputError, match="--port"):
        open_site(folder, server.server_port)
