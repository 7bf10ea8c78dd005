"""The site in a real browser, from the disk and from the server."""

import threading
from urllib.parse import quote

import pytest

from bio_interp.reports.site import open_site, write_site

from .conftest import HOSTILE, NAME, WIDTH, make_view

pytestmark = pytest.mark.browser
VISIBLE = "[...document.querySelectorAll('.grid')].find((g) => g.offsetParent)"
ROWS = f"[...{VISIBLE}.querySelectorAll('.row-of-grid')].filter((r) => !r.hidden)"


@pytest.fixture(scope="module")
def page(browser):
    """One browser for all tests; each looks at the complaints and requests of its own."""
    with browser.browser_page(browser.find_browser()) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _quiet(page):
    """No console error, and no request that leaves this machine, whatever a test does."""
    page.complaints.clear()
    page.requests.clear()
    yield
    page.run("1")
    assert page.complaints == []
    assert page.requests
    assert [r for r in page.requests if not r.startswith(("file:///", "http://127.0.0.1:"))] == []
    assert page.run("document.title") != "owned"


@pytest.fixture
def opened(page, browser, site):
    page.call("Page.navigate", url="about:blank")
    page.open(browser.page_address(site))
    return page


def go(page, address):
    page.run(f"location.hash = {address!r}")
    page.until("document.getElementById('page').dataset.shown === location.hash")


def text_of(page, what="#page"):
    return page.run(f"document.querySelector({what!r}).innerText")


def search(page, words):
    page.run("document.getElementById('search').focus()")
    page.run("document.getElementById('search').select()")
    page.type(words)


def test_the_page_opens_from_the_disk_with_its_tables(opened):
    assert opened.run("document.title") == "Features – toy 1"
    assert text_of(opened, "#found") == f"{WIDTH} features, 3 concepts, 11 proteins"
    assert opened.run(f"{VISIBLE}.getAttribute('aria-rowcount')") == str(WIDTH + 1)


def test_search_finds_features_by_concept_and_number_and_concepts_and_proteins(opened):
    search(opened, "helix")
    assert text_of(opened, "#found").startswith("1 features, 1 concepts, 0 proteins match")
    assert opened.run(f"{ROWS}.map((r) => r.innerText.split('\\n')[0])") == ["f2"]
    search(opened, "F69")
    assert opened.run(f"{ROWS}.map((r) => r.innerText.split('\\n')[0])") == ["f69"]
    search(opened, "p12345")
    assert text_of(opened, "#found").startswith("0 features, 0 concepts, 1 proteins")
    search(opened, "<script>")
    assert text_of(opened, "#found").startswith("1 features, 1 concepts")


def test_rows_far_from_those_in_sight_are_not_in_the_document(opened):
    assert opened.run(f"{VISIBLE}.querySelectorAll('.row-of-grid').length") < WIDTH
    opened.run(f"{VISIBLE}.scrollTop = 1e6")
    opened.until(f"{ROWS}.some((row) => row.ariaRowIndex === '{WIDTH + 1}')")
    assert opened.run(f"{ROWS}.every((row) => row.ariaRowIndex > 10)")


def test_a_click_on_a_head_sorts_and_another_turns_it_round(opened):
    first = f"{ROWS}.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)[0].innerText.split('\\n')[0]"
    head = f"{VISIBLE}.querySelectorAll('[role=columnheader]')[0]"
    opened.run(f"{head}.querySelector('button').click()")
    assert (opened.run(first), opened.run(f"{head}.ariaSort")) == ("f0", "ascending")
    opened.run(f"{head}.querySelector('button').click()")
    assert (opened.run(first), opened.run(f"{head}.ariaSort")) == (f"f{WIDTH - 1}", "descending")


