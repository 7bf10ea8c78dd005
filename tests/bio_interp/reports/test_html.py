import re
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bio_interp.atlas import ProteinResult, ProteinStatus
from bio_interp.render import DARK_PAPER, LIGHT_PAPER, contrast
from bio_interp.reports._tracks import HEAT_ROWS, heat_cells

from .conftest import fake_annotate, make_call, read_page, written

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title></textarea><svg onload=alert(1)>",
    "&lt;b&gt; &amp; &#0; \x00\x1b",
]


def page(header, results, **options):
    return read_page(written("html", results, header, **options).decode())


def one(calls, *, accession="P1", length=100, activations=None):
    status = ProteinStatus(accession, length, "ok", len(calls), "")
    return ProteinResult(status, tuple(calls), "A" * length, activations or {})


def every(node):
    for child in node.children:
        if not isinstance(child, str):
            yield child
            yield from every(child)


def test_the_page_says_where_the_calls_come_from(header, proteins):
    text = page(header, fake_annotate(proteins)).all("header")[0].text
    for fact in ("toy 2", "unirep", "CC BY-NC 4.0", "0.8", "bio_interp 0.1.0", "for people"):
        assert fact in text


def test_all_proteins_have_a_section_also_those_without_calls(header, proteins):
    sections = page(header, fake_annotate(proteins)).all("section")
    heads = [section.all("h2")[0].text for section in sections]
    assert heads == [
        "P1 4 residues, ok, 2 calls",
        "P 2;x 4 residues, no_known_concept, 0 calls",
        "P3 5 residues, ok, 1 call",
    ]
    assert [len(section.all("table")) for section in sections] == [1, 0, 1]


def test_nothing_is_fetched_and_nothing_runs(header, proteins):
    result = one([make_call("P1", 3, 9)], activations={12: np.ones(100)})
    nodes = list(every(page(header, [result, *fake_annotate(proteins)])))
    assert {n.tag for n in nodes}.isdisjoint({"script", "link", "img", "iframe", "object", "base"})
    for node in nodes:
        for name, value in node.attributes.items():
            assert not name.startswith("on")
            assert name != "src"
            assert name != "href" or value.startswith("#")
    assert "url(" not in written("html", [result], header).decode()
    (policy,) = [n for n in nodes if "http-equiv" in n.attributes]
    assert policy.attributes["content"].startswith("default-src 'none'")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_text_wherever_they_stand(header, text):
    call = make_call(text, 2, 5, name=text, concept=text, exposure=text, flags=(text,))
    status = ProteinStatus(text, 9, "ok", 1, text)
    result = ProteinResult(status, (call,), "ACDEFGHIK", {12: np.arange(9.0)})
    root = page(header, [result])
    plain = page(header, [one([make_call("P1", 2, 5)], length=9, activations={12: np.arange(9.0)})])
    assert {n.tag for n in every(root)} == {n.tag for n in every(plain)} | {"p"}
    assert not [name for n in every(root) for name in n.attributes if name.startswith("on")]
    shown = re.sub(r"[\x00-\x08\x0e-\x1f]", "\ufffd", text)
    (section,) = root.all("section")
    assert section.all("h2")[0].children[0] == shown + " "
    assert section.all("a")[0].attributes["aria-label"].split("\n")[0] == shown
    assert section.all("td")[2].text == " ".join(shown.split())


def test_rows_come_in_the_order_of_interpros_pages(header):
    concepts = ("uniprot:ACT_SITE", "prosite:PS00107", "pfam:PF00069", "uniprot:MOTIF/x")
    calls = [make_call("P1", 5, 9, concept=c, name=c, features=(3,)) for c in concepts]
    root = page(header, [one(calls, activations={3: np.ones(100)})])
    (tracks,) = [n for n in every(root) if n.attributes.get("class") == "tracks"]
    assert [
        n.text for n in every(tracks) if n.tag == "h3" or n.attributes.get("class") == "label"
    ] == [
        *("residue", "Domains and regions", "pfam:PF00069"),
        *("Motifs", "prosite:PS00107", "uniprot:MOTIF/x"),
        *("Sites", "uniprot:ACT_SITE", "Features", "f3"),
    ]


