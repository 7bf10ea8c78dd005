from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from bio_interp.render import (
    DARK_PAPER,
    LIGHT_PAPER,
    Markup,
    concept_color,
    contrast,
    element,
    escape,
    table,
)


@given(st.text())
def test_escaped_text_has_no_sign_with_a_meaning_and_reads_back(text):
    safe = escape(text)
    assert not set(safe) & set("<>\"'")
    kept = [c for c in text if c.isprintable()]
    assert [c for c in unescape(safe) if c.isprintable() and c != "\ufffd"] == [
        c for c in kept if c != "\ufffd"
    ]


def test_markup_is_escaped_once_only():
    assert element("b", element("i", "a&b")) == "<b><i>a&amp;b</i></b>"
    assert escape(escape("<")) == "&lt;"
    assert isinstance(element("b"), Markup)


def test_attributes_are_left_out_or_bare_or_quoted():
    made = element("a", class_="x", hidden=True, title=None, open=False, aria_label='"')
    assert made == '<a class="x" hidden aria-label="&quot;"></a>'


def test_a_table_escapes_its_cells():
    assert "<td>&lt;b&gt;</td>" in table(["<i>"], [["<b>"]])
    assert "<i>" not in table(["<i>"], [["<b>"]])


@given(st.text())
def test_the_colour_of_a_concept_stands_out_from_light_and_dark_paper(concept):
    colour = concept_color(concept)
    assert contrast(colour, LIGHT_PAPER) >= 3  # WCAG 2.2, 1.4.11
    assert contrast(colour, DARK_PAPER) >= 3


def test_colours_of_concepts_do_not_change_from_release_to_release():
    stored = {
        "pfam:PF00069": "#6a841a",
        "uniprot:HELIX": "#9a65b5",
        "uniprot:STRAND": "#5b77c8",
    }
    assert {concept: concept_color(concept) for concept in stored} == stored
