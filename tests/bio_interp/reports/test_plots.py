"""Plots hold what they are given: bars on their residues, heat by feature, lines by name."""

import numpy as np
import pytest

import bio_interp as bi
from bio_interp.atlas import Call, FeatureTrack, ProteinResult, ProteinStatus, ProteinView
from bio_interp.errors import InputError
from bio_interp.render import concept_color
from bio_interp.sequences import Protein


def call(start: int, end: int, precision: float) -> Call:
    low = precision - 0.1
    told = ("P1", start, end, "toy:W", "tryptophan run", "locator", (3,), 2.0)
    return Call(*told, precision, low, precision + 0.05, 20, "seen")


@pytest.fixture
def view():
    status = ProteinStatus("P1", 60, "ok", 2)
    calls = (call(11, 20, 0.9), call(40, 41, 0.6))
    heat = FeatureTrack(3, np.r_[np.zeros(10), np.full(10, 2.0), np.zeros(40)], 4.0)
    other = FeatureTrack(7, np.linspace(0, 1, 60), 1.0)
    result = ProteinResult(status, calls, "A" * 60)
    return ProteinView(Protein("P1", "A" * 60), result, {"toy:W": (heat,)}, (other,), "toy")


def test_calls_are_bars_on_their_residues_as_opaque_as_precise(view):
    (axes,) = bi.pl.tracks(view).axes
    bars = [c for c in axes.collections if c.get_paths()]
    ends = [(p.vertices[:, 0].min(), p.vertices[:, 0].max()) for b in bars for p in b.get_paths()]
    assert ends == [(10.5, 20.5), (39.5, 41.5)]
    assert [b.get_alpha() for b in bars] == [0.9, 0.6]
    assert axes.get_xlim() == (0.5, 60.5)


def test_a_row_a_concept_and_feature_in_the_colour_of_the_concept(view):
    (axes,) = bi.pl.tracks(view).axes
    assert [t.get_text() for t in axes.get_yticklabels()] == ["tryptophan run", "f3", "f7"]
    behind, other = axes.get_images()
    assert behind.get_array().max() == 0.5, "half of the largest activation of the feature"
    assert behind.get_extent()[:2] == [0.5, 60.5]
    red, green, blue, _ = behind.get_cmap()(1.0)
    assert concept_color("toy:W") == f"#{round(red * 255):02x}" + "".join(
        f"{round(x * 255):02x}" for x in (green, blue)
    )
    assert other.get_array().max() == 1.0


def test_a_protein_of_which_nothing_is_known_is_drawn_empty(view):
    bare = ProteinResult(ProteinStatus("P1", 60, "no_known_concept", 0), (), "A" * 60)
    (axes,) = bi.pl.tracks(ProteinView(view.protein, bare, {}, (), "toy")).axes
    assert not axes.collections
    assert "no_known_concept" in axes.get_xlabel()


def test_lines_are_named_and_gaps_stay_gaps():
    values = {"wild type": np.array([0.0, np.nan, 1.0]), "C2Y": np.zeros(3)}
    (axes,) = bi.pl.along(values, marks=[2]).axes
    wild, mutant, mark = axes.get_lines()
    assert (wild.get_label(), mutant.get_label()) == ("wild type", "C2Y")
    assert wild.get_xdata().tolist() == [1, 2, 3]
    assert np.isnan(wild.get_ydata()[1])
    assert list(mark.get_xdata()) == [2, 2]


@pytest.mark.parametrize("values", [{}, {"a": np.zeros(3), "b": np.zeros(4)}])
def test_values_of_several_proteins_are_refused(values):
    with pytest.raises(InputError, match="of one protein"):
        bi.pl.along(values)