def test_a_bar_says_all_of_its_call_to_the_mouse_and_to_a_screen_reader(header):
    call = make_call("P1", 41, 60, flags=("weak", "window_edge"))
    root = page(header, [one([call])])
    (bar,) = root.all("a")
    assert bar.attributes["aria-label"].split("\n") == [
        *("EF-hand; calcium, 1=yes & 100%", "pfam:PF00036", "residues 41-60"),
        *("precision 0.934 (0.861 to 0.972), n = 118", "features f12, f7", "weak, window_edge"),
    ]
    assert "left:40.0000%;width:20.0000%" in bar.attributes["style"]
    assert "weak" in bar.attributes["class"].split()
    targets = [n.attributes["id"] for n in root.all("tr") if "id" in n.attributes]
    assert [bar.attributes["href"]] == [f"#{target}" for target in targets]


def test_ids_are_unique_and_drawings_have_words(header, proteins):
    results = [one([make_call("P1", 3, 9)], activations={12: np.eye(100)[40]})] * 2
    nodes = list(every(page(header, [*results, *fake_annotate(proteins)])))
    ids = [n.attributes["id"] for n in nodes if "id" in n.attributes]
    assert len(ids) == len(set(ids))
    drawings = [n for n in nodes if n.tag == "svg"]
    assert len(drawings) == 2
    for drawing in drawings:
        assert drawing.attributes["role"] == "img"
        words = drawing.attributes["aria-label"]
        assert words.startswith("toy/f12, behind EF-hand")
        assert words.endswith("strongest 1 at residue 41; fires at 41-41")


def test_a_concept_has_one_colour_on_the_page(header):
    calls = [make_call("P1", 3, 9), make_call("P1", 20, 30), make_call("P1", 5, 9, concept="x:y")]
    text = written("html", [one(calls)], header).decode()
    colours = re.findall(r'class="call.*?--c:(#\w{6})', text)
    assert colours[0] == colours[1] != colours[2]


def test_features_beyond_those_drawn_are_counted(header):
    features = tuple(range(HEAT_ROWS + 3))
    call = make_call("P1", 3, 9, features=features)
    root = page(header, [one([call], activations=dict.fromkeys(features, np.ones(100)))])
    assert len(root.all("svg")) == HEAT_ROWS
    assert "3 more features are in the table." in [n.text for n in root.all("p")]


def test_an_interrupted_page_is_whole_and_says_so(header, proteins):
    root = page(header, fake_annotate(proteins[:2]), complete=False)
    assert "after the first 2 are not here" in root.all("footer")[0].text


@given(st.lists(st.floats(0, 50, width=32), min_size=1, max_size=200))
def test_cells_of_a_short_protein_are_its_firing_residues(values):
    cells = heat_cells(np.array(values))
    drawn = {i for start, end, _ in cells for i in range(start, end)}
    assert drawn == {i for i, value in enumerate(values) if value > 0}
    assert all(1 <= level <= 5 for *_, level in cells)


@given(st.integers(201, 40_000), st.data())
def test_a_residue_that_fires_in_a_long_protein_is_never_lost(length, data):
    place = data.draw(st.integers(0, length - 1))
    values = np.zeros(length, dtype=np.float32)
    values[place] = 2.0
    ((start, end, level),) = heat_cells(values)
    assert start <= place < end <= length
    assert level == 5
    assert end - start <= -(-length // 200)


@pytest.mark.parametrize(("scheme", "paper"), [(0, LIGHT_PAPER), (1, DARK_PAPER)])
def test_words_stand_out_from_the_paper_in_light_and_dark(scheme, paper):
    css = (files("bio_interp.reports") / "report.css").read_text()
    block = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)[scheme]
    colours = dict(re.findall(r"--(\w+): (#\w{6});", block))
    assert colours["paper"] == paper
    for ink in ("ink", "soft", "warn"):
        assert contrast(colours[ink], colours["paper"]) >= 4.5  # WCAG 2.2, 1.4.3
    assert contrast(colours["ink"], colours["lane"]) >= 4.5
