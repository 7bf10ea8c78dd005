"""The figures of the page are those that were measured."""

import json
import re

import pytest


@pytest.fixture(scope="module")
def text(docs):
    return (docs / "statistics.md").read_text()


@pytest.fixture(scope="module")
def measured(docs):
    return json.loads((docs.parent / "benchmarks/results/unirep_atlas.json").read_text())


def rows(text, first):
    found = re.findall(rf"^\| {first}[^\n]*\|$", text, re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in found]


def test_the_table_by_lower_end(text, measured):
    assert {row[0]: [float(x) for x in row[1:]] for row in rows(text, r"0\.\d")} == {
        low: [at["calls_per_1000"], at["stated"], at["realised"], at["concepts"]]
        for low, at in measured["by_lower_bound"].items()
    }


@pytest.mark.parametrize(
    ("title", "source"),
    [("Pfam families", "pfam"), ("Pfam groups", "pfam-group"), ("UniProt features", "uniprot")],
)
def test_the_table_of_link_types(title, source, text, measured):
    (row,) = rows(text, title)
    ours, neurons = measured["links"][source], measured["neurons"][source]
    kinds = ("family_marker", "locator", "delineator", "interplm")
    assert int(row[1]) == ours["concepts"]
    found = [tuple(map(int, re.findall(r"\d+", cell))) for cell in row[2:]]
    assert found == [(ours[kind], neurons[kind]) for kind in kinds]


def test_the_twin(text, measured):
    twin, less = measured["twin"]["twin"], measured["sae_minus_twin"]["family_marker"]
    words = " ".join(text.split())
    assert twin["pfam"]["family_marker"] == 0
    assert f"none of {twin['pfam']['concepts']} Pfam families" in words
    uniprot = twin["uniprot"]
    assert f"{uniprot['family_marker']} of {uniprot['concepts']} UniProt features" in words
    assert f"{less['concepts']} concepts its family markers have {less['difference']:.2f}" in words
    assert f"interval {less['low']:.2f} to {less['high']:.2f}" in words


def test_the_other_figures(text, measured):
    calibration = measured["calibration"]
    for name in ("all", "pfam", "pfam-group"):
        assert f"{calibration[f'calibration_error_{name}']:.3f}" in text
    assert f"{calibration['interval_coverage']['strata']} intervals" in text
    assert f"{calibration['interval_coverage']['held']:.0%}".replace("%", " %") in text
    decoys = " | ".join(f"{n:.0f}" for n in measured["decoys_per_1000_at_low_0.8"].values())
    assert f"| {decoys} |" in text
    for third in measured["recall_of_span_thirds_at_low_0.5"]:
        assert f"{third:.0%}".replace("%", " %") in text


def test_what_linking_anew_changed(text, docs):
    found = json.loads((docs.parent / "benchmarks/results/reference_atlas.json").read_text())
    shown = rows(text, "linked anew")
    assert len(shown) == 2
    for row, source in zip(shown, ("uniprot", "pfam"), strict=True):
        links = found["relinked"]["links"][source]
        kinds = ("family_marker", "locator", "delineator", "interplm")
        cells = [f"{links[kind]} ({links[f'{kind}_mean_f1']:.3f})" for kind in kinds]
        assert row[1:] == [str(links["concepts"]), *cells]
    helix = found["relinked"]["helix_calls_on_test"]
    words = " ".join(text.split())
    assert f"{helix['relinked']['precision']:.0%}".replace("%", " %") + " of its calls" in words
    assert f"of the first {helix['before']['precision']:.0%}".replace("%", " %") in words