def test_keys_alone_lead_from_the_search_to_a_feature_and_back(opened):
    opened.run("document.activeElement.blur()")
    opened.press("/", code=191)
    opened.type("toy/f6")
    opened.press("Enter", code=13)
    opened.press("ArrowDown", code=40)
    active = f"document.getElementById({VISIBLE}.getAttribute('aria-activedescendant')).innerText"
    assert opened.run(f"{active}.startsWith('f60')")
    opened.press("Enter", code=13)
    opened.until("location.hash === '#toy/f60' && !document.getElementById('page').hidden")
    assert opened.run("document.activeElement.tagName") == "H2"
    opened.press("Escape", code=27)
    opened.until("document.getElementById('page').hidden")
    opened.until(f"document.activeElement === {VISIBLE}")


def test_a_feature_page_has_portrait_logo_histogram_proteins_and_links(opened):
    go(opened, "#toy/f0")
    shown = text_of(opened)
    for words in ("toy/f0", "Fires at 1 %", "extent", "Motif", "locator", "0.80", "14 *", NAME):
        assert words in shown
    assert opened.run("document.querySelectorAll('#page .letter').length") == 2
    assert opened.run("document.querySelectorAll('#page .bar').length") == 20
    assert opened.run("document.querySelectorAll('#page .window').length") == 10
    assert opened.run("document.querySelector('#page .peak').textContent") == "W"
    heights = opened.run(
        "[...document.querySelectorAll('#page .bar')].map((b) => b.getBBox().height)"
    )
    assert heights[0] > heights[1] > heights[2] > heights[3] > heights[4] == 0


def test_a_logo_letter_is_as_high_as_its_bits(opened):
    go(opened, "#toy/f0")
    W, C = opened.run("""[...document.querySelectorAll('#page .letter')].map((l) => {
      const m = l.transform.baseVal.consolidate().matrix;
      const pen = document.createElement('canvas').getContext('2d');
      pen.font = 'bold 100px Arial, Helvetica, sans-serif';
      const box = pen.measureText(l.textContent);
      return m.d * (box.actualBoundingBoxAscent + box.actualBoundingBoxDescent);
    })""")
    assert pytest.approx(120, abs=0.5) == W  # the highest column fills the picture
    assert pytest.approx(W, abs=0.5) == C


def test_a_feature_that_never_fires_says_so(opened):
    go(opened, f"#toy/f{WIDTH - 1}")
    assert "Never fires in 10 proteins." in text_of(opened)


def test_a_view_is_shown_apart_where_there_is_one_and_nothing_where_there_is_none(opened):
    go(opened, "#toy/f1")
    assert opened.run("document.querySelector('#page iframe').sandbox.value") == "allow-scripts"
    assert "3D view" in text_of(opened)
    go(opened, "#toy/f2")
    assert opened.run("document.querySelector('#page iframe')") is None
    assert "3D view" not in text_of(opened)
    go(opened, "#protein=Q99999")
    assert opened.run("document.querySelectorAll('#page iframe').length") == 1


def test_a_concept_page_has_links_callers_and_the_curve(opened):
    go(opened, "#concept=pfam%3APF00001")
    shown = text_of(opened)
    for words in (NAME, "Calls", "f0", "What a call is worth", "0.80", "PF00002", "IPR000001"):
        assert words in shown
    links = opened.run("[...document.querySelectorAll('#page .elsewhere')].map((a) => a.href)")
    assert sorted(links) == [
        "https://www.ebi.ac.uk/interpro/entry/InterPro/IPR000001",
        "https://www.ebi.ac.uk/interpro/entry/pfam/PF00001",
    ]


@pytest.mark.parametrize("name", [h for h in HOSTILE if "\ud800" not in h])
def test_a_hostile_name_is_text_wherever_it_stands(opened, name):
    go(opened, f"#protein={quote(name)}")
    title = opened.run("document.querySelector('#page h2').firstChild.textContent")
    assert title == name
    assert opened.run("document.querySelectorAll('#page img, #page script').length") == 0
    assert opened.run("document.querySelectorAll('#page svg[onload]').length") == 0
    assert len(opened.run("[...document.querySelectorAll('#page .call')].map((a) => a.hash)")) == 1
    addresses = opened.run("[...document.querySelectorAll('a[href]')].map((a) => a.protocol)")
    assert set(addresses) <= {"file:", "https:"}


