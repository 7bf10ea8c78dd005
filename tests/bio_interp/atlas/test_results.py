"""What a result carries beside its calls, and calls as tables."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from bio_interp.atlas import Annotations, Call
from bio_interp.atlas._calls import flag_window_edges
from bio_interp.atlas._named import named_features
from bio_interp.errors import MissingExtraError, NotFoundError
from bio_interp.linking import LINKS

from .conftest import RUN, OneHotModel

SEQUENCE = "ACDEFGHIKL" * 2 + RUN + "ACDEFGHIKL"  # the run is at 21 to 40


class CutModel(OneHotModel):
    """Reads every protein as if in two windows that meet after `cut` residues."""

    def __init__(self, cut):
        self.cut = cut

    def activations(self, sequences, sites, *, edits=None):
        for reading in super().activations(sequences, sites):
            yield replace(reading, windowed=True, cuts=(self.cut,))


def calls(atlas, **options):
    (result,) = atlas.annotate(SEQUENCE, min_precision=0.0, **options)
    return result


@pytest.mark.parametrize(
    ("cut", "flagged"), [(19, False), (20, True), (30, True), (40, True), (41, False)]
)
def test_a_call_that_reaches_the_seam_of_two_windows_is_flagged(
    toy_atlas, monkeypatch, cut, flagged
):
    monkeypatch.setitem(toy_atlas.__dict__, "_model", CutModel(cut))
    (call,) = calls(toy_atlas).calls
    assert (call.start, call.end) == (21, 40)
    assert ("window_edge" in call.flags) == flagged


def test_without_windows_nothing_is_flagged(toy_atlas):
    assert "window_edge" not in calls(toy_atlas).calls[0].flags


def test_the_flag_comes_after_those_that_are_there():
    call = Call("P", 5, 9, "c", "c", "locator", (1,), 1.0, 0.5, 0.4, 0.6, 9, "x", ("weak",))
    assert flag_window_edges([call], [7])[0].flags == ("weak", "window_edge")
    assert flag_window_edges([call], []) == [call]


def test_a_result_has_its_sequence_and_activations_only_when_asked_for(toy_atlas):
    plain, asked = calls(toy_atlas), calls(toy_atlas, activations=True)
    assert plain.sequence == SEQUENCE
    assert plain.activations == {}
    (call,) = asked.calls
    assert set(asked.activations) == set(call.features)
    firing = np.flatnonzero(asked.activations[call.features[0]]) + 1
    assert (firing.min(), firing.max()) == (21, 40)
    assert len(asked.activations[call.features[0]]) == len(SEQUENCE)


def test_a_protein_too_short_to_read_still_has_its_sequence(toy_atlas):
    (result,) = toy_atlas.annotate({"short": "MKV"})
    assert (result.sequence, result.calls) == ("MKV", ())


@pytest.mark.parametrize("proteins", [{"a": SEQUENCE, "b": SEQUENCE}, {}])
def test_calls_become_a_table_of_pandas_with_the_types_of_the_frame(toy_atlas, proteins):
    pytest.importorskip("pandas")
    table = toy_atlas.annotate(proteins, min_precision=0.0).to_pandas()
    frame = toy_atlas.annotate(proteins, min_precision=0.0).df
    assert list(table.columns) == frame.columns
    assert table["start"].tolist() == frame["start"].to_list() == [21] * len(proteins)
    assert table["start"].dtype == "int64"
    assert table["precision"].dtype == "float64"


def test_without_pandas_the_error_names_it(monkeypatch):
    monkeypatch.setattr("bio_interp.atlas._calls.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="pip install pandas"):
        Annotations([]).to_pandas()


def link(feature, concept, kind, select_f1, test_f1):
    values = {"feature": feature, "concept": concept, "name": concept.upper(), "link_type": kind}
    return {**dict.fromkeys(LINKS), **values, "select_f1": select_f1, "test_f1": test_f1}


def test_a_feature_is_named_by_its_best_link_on_select_where_that_is_good():
    rows = [
        link(3, "x:a", "locator", 0.6, 0.9),
        link(3, "x:b", "delineator", 0.7, 0.1),
        link(4, "x:a", "locator", 0.49, 0.9),
        link(5, "x:c", "interplm", 0.9, 0.9),
    ]
    found = named_features(pl.DataFrame(rows, schema=LINKS))
    assert set(found) == {3}
    assert (found[3].concept, found[3].name, found[3].test_f1) == ("x:b", "X:B", 0.1)


def test_an_atlas_names_its_linked_feature(toy_atlas):
    (named,) = toy_atlas.feature_concepts().values()
    assert (named.concept, named.name) == ("toy:W", "tryptophan run")


def test_what_is_asked_for_out_of_turn_is_kept_until_its_turn(toy_atlas):
    found = toy_atlas.annotate({f"P{i}": SEQUENCE for i in range(3)})
    assert found["P1"].protein.accession == "P1"
    assert repr(found).startswith("Annotations(2 results read ahead")
    assert found.df["accession"].to_list() == ["P0", "P1", "P2"]
    assert found.df.height == 3, "a table that is asked for twice is the same"
    assert [r.protein.accession for r in found] == ["P0", "P1", "P2"]
    with pytest.raises(NotFoundError, match="P1"):
        found["P1"]


def test_a_notebook_shows_the_first_proteins_and_says_how_many_there_are(toy_atlas):
    found = toy_atlas.annotate({f"P{i}": "MKTAYIAKQRQISF" for i in range(25)})
    shown = found._repr_html_()
    assert "P19" in shown
    assert "P20" not in shown
    assert "5 more proteins" in shown
    assert sum(1 for _ in found) == 25
