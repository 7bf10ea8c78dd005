import httpx
import pytest

from bio_interp.cache import route_through


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BIO_INTERP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BIO_INTERP_OFFLINE", raising=False)


class Server:
    """Gives its answers one after the other, the last one ever again, and notes what was asked."""

    def __init__(self):
        self.answers, self.asked, self.waits = [], [], []

    def __call__(self, request):
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer = answer(request) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def server():
    recorded = Server()
    with route_through(httpx.MockTransport(recorded), wait=recorded.waits.append):
        yield recorded