def test_a_hostile_concept_and_the_facts_of_the_atlas_are_text(opened):
    go(opened, f"#concept={quote(HOSTILE[3])}")
    assert opened.run("document.querySelector('#page h2').firstChild.textContent") == HOSTILE[1]
    go(opened, "#about")
    shown = text_of(opened)
    assert HOSTILE[0] in shown
    assert HOSTILE[1] in shown
    assert opened.run("document.querySelectorAll('img').length") == 0


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("#toy/f70", "no feature toy/f70"),
        ("#other/f1", "no feature other/f1"),
        ("#concept=nope", "no concept nope"),
        ("#protein=<b>x", "no protein <b>x"),
    ],
)
def test_an_address_that_leads_nowhere_says_so(opened, address, words):
    go(opened, address)
    assert words in text_of(opened)


def test_an_address_opens_its_page_at_once(page, browser, site):
    page.call("Page.navigate", url="about:blank")
    page.open(browser.page_address(site) + "#toy/f33")
    page.until("document.getElementById('page').dataset.shown === '#toy/f33'")
    assert page.run("document.title").startswith("toy/f33")
    page.call("Page.navigate", url="about:blank")
    page.open(browser.page_address(site) + "#search=helix")
    assert page.run("document.getElementById('search').value") == "helix"


def test_downloads_hand_out_what_is_shown(opened):
    script = """(async () => {
      let taken;
      const make = URL.createObjectURL;
      URL.createObjectURL = (blob) => { taken = blob; return make(blob); };
      HTMLAnchorElement.prototype.click = function () { taken.name = this.download; };
      [...document.querySelectorAll('button')].find(
        (b) => b.offsetParent && b.textContent.startsWith(%r)).dispatchEvent(new Event('click'));
      URL.createObjectURL = make;
      return [taken.name, await taken.text()];
    })()"""
    search(opened, "f2")
    name, text = opened.run(script % "Download these rows")
    rows = [line.split("\t") for line in text.splitlines()]
    assert name == "toy-features.tsv"
    assert rows[0][:3] == ["feature", "name", "link type"]
    assert rows[1][:3] == ["toy/f2", "Helix", "locator"]
    assert {row[0] for row in rows[1:]} == {"toy/f2", *(f"toy/f{n}" for n in range(20, 30))}
    go(opened, "#toy/f0")
    assert opened.run(script % "Download logo")[1].startswith("<svg ")
    assert ">P12345/2-22\nMKVLAMKVLAWKVLAMKVLAM\n" in opened.run(script % "Download windows")[1]


def test_the_same_pages_come_from_the_server_under_its_policy(page, site):
    with open_site(site, 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            page.open(server.url)
            go(page, "#toy/f1")
            assert "3D view" in text_of(page)
            page.until("document.querySelector('#page iframe')")
            go(page, f"#protein={quote(HOSTILE[0])}")
            assert page.run("document.querySelectorAll('#page .call').length") == 1
            page.call("Page.navigate", url="about:blank")
        finally:
            server.shutdown()
            thread.join()


def test_dark_paper_is_dark(opened):
    opened.dark(True)
    paper = opened.run("getComputedStyle(document.body).backgroundColor")
    opened.dark(False)
    assert paper == "rgb(20, 23, 28)"


def test_a_site_without_proteins_and_views_works(page, browser, atlas, tmp_path):
    write_site(atlas, tmp_path / "bare", proteins=[make_view("P 1")])
    page.open(browser.page_address(tmp_path / "bare"))
    go(page, "#protein=P%201")
    assert "Domains and regions" in text_of(page)
