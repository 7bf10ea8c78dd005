"""What the page's own files may say: no way from text to HTML or code, no address elsewhere."""

import re
from importlib.resources import files

import pytest

from bio_interp.render import contrast
from bio_interp.reports.site import SITE_POLICY

STATIC = files("bio_interp.reports") / "site/static"
SCRIPTS = sorted(p.name for p in (STATIC / "explorer").iterdir() if p.name.endswith(".js"))


def source(name):
    return (STATIC / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_turns_text_into_html_or_code(name):
    text = source(f"explorer/{name}")
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
    ways += r"|srcdoc|DOMParser|createContextualFragment|\bimport\(|set(Timeout|Interval)\([\"'`]"
    assert not re.findall(ways, text)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_asks_for_anything_by_itself(name):
    text = source(f"explorer/{name}")
    assert not re.findall(r"\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon|EventSource", text)
    if name != "store.js":  # addresses of databases, for links that somebody follows
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_the_page_has_the_policy_of_the_server_and_no_code_of_its_own():
    page = source("index.html")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    # a page cannot forbid frames around itself; a server can
    assert policy == SITE_POLICY.removesuffix("; frame-ancestors 'none'")
    assert "unsafe" not in policy
    assert not re.findall(r"\son\w+=|<style|\sstyle=|<script>", page)
    wanted = re.findall(r'(?:src|href)="([^"#][^"]*)"', page)
    assert all(not re.match(r"[a-z]+:|//", address) for address in wanted)


def test_every_script_is_loaded_and_the_last_one_starts():
    loaded = re.findall(r'<script src="([^"]*)"></script>', source("index.html"))
    ours = [name.removeprefix("explorer/") for name in loaded if name.startswith("explorer/")]
    assert sorted(ours) == SCRIPTS
    assert loaded[-2:] == ["data/index.js", "explorer/main.js"]


@pytest.mark.parametrize("name", [*SCRIPTS, "explorer.css"])
def test_a_file_is_no_longer_than_a_module(name):
    assert len(source(f"explorer/{name}").splitlines()) <= 300


def colors(text, dark):
    """Variables of a stylesheet, light or dark."""
    light, _, rest = text.partition("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", light.partition("}")[0]))
    darker = re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", rest.partition("}")[0])
    return {**found, **dict(darker)} if dark else found


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_every_paper_it_is_on(dark):
    report = (files("bio_interp.reports") / "report.css").read_text(encoding="utf-8")
    found = colors(report, dark) | colors(source("explorer/explorer.css"), dark)
    for paper in ("paper", "lane", "odd"):
        for ink in ("ink", "soft", "accent"):
            assert contrast(found[ink], found[paper]) >= 4.5, (ink, paper)
        assert contrast(found["bar"], found[paper]) >= 3  # pictures


@pytest.mark.parametrize("dark", [False, True])
def test_letters_of_a_logo_stand_out(dark):
    style, draw = source("explorer/explorer.css"), source("explorer/draw.js")
    paper = {False: "#ffffff", True: "#14171c"}[dark]
    used = dict(re.findall(r'"[A-Z]+", "(\w+)", "(#[0-9a-f]{6})"', draw))
    assert len(used) == 5
    if dark:
        del used["hydrophobic"]  # has the colour of text
        used |= dict(re.findall(r"\.(\w+) \{ fill: (#[0-9a-f]{6}); \}", style))
    assert all(contrast(color, paper) >= 4.5 for color in used.values())
