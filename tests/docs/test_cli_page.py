import importlib.util
import re

import pytest

from bio_interp.cli._app import _COMMANDS, _GROUPS, run

COMMANDS = [(name,) for name in _COMMANDS] + [(g, name) for g in _GROUPS for name in _GROUPS[g]]
OPTION = r"(?<![\w-])(--[a-z][a-z-]*|-[a-z])(?![\w-])"


@pytest.fixture(scope="module")
def sections(docs):
    spec = importlib.util.spec_from_file_location("cli_reference", docs / "_ext/cli_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    parts = re.split(r"^## (.+)\n", module.reference(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_page_has_every_command_and_no_other(sections, docs):
    assert sorted(sections) == sorted(" ".join(words) for words in COMMANDS)
    assert "```{cli-reference}" in (docs / "cli.md").read_text()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_section_has_the_options_of_help_and_no_other(words, sections, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    assert run([*words, "--help"]) == 0
    help_text = capsys.readouterr().out
    listed = {o for line in help_text.splitlines() for o in re.findall(OPTION, line[:60])}
    described = re.findall(r"^\* `(.+?)`", sections[" ".join(words)], re.MULTILINE)
    options = {o for entry in described for o in re.findall(OPTION, entry)}
    assert options >= {"--quiet", "-q", "--offline"}
    assert options == listed - {"--help", "-h", "--version"}


def test_arguments_and_choices_are_described(sections):
    assert "* `SOURCE`" in sections["annotate"]
    assert "**[required]**" in sections["annotate"]
    assert "choices: table, tsv, json, gff3, bed" in sections["annotate"]
    assert "bio-interp data get" in sections["data get"]
