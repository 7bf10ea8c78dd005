"""What the page shows is what its code prints."""

import doctest


def test_the_page_runs_as_shown(docs, monkeypatch):
    monkeypatch.chdir(docs.parent)
    page = docs / "howto-splice.md"
    test = doctest.DocTestParser().get_doctest(page.read_text().replace("```", ""), {}, "", "", 0)
    report: list[str] = []
    done = doctest.DocTestRunner().run(test, out=report.append)
    assert done.attempted >= 20
    assert not done.failed, "".join(report)
