"""What the page shows is what the commands print."""

import re
import shlex

import pytest

from bio_interp.cache import is_cached
from bio_interp.cli._app import run

MODEL = "--proteins"  # features and concepts are shown without the weights


@pytest.mark.parametrize("number", range(3))
def test_a_command_prints_what_the_page_shows(number, blocks, docs, monkeypatch, capsys):
    shown = blocks("howto-look.md", "console")
    assert len(shown) == 3
    command, _, output = shown[number].removeprefix("$ bio-interp ").partition("\n")
    if MODEL in command and not is_cached("unirep"):
        pytest.skip("the weights of unirep are not in the cache")
    monkeypatch.chdir(docs.parent)
    monkeypatch.setenv("COLUMNS", "86")
    assert run([*shlex.split(command), "--quiet"]) == 0
    printed = capsys.readouterr().out
    if MODEL in command:
        assert _calls(printed) == _calls(output)
        assert len(_calls(output)) == 7
    else:
        assert printed == output


def _calls(text: str) -> list[str]:
    """Take the lines of calls without features: those near a threshold depend on the processor."""
    return [re.sub(r"( f\d+)+$", "", line) for line in text.splitlines() if "uniprot:" in line]


def test_the_concepts_that_the_page_names_are_there(docs):
    text = (docs / "howto-look.md").read_text()
    section = text.partition("## A concept")[2].partition("## A protein")[0]
    targets = re.findall(r"^    bio-interp show (\S+)", section, re.MULTILINE)
    assert len(targets) == 3
    for target in targets:
        assert run(["show", target, "--quiet"]) == 0
